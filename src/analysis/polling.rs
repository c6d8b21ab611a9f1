//! Polls: exchanges in which the same client asks the same again and again.
//!
//! A series is known by client address, method, host, path, and query (cache busters, and values that look like identifiers,
//! left out); from the third exchange on it is polling. What was seen of the first two comes with the third.

use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasher, Hash, Hasher};

use foldhash::quality::FixedState;
use hashbrown::HashTable;

use crate::account::hash_question;
use crate::message::{EarlierPoll, EnvelopeProtocol, Exchange, FieldName, Poll, PollingKind, Request, Response, Side};

/// Questions that are remembered; of more, those asked first are forgotten unless they are series by then.
const CANDIDATES: usize = 4096;

/// Series that are followed; further ones are not recognised.
const SERIES: usize = 4096;

/// Exchanges that make a series.
const ENOUGH: u64 = 3;

/// A server that holds answers back has held one for this long.
const HELD_NS: u64 = 1_000_000_000;

/// The seed is fixed, so that every run follows the same series.
const HASHES: FixedState = FixedState::with_seed(0x706f_6c6c);

/// Recognises series in exchanges, in the order in which they were complete.
#[derive(Debug, Default)]
pub struct Recogniser {
    candidates: Candidates,
    /// What was asked again.
    series: HashMap<u64, Box<Series>, foldhash::fast::FixedState>,
    recognised: usize,
}

/// Questions in the order in which they were first asked, and how that went.
#[derive(Debug, Default)]
struct Candidates {
    glimpses: VecDeque<(u64, Glimpse)>,
    /// The numbers of those that were asked once, to be found by their questions, which are hashes. Most questions are never asked
    /// again, so these are small.
    once: HashTable<u32>,
    /// Those that were forgotten, modulo 2^32: the number of the first one that was not.
    forgotten: u32,
}

impl Candidates {
    /// What was seen when a question was asked that was asked once; from now on it is asked again.
    fn take(&mut self, question: u64) -> Option<Glimpse> {
        let (glimpses, forgotten) = (&self.glimpses, self.forgotten);
        let of_number = |number: u32| glimpses.get(number.wrapping_sub(forgotten) as usize);
        let is_same = |&number: &u32| of_number(number).is_some_and(|&(other, _)| other == question);
        let (number, _) = self.once.find_entry(question, is_same).ok()?.remove();
        of_number(number).map(|&(_, glimpse)| glimpse)
    }

    fn add(&mut self, question: u64, glimpse: Glimpse) {
        // Fits: CANDIDATES at most.
        let number = self.forgotten.wrapping_add(self.glimpses.len() as u32);
        self.glimpses.push_back((question, glimpse));
        let (glimpses, forgotten) = (&self.glimpses, self.forgotten);
        // A number leaves before its glimpse does.
        let question_of = |&number: &u32| glimpses.get(number.wrapping_sub(forgotten) as usize).map_or(0, |&(question, _)| question);
        self.once.insert_unique(question, number, question_of);
    }

    /// Makes room for one more: before it comes, so that the ring does not take twice as much. Returns the question that was
    /// forgotten.
    fn forget(&mut self) -> Option<u64> {
        if self.glimpses.len() < CANDIDATES {
            return None;
        }
        let (question, _) = self.glimpses.pop_front()?;
        if let Ok(entry) = self.once.find_entry(question, |&number| number == self.forgotten) {
            entry.remove();
        }
        self.forgotten = self.forgotten.wrapping_add(1);
        Some(question)
    }
}

/// What a series needs to know of an exchange.
#[derive(Clone, Copy, Debug)]
struct Glimpse {
    /// When its request began and its answer ended, in nanoseconds since the Unix epoch.
    begin: i64,
    end: i64,
    /// How long its answer was held, in nanoseconds.
    held_ns: Option<u64>,
    is_conditional: bool,
    is_empty: bool,
    /// Encoded content of an answer that could have been 304, in octets.
    answer_bytes: u32,
    answer: Answer,
    wire_bytes: u64,
    /// The first frame of its request.
    frame: u64,
}

/// What an answer brings.
#[derive(Clone, Copy, Debug)]
enum Answer {
    /// There is none.
    Missing,
    /// Nothing, and says so.
    Nothing,
    /// Content of that length and identity, where these are known.
    Content(Option<(u64, u64)>),
}

