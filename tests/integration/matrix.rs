//! Libraries of WebSocket against each other under every agreement of permessage-deflate (RFC 7692): samples/matrix against what
//! the programs themselves knew, cell by cell.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::Value;
use wiretare::{ConnectionRow, Direction, Message, Opcode, Options, Row};

use crate::support::{analyze, captures_below, difference, sample};

use Direction::{ClientToServer, ServerToClient};

/// What the two ends agreed on, by the last part of a capture's name; parameters in alphabetical order.
const MODES: [(&str, Option<&[&str]>); 6] = [
    ("plain", None),
    ("takeover", Some(&[])),
    ("no-takeover", Some(&["client_no_context_takeover", "server_no_context_takeover"])),
    ("server-no-takeover", Some(&["server_no_context_takeover"])),
    ("client-no-takeover", Some(&["client_no_context_takeover"])),
    ("window-bits", Some(&["client_max_window_bits=9", "server_max_window_bits=10"])),
];

/// Captures that agree on something else than their mode says.
const OTHER_AGREEMENTS: [(&str, &[&str]); 1] =
    // aiohttp's server answers no parameter of the client's compressor.
    [("websockets-aiohttp-window-bits", &["server_max_window_bits=10"])];

/// Who plays what: a row of the matrix.
type Player = (&'static str, Direction);

/// A library sends as a client or as a server.
const PLAYERS: [Player; 12] = [
    ("chromium", ClientToServer),
    ("node", ClientToServer),
    ("node", ServerToClient),
    ("websockets", ClientToServer),
    ("websockets", ServerToClient),
    ("aiohttp", ClientToServer),
    ("aiohttp", ServerToClient),
    ("tornado", ClientToServer),
    ("tornado", ServerToClient),
    ("ratchet", ClientToServer),
    ("ratchet", ServerToClient),
    ("textalk", ClientToServer),
];

/// Cells that cannot be had, and why.
const WITHOUT: [(Player, &[&str], &str); 5] = [
    (("aiohttp", ServerToClient), &["no-takeover", "client-no-takeover"], "aiohttp's server never answers client_no_context_takeover"),
    (
        ("tornado", ClientToServer),
        &["no-takeover", "client-no-takeover"],
        "Tornado overlooks parameters without a value: it keeps its context against the agreement, and the server fails",
    ),
    (
        ("tornado", ServerToClient),
        &["no-takeover", "server-no-takeover", "client-no-takeover"],
        "Tornado overlooks parameters without a value, and answers none",
    ),
    (
        ("ratchet", ServerToClient),
        &["server-no-takeover"],
        "Ratchet's server then forgets the client's context too, and cannot read what the client sends",
    ),
    (
        ("textalk", ClientToServer),
        &["takeover", "no-takeover", "server-no-takeover", "client-no-takeover", "window-bits"],
        "Textalk knows no extension",
    ),
];

/// What a sender says in every capture but where its library cannot.
fn is_said_by(player: &str, side: &str, what: &str, mode: &str) -> bool {
    match (player, what) {
        ("chromium", "ping") => false,
        // Ratchet compresses no fragments.
        (_, "fragments") => ["node", "websockets", "textalk"].contains(&player) || (player, mode) == ("ratchet", "plain"),
        // Textalk sends no frame for nothing; the octets of Ratchet's are none where its context goes on, which no receiver bears.
        ("textalk", "empty") => false,
        ("ratchet", "empty") => ["plain", "no-takeover"].contains(&mode) || mode == format!("{side}-no-takeover"),
        _ => true,
    }
}

/// A message or control frame, as programs and `wiretare` both know it: opcode, octets and SHA-256 of the decoded content.
type Known = (String, u64, String);

fn side(direction: Direction) -> &'static str {
    if direction == ClientToServer { "client" } else { "server" }
}

fn known(value: &Value) -> Known {
    let text = |name: &str| value[name].as_str().unwrap_or_default().to_owned();
    (text("opcode"), value["length"].as_u64().unwrap_or(u64::MAX), text("sha256"))
}

fn seen(message: &Message) -> Known {
    let digest = message
        .content
        .sha256
        .as_ref()
        .map_or(String::new(), |digest| digest.iter().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}")));
    (message.opcode.name().to_owned(), message.cost.content_bytes.unwrap_or(u64::MAX), digest)
}

