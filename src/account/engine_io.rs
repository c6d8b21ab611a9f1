//! What engine.io pays before it talks over WebSocket: a handshake by a poll, polls while the WebSocket opens, the opening
//! handshake, and a probe (engine.io protocol, revisions 3 and 4, "Upgrade").

use std::collections::BTreeMap;
use std::ops::AddAssign;

use super::sighting::FirstFrames;
use crate::message::{Cost, EnvelopeId, EnvelopeProtocol, Exchange, Message, Upgrade};

/// Sessions told apart; further ones are only counted.
const SESSIONS: usize = 4096;

/// Octets of a session id: servers make 20 or so.
const MAX_SID: usize = 64;

/// Rows of one kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Paid {
    /// How many.
    pub count: u64,
    /// Octets on the wire.
    pub wire_bytes: u64,
}

impl Paid {
    fn add(&mut self, wire_bytes: u64) {
        *self += Self { count: 1, wire_bytes };
    }
}

impl AddAssign for Paid {
    fn add_assign(&mut self, other: Self) {
        self.count += other.count;
        self.wire_bytes += other.wire_bytes;
    }
}

/// What sessions paid until their WebSocket took over; for those that never upgraded, until their end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Session {
    /// Polls whose answer opened the session.
    pub handshake: Paid,
    /// Further polls, both those that ask and those that send.
    pub polls: Paid,
    /// WebSocket opening handshakes.
    pub websocket_handshake: Paid,
    /// Messages of the probe: ping, pong, and the packet that upgrades.
    pub probe: Paid,
    /// The first frames of its polls.
    pub frames: FirstFrames,
}

impl Session {
    /// Octets on the wire.
    pub fn wire_bytes(&self) -> u64 {
        [self.handshake, self.polls, self.websocket_handshake, self.probe].iter().map(|paid| paid.wire_bytes).sum()
    }
}

impl Session {
    fn poll(&mut self, kind: impl Fn(&mut Self) -> &mut Paid, wire_bytes: u64, frame: u64) {
        kind(self).add(wire_bytes);
        self.frames.add(frame);
    }
}

impl AddAssign for Session {
    fn add_assign(&mut self, other: Self) {
        self.handshake += other.handshake;
        self.polls += other.polls;
        self.websocket_handshake += other.websocket_handshake;
        self.probe += other.probe;
        self.frames += other.frames;
    }
}

/// The sessions of a capture.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct EngineIo {
    sessions: BTreeMap<Box<[u8]>, Session>,
    /// The session of each WebSocket connection that is open.
    connections: BTreeMap<u64, Box<[u8]>>,
    /// Polls and opening handshakes of sessions beyond those told apart.
    unlisted: Paid,
}

impl EngineIo {
    /// Adds an exchange, if it is one of engine.io's.
    pub(super) fn add_exchange(&mut self, exchange: &Exchange) {
        let Some(request) = &exchange.request else { return };
        if memchr::memmem::find(request.target(), b"EIO=").is_none() {
            return;
        }
        let wire_bytes = exchange.wire_bytes();
        let sid = parameter(request.target(), b"sid=");
        if exchange.upgrade == Some(Upgrade::WebSocket) {
            // Without an id the session begins as a WebSocket, and has nothing to upgrade.
            let Some(sid) = sid else { return };
            self.session(sid, |session| session.websocket_handshake.add(wire_bytes), wire_bytes);
            self.connections.insert(exchange.connection, sid.into());
            return;
        }
        let frame = request.cost.provenance.first.number;
        let envelope = exchange.response.as_ref().and_then(|response| response.content.envelope.as_deref());
        let opened = envelope.filter(|envelope| envelope.protocol == EnvelopeProtocol::EngineIo && envelope.kind == "open");
        match (sid, opened.and_then(|envelope| envelope.id.as_ref())) {
            (Some(sid), _) => self.session(sid, |session| session.poll(|session| &mut session.polls, wire_bytes, frame), wire_bytes),
            (None, Some(EnvelopeId::Text(sid))) => {
                self.session(sid.as_bytes(), |session| session.poll(|session| &mut session.handshake, wire_bytes, frame), wire_bytes)
            }
            (None, Some(EnvelopeId::Number(_)) | None) => {}
        }
    }