/// What is remembered of a series.
#[derive(Debug, Default)]
struct Series {
    polls: u64,
    /// When the last request began and its answer ended, in nanoseconds since the Unix epoch.
    last: Option<(i64, i64)>,
    last_interval_ns: Option<u64>,
    /// Length and identity of the last answer's content.
    answered: Option<(u64, u64)>,
    /// Sums over the series: intervals, and of these the time in which answers were held.
    interval_ns: u64,
    held_ns: u64,
    longest_held_ns: u64,
    /// Requests with a condition.
    conditional: u64,
    /// Polls before the series was recognised. (Until their kind is known, deaf is the time since the last answer.)
    earlier: [Option<EarlierPoll>; ENOUGH as usize - 1],
}

impl Recogniser {
    /// Looks at an exchange, and marks it where it is a poll.
    pub fn look(&mut self, exchange: &mut Exchange) {
        if exchange.side != Side::Ajax {
            return;
        }
        let Some(request) = &exchange.request else { return };
        let Some(key) = question(exchange, request) else { return };
        let now = Glimpse::of(exchange, request, exchange.response.as_ref());
        let series = match self.series.get_mut(&key) {
            Some(series) => series,
            None => {
                let Some(first) = self.candidates.take(key) else { return self.add(key, now) };
                let series = self.series.entry(key).or_default();
                series.add(&first);
                series
            }
        };
        exchange.polling = series.poll(&now, request, exchange.response.as_ref()).map(Box::new);
        if exchange.polling.as_ref().is_some_and(|poll| poll.number == ENOUGH) {
            self.recognised += 1;
            if self.recognised > SERIES {
                exchange.polling = None;
                self.series.remove(&key);
                self.recognised -= 1;
            }
        }
    }

    fn add(&mut self, question: u64, glimpse: Glimpse) {
        if let Some(forgotten) = self.candidates.forget()
            && self.series.get(&forgotten).is_some_and(|series| series.polls < ENOUGH)
        {
            self.series.remove(&forgotten);
        }
        self.candidates.add(question, glimpse);
    }
}

/// What is asked, and by whom; `None` where asking again is no polling: a request that hands something over. A POST asks when
/// it gets something, and says the same every time.
fn question(exchange: &Exchange, request: &Request) -> Option<u64> {
    let is_answered = exchange.response.as_ref().is_some_and(|response| response.content.bytes.is_some_and(|bytes| bytes > 0));
    let is_known = request.cost.encoded_bytes == 0 || identity_of_request(request).is_some();
    let asks = match request.method() {
        b"GET" | b"HEAD" => true,
        b"POST" => is_answered && is_known && !is_engine_io(request.target()),
        _ => false,
    };
    if !asks {
        return None;
    }
    let mut hasher = HASHES.build_hasher();
    exchange.client.ip().hash(&mut hasher);
    request.method().hash(&mut hasher);
    hash_host(request.host().unwrap_or_default(), &mut hasher);
    hash_question(request.target(), &mut hasher);
    // The same content asks the same.
    identity_of_request(request).hash(&mut hasher);
    Some(hasher.finish())
}

/// Hosts compare without case (RFC 9110 §4.2.3); most are sent in lower case.
fn hash_host(host: &[u8], hasher: &mut impl Hasher) {
    // No early exit: so they are compared side by side.
    match host.iter().fold(false, |has, octet| has | octet.is_ascii_uppercase()) {
        true => host.to_ascii_lowercase().hash(hasher),
        false => host.hash(hasher),
    }
}

fn identity_of_request(request: &Request) -> Option<u64> {
    request.content.http.as_ref().and_then(|http| http.identity)
}

impl Glimpse {
    fn of(exchange: &Exchange, request: &Request, response: Option<&Response>) -> Self {
        let begin = request.cost.provenance.first.time.0;
        Self {
            begin,
            end: response.map_or(begin, |response| response.cost.provenance.last.time.0),
            held_ns: exchange.held_ns(),
            is_empty: exchange.is_answered_empty(),
            is_conditional: CONDITIONS.into_iter().any(|name| request.head.has(name)),
            answer_bytes: response.filter(|response| is_plain(response)).map_or(0, |response| saturated(response.cost.encoded_bytes)),
            answer: response.map_or(Answer::Missing, Answer::of),
            wire_bytes: exchange.wire_bytes(),
            frame: request.cost.provenance.first.number,
        }
    }
}