fn is_data(message: &Message) -> bool {
    matches!(message.opcode, Opcode::Text | Opcode::Binary)
}

/// A Pong repeats its Ping; a Close gives the peer's code, maybe not the reason.
fn is_answer(message: &Message, to: &Message) -> bool {
    let code = |message: &Message| message.close.as_ref().and_then(|close| close.code);
    match (message.opcode, to.opcode) {
        (Opcode::Pong, Opcode::Ping) => seen(message).2 == seen(to).2,
        (Opcode::Close, Opcode::Close) => code(message) == code(to),
        _ => false,
    }
}

/// Parameters of permessage-deflate in alphabetical order; `None` when it was not agreed on.
fn parameters(extensions: &str) -> Option<Vec<&str>> {
    let mut parts = extensions.split(';').map(str::trim);
    if parts.next() != Some("permessage-deflate") {
        return None;
    }
    let mut parameters: Vec<&str> = parts.collect();
    parameters.sort_unstable();
    Some(parameters)
}

/// Collects what is wrong, so that one run tells all of it.
#[derive(Default)]
struct Complaints(Vec<String>);

impl Complaints {
    fn unless(&mut self, holds: bool, complaint: impl FnOnce() -> String) {
        if !holds {
            self.0.push(complaint());
        }
    }

    fn unless_equal<T: PartialEq + std::fmt::Debug>(&mut self, what: &str, found: T, expected: T) {
        self.unless(found == expected, || format!("{what} is {found:?}, not {expected:?}"));
    }
}

/// One capture: its name taken apart, and what its programs knew.
struct Talk<'a> {
    name: &'a str,
    players: [&'a str; 2],
    mode: &'a str,
    truth: &'a Value,
}

impl<'a> Talk<'a> {
    /// Of CLIENT-SERVER-MODE.
    fn new(name: &'a str, truth: &'a Value) -> Self {
        let mut parts = name.splitn(3, '-');
        let [client, server, mode] = [(); 3].map(|()| parts.next().unwrap_or_else(|| panic!("{name} is not CLIENT-SERVER-MODE")));
        Self { name, players: [client, server], mode, truth: &truth["websocket"][0] }
    }