    /// Adds a message, if it is one of the probe of an upgrade.
    pub(super) fn add_message(&mut self, message: &Message, cost: &Cost) {
        let Some(envelope) = message.content.envelope.as_deref().filter(|envelope| envelope.protocol == EnvelopeProtocol::EngineIo) else {
            return;
        };
        if (envelope.name.as_deref() == Some("probe") || envelope.kind == "upgrade")
            && let Some(session) = self.connections.get(&message.connection).and_then(|sid| self.sessions.get_mut(sid))
        {
            session.probe.add(cost.wire_bytes());
        }
    }

    /// A connection has ended.
    pub(super) fn end_connection(&mut self, connection: u64) {
        if !self.connections.is_empty() {
            self.connections.remove(&connection);
        }
    }

    fn session(&mut self, sid: &[u8], add: impl FnOnce(&mut Session), wire_bytes: u64) {
        if sid.len() <= MAX_SID {
            if let Some(session) = self.sessions.get_mut(sid) {
                return add(session);
            }
            if self.sessions.len() < SESSIONS {
                return add(self.sessions.entry(sid.into()).or_default());
            }
        }
        self.unlisted.add(wire_bytes);
    }

    /// Sessions that upgraded to WebSocket: how many, and what that cost them.
    pub fn upgraded(&self) -> (u64, Session) {
        self.sum(|session| session.websocket_handshake.count > 0)
    }

    /// Sessions that stayed with polls: how many, and what those cost.
    pub fn stayed(&self) -> (u64, Session) {
        self.sum(|session| session.websocket_handshake.count == 0)
    }

    /// Exchanges of sessions beyond those told apart.
    pub fn unlisted(&self) -> Paid {
        self.unlisted
    }

    fn sum(&self, wanted: impl Fn(&Session) -> bool) -> (u64, Session) {
        let mut sum = (0, Session::default());
        for session in self.sessions.values().filter(|session| wanted(session)) {
            sum.0 += 1;
            sum.1 += *session;
        }
        sum
    }
}

impl AddAssign<&Self> for EngineIo {
    fn add_assign(&mut self, other: &Self) {
        for (sid, session) in &other.sessions {
            *self.sessions.entry(sid.clone()).or_default() += *session;
        }
        self.connections.extend(other.connections.iter().map(|(connection, sid)| (*connection, sid.clone())));
        self.unlisted += other.unlisted;
    }
}

/// The value of a query parameter, such as `sid=`.
fn parameter<'a>(target: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    let query = target.split(|&octet| octet == b'?').nth(1)?;
    query.split(|&octet| octet == b'&').find_map(|parameter| parameter.strip_prefix(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_of_targets() {
        assert_eq!(parameter(b"/socket.io/?EIO=4&transport=polling&sid=abc&t=1", b"sid="), Some(&b"abc"[..]));
        assert_eq!(parameter(b"/socket.io/?EIO=4&xsid=abc", b"sid="), None);
        assert_eq!(parameter(b"/sid=abc", b"sid="), None);
    }

    #[test]
    fn sessions_beyond_the_limit_are_counted_and_no_more() {
        let mut sessions = EngineIo::default();
        for sid in 0..SESSIONS as u64 + 2 {
            sessions.session(&sid.to_be_bytes(), |session| session.polls.add(100), 100);
        }
        sessions.session(&[b'a'; MAX_SID + 1], |session| session.polls.add(100), 100);
        assert_eq!(sessions.stayed().0, SESSIONS as u64);
        assert_eq!(sessions.unlisted(), Paid { count: 3, wire_bytes: 300 });
    }
}