impl Answer {
    fn of(response: &Response) -> Self {
        let envelope = response.content.envelope.as_deref();
        let is_noise = envelope.is_some_and(|envelope| {
            envelope.protocol == EnvelopeProtocol::EngineIo && matches!(envelope.kind, "noop" | "ping" | "pong") && envelope.count < 2
        });
        if is_noise || response.status == 304 || response.content.bytes == Some(0) {
            return Self::Nothing;
        }
        let identity = response.content.http.as_ref().and_then(|http| http.identity);
        Self::Content(response.content.bytes.zip(identity))
    }
}

impl Series {
    /// Takes the next exchange: its interval, the time since the answer before it (both in nanoseconds), and the jitter.
    fn add(&mut self, now: &Glimpse) -> EarlierPoll {
        self.polls += 1;
        let since = |time: i64| u64::try_from(now.begin.saturating_sub(time)).ok();
        let (interval_ns, deaf_ns) = (self.last.and_then(|(begin, _)| since(begin)), self.last.and_then(|(_, end)| since(end)));
        self.last = Some((now.begin, now.end));
        self.conditional += u64::from(now.is_conditional);
        self.interval_ns += interval_ns.unwrap_or(0);
        self.held_ns += now.held_ns.unwrap_or(0);
        self.longest_held_ns = self.longest_held_ns.max(now.held_ns.unwrap_or(0));
        let Glimpse { wire_bytes, frame, answer, held_ns, is_empty, .. } = *now;
        let answer_bytes = u64::from(now.answer_bytes);
        let poll = EarlierPoll { wire_bytes, answer_bytes, frame, interval_ns, deaf_ns, held_ns, is_new: self.is_new(answer), is_empty };
        if self.polls < ENOUGH {
            self.last_interval_ns = interval_ns;
            self.earlier[self.polls as usize - 1] = Some(poll);
        }
        poll
    }

    /// The same; `None` until they are enough.
    fn poll(&mut self, now: &Glimpse, request: &Request, response: Option<&Response>) -> Option<Poll> {
        let EarlierPoll { interval_ns, deaf_ns, is_new, .. } = self.add(now);
        if self.polls < ENOUGH {
            return None;
        }
        let jitter_ns = interval_ns.zip(self.last_interval_ns).map(|(now, before)| now.abs_diff(before));
        self.last_interval_ns = interval_ns;
        let kind = self.kind(request);
        let is_held = !matches!(kind, PollingKind::Short | PollingKind::Conditional);
        let deaf = |interval_ns, since_answer_ns| if is_held { since_answer_ns } else { interval_ns };
        let earlier = self.earlier.iter_mut().filter_map(Option::take);
        let earlier = earlier.map(|poll| EarlierPoll { deaf_ns: deaf(poll.interval_ns, poll.deaf_ns), ..poll }).collect();
        let deaf_ns = deaf(interval_ns, deaf_ns);
        let envelope = response.and_then(|response| response.content.envelope.as_deref());
        let packets = envelope.map(|envelope| envelope.count).filter(|&count| count > 1);
        Some(Poll { kind, number: self.polls, interval_ns, jitter_ns, deaf_ns, is_new, packets, earlier })
    }

    fn kind(&self, request: &Request) -> PollingKind {
        if is_engine_io(request.target()) {
            PollingKind::EngineIo
        } else if self.longest_held_ns >= HELD_NS && self.held_ns >= self.interval_ns / 2 {
            PollingKind::Long
        } else if self.conditional * 2 >= self.polls {
            PollingKind::Conditional
        } else {
            PollingKind::Short
        }
    }

    /// Whether an answer brings what the one before did not.
    fn is_new(&mut self, answer: Answer) -> Option<bool> {
        match answer {
            Answer::Missing => None,
            Answer::Nothing => Some(false),
            Answer::Content(content) => {
                let before = std::mem::replace(&mut self.answered, content);
                Some(before != Some(content?))
            }
        }
    }
}

/// An answer with content and no envelope.
fn is_plain(response: &Response) -> bool {
    (200..300).contains(&response.status) && response.content.envelope.is_none()
}