    fn agreed(&self) -> Option<Vec<&'static str>> {
        let other = OTHER_AGREEMENTS.iter().find(|(name, _)| *name == self.name).map(|&(_, parameters)| Some(parameters));
        let of_mode = || MODES.iter().find(|(mode, _)| *mode == self.mode).unwrap_or_else(|| panic!("{} is no mode", self.mode)).1;
        other.unwrap_or_else(of_mode).map(<[&str]>::to_vec)
    }

    /// What is wrong with it: nothing.
    fn check(&self) -> Vec<String> {
        let mut complaints = Complaints::default();
        let options = Options { digest: true, ..Options::default() };
        let (rows, totals) = match analyze(&sample("matrix").join(format!("{}.pcapng", self.name)), &options) {
            Ok(outcome) => outcome,
            Err(error) => return vec![error.to_string()],
        };
        complaints.unless_equal("the difference of the books", difference(&rows, &totals), 0);
        let odd: Vec<_> = totals.anomalies.iter().filter(|&(_, count, _)| count > 0).collect();
        complaints.unless(odd.is_empty(), || format!("anomalies: {odd:?}"));
        let connections: Vec<&ConnectionRow> =
            rows.iter().filter_map(|row| if let Row::Connection(row) = row { Some(&**row) } else { None }).collect();
        complaints.unless_equal("the number of connections", connections.len(), 1);
        connections.iter().for_each(|connection| self.check_handshake(connection, &mut complaints));
        let sent = Direction::BOTH.map(|direction| {
            let messages = rows.iter().filter_map(|row| if let Row::Message(message) = row { Some(message) } else { None });
            messages.filter(|message| message.direction == direction).collect::<Vec<&Message>>()
        });
        for direction in Direction::BOTH {
            self.check_messages(direction, &sent, &mut complaints);
            self.check_compression(direction, &sent[direction as usize], &mut complaints);
            self.check_variety(direction, &mut complaints);
        }
        complaints.0
    }

    /// The extensions are those that both programs were told of, and those of the mode.
    fn check_handshake(&self, connection: &ConnectionRow, complaints: &mut Complaints) {
        let Some(facts) = &connection.websocket else { return complaints.0.push("no WebSocket".to_owned()) };
        complaints.unless_equal("the answer to the key", (facts.handshake_captured, facts.accept_valid), (true, Some(true)));
        let told = self.truth["extensions"].as_str().unwrap_or("not told");
        let found = facts.extensions.as_deref().unwrap_or_default();
        complaints.unless_equal("the agreement", parameters(found), parameters(told));
        complaints.unless_equal("the agreement that was told", parameters(told), self.agreed());
        let close = facts.close.as_ref().map(|close| (close.code, close.reason.as_deref()));
        complaints.unless_equal("the Close", close, Some((Some(4100), Some("fini: à bientôt"))));
        complaints.unless_equal("who closed", facts.closed_by, Some(ClientToServer));
    }

    /// Every message that the program sent, in order, and no other; of control frames that a library sends by itself the program
    /// may know nothing: those echo what the peer sent.
    fn check_messages(&self, direction: Direction, sent: &[Vec<&Message>; 2], complaints: &mut Complaints) {
        let who = self.players[direction as usize];
        let expected = self.truth[direction.name()].as_array().map_or(&[][..], Vec::as_slice);
        let is_told = |message: &&&Message| is_data(message) || expected.iter().any(|told| told["opcode"] == message.opcode.name());
        let (found, by_itself): (Vec<&Message>, Vec<&Message>) = sent[direction as usize].iter().partition(is_told);
        complaints.unless_equal(&format!("{who}'s number of messages"), found.len(), expected.len());
        for (number, (found, told)) in (1..).zip(found.iter().zip(expected)) {
            complaints.unless_equal(&format!("{who}'s message {number}"), seen(found), known(told));
            if let Some(fragments) = told["fragments"].as_u64() {
                complaints.unless_equal(&format!("{who}'s fragments of message {number}"), u64::from(found.fragments), fragments);
            }
            let close = found.close.as_ref().map(|close| (close.code.map(u64::from), close.reason.as_deref()));
            let told_close = (told["opcode"] == "close").then(|| (told["code"].as_u64(), told["reason"].as_str()));
            complaints.unless_equal(&format!("{who}'s Close"), close, told_close);
        }
        for message in by_itself {
            let is_echo = sent[1 - direction as usize].iter().any(|other| is_answer(message, other));
            complaints.unless(is_echo, || format!("{who}'s {:?}, which answers nothing", seen(message)));
        }
        for message in &sent[direction as usize] {
            complaints.unless_equal(&format!("{who}'s masking"), message.masked, direction == ClientToServer);
            complaints
                .unless(message.anomalies.is_empty(), || format!("{who}'s message {} is odd: {:?}", message.number, message.anomalies));
        }
    }

    /// The capture shows what its mode means: of a message that is sent three times, the second right after the first, the last
    /// behind more noise than a small window holds.
    fn check_compression(&self, direction: Direction, sent: &[&Message], complaints: &mut Complaints) {
        let who = self.players[direction as usize];
        let side = side(direction);
        let agreed = self.agreed();
        for message in sent {
            let is_compressed = is_data(message) && agreed.is_some();
            complaints.unless_equal(&format!("{who}'s RSV1 of message {}", message.number), message.compressed, is_compressed);
        }
        let data: Vec<&&Message> = sent.iter().filter(|message| is_data(message)).collect();
        let same = data.iter().filter(|message| seen(message) == seen(data[0]));
        let Ok([first, second, last]) = <[u64; 3]>::try_from(same.map(|message| message.cost.encoded_bytes).collect::<Vec<_>>()) else {
            return complaints.0.push(format!("{who} did not say the same three times"));
        };
        let has = |parameter: &str| {
            agreed.as_ref().is_some_and(|agreed| agreed.iter().any(|one| one.starts_with(&format!("{side}_{parameter}"))))
        };
        let said = || format!("{who}'s equal messages take {first}, {second} and {last} octets");
        if agreed.is_none() || has("no_context_takeover") {
            complaints.unless((second, last) == (first, first), said);
        } else {
            complaints.unless(second < first / 4, said);
            if has("max_window_bits") {
                complaints.unless(last > first / 4 * 3, said);
            } else if !agreed.is_some_and(|agreed| agreed.iter().any(|one| one.contains("max_window_bits"))) {
                complaints.unless(last < first / 4, said);
            }
        }
    }

    /// Texts, a binary message, an empty one, fragments, a ping and a Close, as far as the library can.
    fn check_variety(&self, direction: Direction, complaints: &mut Complaints) {
        let who = self.players[direction as usize];
        let told = self.truth[direction.name()].as_array().map_or(&[][..], Vec::as_slice);
        let count = |is_one: &dyn Fn(&Value) -> bool| told.iter().filter(|told| is_one(told)).count();
        complaints.unless(count(&|told| told["opcode"] == "text") == 7, || format!("{who}'s texts are not seven"));
        complaints.unless(count(&|told| told["opcode"] == "binary") == 1, || format!("{who}'s binary message is not one"));
        let pings = count(&|told| told["opcode"] == "ping");
        let empty = count(&|told| told["length"] == 0);
        let fragmented = count(&|told| told["fragments"].as_u64() > Some(1));
        for (what, count) in [("ping", pings), ("empty", empty), ("fragments", fragmented)] {
            let expected = usize::from(is_said_by(who, side(direction), what, self.mode));
            complaints.unless_equal(&format!("{who}'s number of `{what}`"), count, expected);
        }
        let closes = count(&|told| told["opcode"] == "close");
        complaints.unless(closes == 1 || direction == ServerToClient, || format!("{who} did not close"));
    }
}

