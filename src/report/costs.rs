//! The members of a row that say what a message cost, and the frames that carried it.

use super::clock::Clock;
use super::line::{Fixed, Line, Padded, eight_digits, field, padded, padded_len, put_key};
use crate::message::{Cost, Direction};
use crate::stream::{Frame, LayerBytes, Timestamp};

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
        let (first, last) = (cost.provenance.first, cost.provenance.last);
        match digits_of(first, last) {
            Some(digits) if cost.lost_bytes == 0 => {
                self.usual_frames(line, padded!(",\"lost_bytes\":0,\"first_frame\":"), digits, first.time)
            }
            _ => line.with(|line| self.lost_and_frames(line, cost.lost_bytes, first, last)),
        }
    }

    #[cold]
    fn lost_and_frames(&mut self, mut line: Line<'_>, lost_bytes: u64, first: Frame, last: Frame) -> usize {
        field!(line, "lost_bytes", lost_bytes);
        self.frames(&mut line, first, last);
        line.at()
    }

    /// Appends the first and the last frame, and the time of the first. Frame number 0 is none: nothing was captured.
    #[inline(always)]
    pub(super) fn frames(&mut self, line: &mut Line<'_>, first: Frame, last: Frame) {
        match digits_of(first, last) {
            Some(digits) => self.usual_frames(line, padded!(",\"first_frame\":"), digits, first.time),
            None => line.with(|line| self.unusual_frames(line, first, last)),
        }
    }

    /// The same, whose numbers have these digits, behind a text that ends with the first key.
    #[inline(always)]
    fn usual_frames<const TEXT_LEN: usize, const N: usize>(
        &mut self,
        line: &mut Line<'_>,
        text: &Padded<TEXT_LEN, N>,
        [first, last]: [Digits; 2],
        time: Timestamp,
    ) {
        line.eight_digits(text, first);
        line.eight_digits(padded!(",\"last_frame\":"), last);
        self.clock.put(line, time);
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

/// Up to eight digits, and how many.
type Digits = (u64, usize);

/// The digits of both frames' numbers; `None` where one has more than eight, or is 0.
#[inline(always)]
fn digits_of(first: Frame, last: Frame) -> Option<[Digits; 2]> {
    let first_digits = eight_digits(first.number)?;
    // Most messages came in one.
    let last_digits = if first.number == last.number { first_digits } else { eight_digits(last.number)? };
    Some([first_digits, last_digits])
}