fn saturated(octets: u64) -> u32 {
    u32::try_from(octets).unwrap_or(u32::MAX)
}

/// What makes an answer without content possible (RFC 9110 §13.1).
const CONDITIONS: [FieldName; 2] = [FieldName::IfNoneMatch, FieldName::IfModifiedSince];

fn is_engine_io(target: &[u8]) -> bool {
    // Most targets have no query at all.
    let query = &target[memchr::memchr(b'?', target).unwrap_or(target.len())..];
    let may_be = memchr::memchr(b'E', query).is_some();
    may_be && memchr::memmem::find(query, b"transport=polling").is_some() && memchr::memmem::find(query, b"EIO=").is_some()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::account::samples::{cost, deck_exchange, request, response};
    use crate::message::{Content, Envelope, HttpContent};
    use crate::stream::Timestamp;

    /// Milliseconds at which a request begins, how long its answer is held, its target, status and content.
    type Asked = (i64, i64, &'static str, u16, u64);

    fn content(identity: u64) -> Content {
        let bytes = Some(if identity == 0 { 0 } else { 10 });
        Content { bytes, http: Some(Box::new(HttpContent { identity: Some(identity), events: None })), ..Content::default() }
    }

    fn exchange((at, held, target, status, identity): Asked, fields: &[(&str, &str)]) -> Exchange {
        let mut asked = request(&format!("GET {target} HTTP/1.1"), &[&[("Host", "a.example")], fields].concat());
        asked.cost = cost(10, 20, 100, 0, Some(0));
        asked.cost.provenance.first.time = Timestamp(at * 1_000_000);
        let mut answer = response(status, &[]);
        answer.cost = cost(11, 20, 40, 0, Some(0));
        answer.cost.provenance.last.time = Timestamp((at + held) * 1_000_000);
        answer.content = content(identity);
        let seconds = Some(held as f64 / 1e3);
        Exchange {
            request: Some(asked),
            response: Some(answer),
            time_to_first_byte_s: seconds,
            time_to_last_byte_s: seconds,
            ..deck_exchange()
        }
    }

    fn looked(asked: &[Asked]) -> Vec<Option<Poll>> {
        let mut recogniser = Recogniser::default();
        asked
            .iter()
            .map(|&asked| {
                let mut exchange = exchange(asked, &[]);
                recogniser.look(&mut exchange);
                exchange.polling.map(|poll| *poll)
            })
            .collect()
    }

    #[test]
    fn third_question_makes_a_series_and_brings_the_first_two() {
        let polls =
            looked(&[(0, 10, "/x?_=1", 200, 7), (1000, 10, "/x?_=2", 200, 7), (2100, 10, "/x?_=3", 200, 8), (3100, 10, "/x?_=4", 304, 0)]);
        assert_eq!((&polls[0], &polls[1]), (&None, &None));
        let third = polls[2].as_ref().expect("a poll");
        assert_eq!(
            (third.kind, third.number, third.interval_ns, third.jitter_ns),
            (PollingKind::Short, 3, Some(1_100_000_000), Some(100_000_000))
        );
        assert_eq!(third.deaf_ns, third.interval_ns);
        // New, the same again, new; then not modified.
        assert_eq!(third.earlier.iter().map(|poll| poll.is_new).collect::<Vec<_>>(), [Some(true), Some(false)]);
        assert_eq!((third.is_new, polls[3].as_ref().expect("a poll").is_new), (Some(true), Some(false)));
    }

    #[test]
    fn beats_of_engine_io_bring_nothing_new() {
        let mut recogniser = Recogniser::default();
        // The server asks in revision 4, the client in revision 3.
        let kinds = ["message", "noop", "ping", "pong", "message"];
        let polls = (0..).zip(kinds).map(|(at, kind)| {
            let mut exchange = exchange((at * 1000, 900, "/engine.io/?EIO=3&transport=polling", 200, at as u64 + 1), &[]);
            let envelope =
                Envelope { protocol: EnvelopeProtocol::EngineIo, kind, name: None, namespace: None, id: None, bytes: Some(1), count: 1 };
            exchange.response.as_mut().expect("an answer").content.envelope = Some(Box::new(envelope));
            recogniser.look(&mut exchange);
            exchange.polling.map(|poll| poll.is_new)
        });
        assert_eq!(polls.collect::<Vec<_>>(), [None, None, Some(Some(false)), Some(Some(false)), Some(Some(true))]);
    }

    #[test]
    fn held_answers_make_long_polls_that_are_deaf_between_answer_and_question() {
        let polls =
            looked(&[(0, 2000, "/wait?since=1", 200, 1), (2005, 2000, "/wait?since=2", 200, 2), (4010, 2000, "/wait?since=3", 200, 3)]);
        let third = polls[2].as_ref().expect("a poll");
        assert_eq!((third.kind, third.deaf_ns), (PollingKind::Long, Some(5_000_000)));
        assert_eq!(third.earlier[1].deaf_ns, Some(5_000_000));
    }

    #[test]
    fn other_questions_are_other_series() {
        let polls = looked(&[(0, 1, "/x?q=a", 200, 1), (10, 1, "/x?q=b", 200, 1), (20, 1, "/x?q=c", 200, 1), (30, 1, "/y", 200, 1)]);
        assert_eq!(polls, [None, None, None, None]);
    }

    #[test]
    fn conditions_make_conditional_polls() {
        let mut recogniser = Recogniser::default();
        let mut last = None;
        for at in 0..4 {
            let mut exchange =
                exchange((at * 1000, 1, "/doc", if at == 0 { 200 } else { 304 }, 0), &[("If-None-Match", "\"a\"")][..usize::from(at > 0)]);
            recogniser.look(&mut exchange);
            last = exchange.polling;
        }
        assert_eq!(last.map(|poll| poll.kind), Some(PollingKind::Conditional));
    }

    #[test]
    fn what_is_handed_over_is_no_poll() {
        let mut recogniser = Recogniser::default();
        for at in 0..4 {
            let mut exchange = exchange((at * 1000, 1, "/x", 204, 0), &[]);
            let mut asked = request("POST /x HTTP/1.1", &[("Host", "a.example")]);
            asked.cost = cost(10, 20, 100, 5, Some(5));
            asked.content = content(9);
            exchange.request = Some(asked);
            recogniser.look(&mut exchange);
            assert_eq!(exchange.polling, None);
        }
    }

    fn other(number: usize) -> Exchange {
        let name: String = number.to_string().bytes().map(|digit| char::from(digit - b'0' + b'a')).collect();
        let mut once = exchange((0, 1, "/x", 200, 1), &[]);
        once.request = Some(request(&format!("GET /{name} HTTP/1.1"), &[("Host", "a.example")]));
        once
    }

    #[test]
    fn question_that_came_too_long_ago_is_asked_for_the_first_time_again() {
        // Numbers go round while it is remembered.
        for forgotten in [0, u32::MAX - 2, u32::MAX - CANDIDATES as u32] {
            for (others, is_forgotten) in [(CANDIDATES - 1, false), (CANDIDATES, true)] {
                let candidates = Candidates { forgotten, ..Candidates::default() };
                let mut recogniser = Recogniser { candidates, ..Recogniser::default() };
                let mut ask = || {
                    let mut asked = exchange((0, 1, "/x", 200, 1), &[]);
                    recogniser.look(&mut asked);
                    asked.polling.is_some()
                };
                assert!(!ask() && !ask());
                (0..others).for_each(|number| recogniser.look(&mut other(number)));
                let mut asked = exchange((0, 1, "/x", 200, 1), &[]);
                recogniser.look(&mut asked);
                assert_eq!(asked.polling.is_none(), is_forgotten, "after {others} others, from {forgotten}");
            }
        }
    }

    #[test]
    fn questions_asked_once_do_not_stay() {
        let mut recogniser = Recogniser::default();
        for number in 0..3 * CANDIDATES {
            recogniser.look(&mut exchange((0, 1, "/x", 200, 1), &[]));
            recogniser.look(&mut other(number));
        }
        assert!(recogniser.candidates.once.len() + recogniser.series.len() <= CANDIDATES + 1);
        assert!(recogniser.candidates.glimpses.capacity() <= CANDIDATES);
        let mut again = exchange((0, 1, "/x", 200, 1), &[]);
        recogniser.look(&mut again);
        assert!(again.polling.is_some_and(|poll| poll.number == 3 * CANDIDATES as u64 + 1));
    }
}