/// The captures that fill a cell, with what is wrong with each.
type Cells = BTreeMap<(&'static str, usize, &'static str), Vec<(String, Vec<String>)>>;

fn cells(truth: &Value) -> Cells {
    let mut cells = Cells::new();
    for (file, known) in truth["captures"].as_object().expect("captures by name") {
        let talk = Talk::new(file.strip_suffix(".pcapng").expect("a pcapng file"), known);
        let complaints = talk.check();
        let (mode, _) = MODES.iter().find(|(mode, _)| *mode == talk.mode).expect("a mode");
        for direction in Direction::BOTH {
            let is_player = |&&(player, role): &&Player| player == talk.players[direction as usize] && role == direction;
            let (player, _) = PLAYERS.iter().find(is_player).unwrap_or_else(|| panic!("{file}: who plays the {}?", direction.name()));
            cells.entry((player, direction as usize, mode)).or_default().push((talk.name.to_owned(), complaints.clone()));
        }
    }
    cells
}

/// How a cell stands: what is printed for it, and what is wrong.
fn state(cells: &Cells, (player, role): Player, mode: &'static str) -> (&'static str, Vec<String>) {
    let found = cells.get(&(player, role as usize, mode)).map_or(&[][..], Vec::as_slice);
    let without = WITHOUT.iter().find(|(other, modes, _)| *other == (player, role) && modes.contains(&mode));
    let cell = format!("{player} as {}, {mode}", side(role));
    let bad: Vec<String> = found.iter().flat_map(|(name, complaints)| complaints.iter().map(move |one| format!("{name}: {one}"))).collect();
    match (found.is_empty(), without) {
        (true, None) => ("MISSING", vec![format!("{cell}: no capture")]),
        (true, Some(_)) => ("-", vec![]),
        (false, Some((_, _, reason))) => ("MADE", vec![format!("{cell}: there is a capture, but: {reason}")]),
        (false, None) if bad.is_empty() => ("ok", vec![]),
        (false, None) => ("FAILS", bad),
    }
}

#[test]
fn every_library_is_understood_under_every_agreement() {
    let truth = std::fs::read_to_string(sample("matrix/truth.json")).expect("samples/matrix/truth.json");
    let truth: Value = serde_json::from_str(&truth).expect("JSON");
    let mut wrong: Vec<String> = captures_below(&sample("matrix"))
        .iter()
        .map(|path| path.file_name().expect("a name").to_string_lossy().into_owned())
        .filter(|file| truth["captures"].get(file).is_none())
        .map(|file| format!("{file}: no truth"))
        .collect();
    let cells = cells(&truth);
    let mut table = format!("{:18}{}\n", "", MODES.map(|(mode, _)| format!("{mode:20}")).concat());
    for (player, role) in PLAYERS {
        let _ = write!(table, "{player:11}{:7}", side(role));
        for (mode, _) in MODES {
            let (shown, complaints) = state(&cells, (player, role), mode);
            let _ = write!(table, "{shown:20}");
            wrong.extend(complaints);
        }
        table.push('\n');
    }
    wrong.sort();
    wrong.dedup();
    assert!(wrong.is_empty(), "\n{table}\n{}", wrong.join("\n"));
}
