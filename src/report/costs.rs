//! The members of a row that say what a message cost, and the frames that carried it.

use super::clock::Clock;
use super::line::{Fixed, Line, Padded, eight_digits, field, padded, padded_len, put_key};
use crate::message::{Cost, Direction};
use crate::stream::{Frame, LayerBytes};

/// Writes costs, and keeps of one time what those of the next begin with.
#[derive(Clone, Debug, Default)]
pub(super) struct Costs {
    clock: Clock,
    /// By direction: what carries messages is mostly alike.
    headers: [Headers; 2],
}

/// Octets of the headers of a message, and the members that say so, up to the value of the one behind them.
#[derive(Clone, Debug)]
struct Headers {
    tls: u64,
    tcp: u64,
    ip: u64,
    link: u64,
    text: Fixed<80>,
}

impl Default for Headers {
    fn default() -> Self {
        let text = Fixed::of(&[r#","tls_bytes":0,"tcp_bytes":0,"ip_bytes":0,"link_bytes":0,"wire_bytes":"#]);
        Self { tls: 0, tcp: 0, ip: 0, link: 0, text }
    }
}

impl Headers {
    #[inline(always)]
    fn put(&mut self, line: &mut Line<'_>, bytes: &LayerBytes) {
        if (self.tls ^ bytes.tls) | (self.tcp ^ bytes.tcp) | (self.ip ^ bytes.ip) | (self.link ^ bytes.link) == 0 {
            line.fixed(&self.text);
        } else {
            line.with(|line| self.put_others(line, *bytes));
        }
    }

    #[inline(never)]
    fn put_others(&mut self, mut line: Line<'_>, LayerBytes { link, ip, tcp, tls, payload: _ }: LayerBytes) -> usize {
        let begin = line.at();
        field!(line, "tls_bytes", tls);
        field!(line, "tcp_bytes", tcp);
        field!(line, "ip_bytes", ip);
        field!(line, "link_bytes", link);
        put_key!(line, "wire_bytes");
        if let Some(text) = line.since(begin) {
            *self = Self { tls, tcp, ip, link, text };
        }
        line.at()
    }
}

impl Costs {
    /// Appends the money fields: the value of `content_bytes`, and the members behind it.
    #[inline(always)]
    pub(super) fn put(&mut self, line: &mut Line<'_>, direction: Direction, cost: &Cost) {
        line.optional_number(cost.content_bytes);
        field!(line, "encoded_bytes", cost.encoded_bytes);
        field!(line, "framing_bytes", cost.framing_bytes);
        self.headers[direction as usize].put(line, &cost.provenance.bytes);
        line.number(cost.wire_bytes());
        field!(line, "overhead_bytes", cost.overhead_bytes());
        field!(line, "lost_bytes", cost.lost_bytes);
        self.frames(line, cost.provenance.first, cost.provenance.last);
    }

    /// Appends the first and the last frame, and the time of the first. Frame number 0 is none: nothing was captured.
    #[inline(always)]
    pub(super) fn frames(&mut self, line: &mut Line<'_>, first: Frame, last: Frame) {
        let first_digits = eight_digits(first.number);
        // Most messages came in one.
        let last_digits = if first.number == last.number { first_digits } else { eight_digits(last.number) };
        let (Some(first_digits), Some(last_digits)) = (first_digits, last_digits) else {
            return line.with(|line| self.unusual_frames(line, first, last));
        };
        line.eight_digits(padded!(",\"first_frame\":"), first_digits);
        line.eight_digits(padded!(",\"last_frame\":"), last_digits);
        self.clock.put(line, first.time);
    }

    #[cold]
    fn unusual_frames(&mut self, mut line: Line<'_>, first: Frame, last: Frame) -> usize {
        let known = |frame: Frame| (frame.number > 0).then_some(frame.number);
        put_key!(line, "first_frame");
        line.optional_number(known(first));
        put_key!(line, "last_frame");
        line.optional_number(known(last));
        match known(first) {
            None => line.put(br#","time":null"#),
            Some(_) => self.clock.put(&mut line, first.time),
        }
        line.at()
    }
}
