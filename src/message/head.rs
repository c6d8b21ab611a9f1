//! The header section of a message, as captured.
//!
//! Fields that something depends on are found while a head is read, and not by another search each time one is asked for.

use std::borrow::Cow;

/// A part of a head: offset and length in octets; a head's limit keeps both below 4 GiB.
pub(crate) type Span = (u32, u32);

/// The start line and header section of an HTTP/1 message, as captured (RFC 9112 §2.1).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Head {
    /// Its octets, and behind them the spans of each field's name and value: one allocation, as heads are most of what an
    /// exchange takes.
    octets: Box<[u8]>,
    raw_len: u32,
    /// Where the field lines begin, from which the spans of fields count.
    section: u32,
    start: [Span; 3],
    known: Known,
    others: Others,
}

/// Octets of a field's spans.
const FIELD: usize = size_of::<(Span, Span)>();

/// The spans of a field's name and value, as they are kept, from the first field line on.
pub(crate) type Field = [u8; FIELD];

/// A field of that name and value.
#[inline]
pub(crate) fn field(name: Span, value: Span) -> Field {
    let numbers = [name.0, name.1, value.0, value.1].map(u32::to_ne_bytes);
    // Of the same length: four times four octets.
    numbers.as_flattened().try_into().unwrap_or_default()
}

/// The span of its value.
#[inline]
pub(crate) fn field_value(field: &Field) -> Span {
    spans(field).1
}

#[inline]
fn spans(field: &Field) -> (Span, Span) {
    let (numbers, _) = field.as_chunks();
    let number = |at: usize| u32::from_ne_bytes(numbers[at]);
    ((number(0), number(1)), (number(2), number(3)))
}

/// Names of the fields that something depends on in every exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum FieldName {
    Accept,
    Authorization,
    ContentEncoding,
    ContentLength,
    ContentType,
    Host,
    IfModifiedSince,
    IfNoneMatch,
    Origin,
    Purpose,
    Referer,
    SecFetchDest,
    SecFetchMode,
    SecPurpose,
    SecWebSocketKey,
    TransferEncoding,
    Upgrade,
    UpgradeInsecureRequests,
    UserAgent,
    XCsrfToken,
    XRequestedWith,
    XXsrfToken,
}

/// How many there are.
const NAMES: usize = 22;

/// A name by its ends in lower case: by its first eight octets and its last eight, which overlap, or by its first four and its
/// last four.
#[derive(Clone, Copy, PartialEq)]
struct Ends(u64, u64);

/// The shortest name that is known has so many octets.
const SHORTEST_NAME: usize = 4;

/// A name that is longer has octets between its ends.
const LONGEST_BY_ENDS: usize = 16;

impl Ends {
    /// Of a lower-case name.
    const fn of(name: &str) -> Self {
        match (name.as_bytes().first_chunk(), name.as_bytes().last_chunk()) {
            (Some(first), Some(last)) => Self(u64::from_le_bytes(*first), u64::from_le_bytes(*last)),
            _ => match (name.as_bytes().first_chunk(), name.as_bytes().last_chunk()) {
                (Some(first), Some(last)) => Self(u32::from_le_bytes(*first) as u64, u32::from_le_bytes(*last) as u64),
                _ => panic!("a name of four octets or more"),
            },
        }
    }

    /// Of a name as sent; `None` where a letter cannot be told from another octet, or there are too few.
    #[inline]
    fn of_sent(name: &[u8]) -> Option<Self> {
        if let (Some(first), Some(last)) = (name.first_chunk(), name.last_chunk()) {
            let (first, last) = (u64::from_le_bytes(*first), u64::from_le_bytes(*last));
            return (has_no_control(first) & has_no_control(last)).then_some(Self(lower(first), lower(last)));
        }
        let (first, last) = (u32::from_le_bytes(*name.first_chunk()?), u32::from_le_bytes(*name.last_chunk()?));
        let both = u64::from(first) | u64::from(last) << 32;
        let low = lower(both);
        has_no_control(both).then_some(Self(low & u64::from(u32::MAX), low >> 32))
    }
}

const fn in_each_octet(bits: u8) -> u64 {
    u64::from_ne_bytes([bits; 8])
}

/// Sets the bit by which letters differ in case. Of other octets, those below 0x20 become others that are in names.
#[inline]
fn lower(octets: u64) -> u64 {
    octets | in_each_octet(0x20)
}

/// Whether none of eight octets is below 0x20 (or from 0x80 to 0x9f).
#[inline]
fn has_no_control(octets: u64) -> bool {
    (octets | octets << 1) & in_each_octet(0x40) == in_each_octet(0x40)
}

impl FieldName {
    const ALL: [Self; NAMES] = [
        Self::Accept,
        Self::Authorization,
        Self::ContentEncoding,
        Self::ContentLength,
        Self::ContentType,
        Self::Host,
        Self::IfModifiedSince,
        Self::IfNoneMatch,
        Self::Origin,
        Self::Purpose,
        Self::Referer,
        Self::SecFetchDest,
        Self::SecFetchMode,
        Self::SecPurpose,
        Self::SecWebSocketKey,
        Self::TransferEncoding,
        Self::Upgrade,
        Self::UpgradeInsecureRequests,
        Self::UserAgent,
        Self::XCsrfToken,
        Self::XRequestedWith,
        Self::XXsrfToken,
    ];

    /// In lower case.
    const fn text(self) -> &'static str {
        match self {
            Self::Accept => "accept",
            Self::Authorization => "authorization",
            Self::ContentEncoding => "content-encoding",
            Self::ContentLength => "content-length",
            Self::ContentType => "content-type",
            Self::Host => "host",
            Self::IfModifiedSince => "if-modified-since",
            Self::IfNoneMatch => "if-none-match",
            Self::Origin => "origin",
            Self::Purpose => "purpose",
            Self::Referer => "referer",
            Self::SecFetchDest => "sec-fetch-dest",
            Self::SecFetchMode => "sec-fetch-mode",
            Self::SecPurpose => "sec-purpose",
            Self::SecWebSocketKey => "sec-websocket-key",
            Self::TransferEncoding => "transfer-encoding",
            Self::Upgrade => "upgrade",
            Self::UpgradeInsecureRequests => "upgrade-insecure-requests",
            Self::UserAgent => "user-agent",
            Self::XCsrfToken => "x-csrf-token",
            Self::XRequestedWith => "x-requested-with",
            Self::XXsrfToken => "x-xsrf-token",
        }
    }

    /// Of a name as sent, compared without case (RFC 9110 §5.1).
    #[inline]
    pub(crate) fn of(name: &[u8]) -> Option<Self> {
        const ENDS: [Ends; NAMES] = {
            let mut ends = [Ends(0, 0); NAMES];
            let mut at = 0;
            while at < NAMES {
                assert!(FieldName::ALL[at] as usize == at && FieldName::ALL[at].text().len() >= SHORTEST_NAME);
                ends[at] = Ends::of(FieldName::ALL[at].text());
                at += 1;
            }
            ends
        };
        let ends = Ends::of_sent(name)?;
        let is = |known: Self| ENDS[known as usize] == ends;
        let found = match name.len() {
            4 if is(Self::Host) => Self::Host,
            6 if is(Self::Accept) => Self::Accept,
            6 if is(Self::Origin) => Self::Origin,
            7 if is(Self::Referer) => Self::Referer,
            7 if is(Self::Upgrade) => Self::Upgrade,
            7 if is(Self::Purpose) => Self::Purpose,
            10 if is(Self::UserAgent) => Self::UserAgent,
            11 if is(Self::SecPurpose) => Self::SecPurpose,
            12 if is(Self::ContentType) => Self::ContentType,
            12 if is(Self::XCsrfToken) => Self::XCsrfToken,
            12 if is(Self::XXsrfToken) => Self::XXsrfToken,
            13 if is(Self::Authorization) => Self::Authorization,
            13 if is(Self::IfNoneMatch) => Self::IfNoneMatch,
            14 if is(Self::ContentLength) => Self::ContentLength,
            14 if is(Self::SecFetchDest) => Self::SecFetchDest,
            14 if is(Self::SecFetchMode) => Self::SecFetchMode,
            16 if is(Self::ContentEncoding) => Self::ContentEncoding,
            16 if is(Self::XRequestedWith) => Self::XRequestedWith,
            17 if is(Self::TransferEncoding) => Self::TransferEncoding,
            17 if is(Self::SecWebSocketKey) => Self::SecWebSocketKey,
            17 if is(Self::IfModifiedSince) => Self::IfModifiedSince,
            25 if is(Self::UpgradeInsecureRequests) => Self::UpgradeInsecureRequests,
            _ => return None,
        };
        (name.len() <= LONGEST_BY_ENDS || name.eq_ignore_ascii_case(found.text().as_bytes())).then_some(found)
    }
}

/// Where the fields of known names are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Known {
    /// For each name, the first field of that name: 0 for none, else its number from 1. One that is too far behind is said to
    /// be the last that can be told.
    first: [u8; NAMES],
    /// Names that several fields have.
    repeated: u32,
}

impl Known {
    #[inline]
    fn add(&mut self, name: FieldName, at: usize) {
        let first = &mut self.first[name as usize];
        if *first == 0 {
            *first = u8::try_from(at + 1).unwrap_or(u8::MAX);
        } else {
            self.repeated |= 1 << name as u8;
        }
    }

    #[inline]
    fn is_repeated(&self, name: FieldName) -> bool {
        self.repeated & 1 << name as u8 != 0
    }
}

/// What a head keeps of a field's name.
#[derive(Clone, Copy, Debug)]
pub(crate) enum FieldTag {
    Known(FieldName),
    Other(Others),
}

impl FieldTag {
    /// Of a name that has been looked up.
    #[inline]
    pub(crate) fn of(name: &[u8], known: Option<FieldName>) -> Self {
        known.map_or_else(|| Self::Other(Others::of(name)), Self::Known)
    }
}

/// Which other names a head may have, by a few bits of each: most that are looked for are not there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Others(u64);

impl Others {
    #[inline]
    fn of(name: &[u8]) -> Self {
        let first = name.first().map_or(0, |letter| usize::from(letter & 0x1f));
        Self(1 << ((first + 11 * name.len()) % 64))
    }

    fn may_have(self, name: &[u8]) -> bool {
        self.0 & Self::of(name).0 != 0
    }
}

/// What a head keeps of the names of its field lines.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Lines {
    known: Known,
    others: Others,
    count: usize,
}

impl Lines {
    /// Takes what is kept of the next field's name.
    #[inline]
    pub(crate) fn add(&mut self, tag: FieldTag) {
        match tag {
            FieldTag::Known(known) => self.known.add(known, self.count),
            FieldTag::Other(others) => self.others.0 |= others.0,
        }
        self.count += 1;
    }

    /// The head of these octets, with a span of each part of its start line, and of name and value of each field; those of fields
    /// count from `section` on.
    #[inline]
    pub(crate) fn into_head(self, raw: &[u8], start: [Span; 3], section: u32, fields: &[Field]) -> Head {
        let mut octets = Vec::with_capacity(raw.len() + size_of_val(fields));
        octets.extend_from_slice(raw);
        octets.extend_from_slice(fields.as_flattened());
        let raw_len = u32::try_from(raw.len()).unwrap_or(u32::MAX);
        Head { octets: octets.into_boxed_slice(), raw_len, section, start, known: self.known, others: self.others }
    }
}

impl Head {
    /// What it takes, in octets.
    pub(crate) fn memory(&self) -> usize {
        self.octets.len()
    }

    /// A head from its octets, the three parts of its start line, and (name, value) of its field lines, each a sub-slice
    /// of `raw`; a part that is no such sub-slice reads as empty.
    pub(crate) fn new<'a>(raw: &'a [u8], start: [&'a [u8]; 3], fields: impl Iterator<Item = (&'a [u8], &'a [u8])>) -> Self {
        let base = raw.as_ptr() as usize;
        let span = |part: &[u8]| match (part.as_ptr() as usize).checked_sub(base) {
            Some(offset) if offset + part.len() <= raw.len() => (offset as u32, part.len() as u32),
            _ => (0, 0),
        };
        let mut lines = Lines::default();
        let fields = fields.map(|(name, value)| {
            lines.add(FieldTag::of(name, FieldName::of(name)));
            field(span(name), span(value))
        });
        let fields: Vec<_> = fields.collect();
        lines.into_head(raw, start.map(span), 0, &fields)
    }

    /// Names and values of its fields.
    #[inline]
    fn spans(&self) -> impl ExactSizeIterator<Item = (Span, Span)> {
        self.spans_from(0)
    }

    /// The same from a field on.
    #[inline]
    fn spans_from(&self, number: usize) -> impl ExactSizeIterator<Item = (Span, Span)> {
        let fields = self.octets.get(self.raw_len as usize..).unwrap_or_default().as_chunks::<FIELD>().0;
        fields.get(number..).unwrap_or_default().iter().map(|field| self.spans_of(field))
    }

    #[inline]
    fn spans_of(&self, field: &Field) -> (Span, Span) {
        let (name, value) = spans(field);
        ((self.section + name.0, name.1), (self.section + value.0, value.1))
    }

    #[inline]
    fn part(&self, (offset, len): Span) -> &[u8] {
        self.raw().get(offset as usize..(offset + len) as usize).unwrap_or_default()
    }

    /// The three parts of the start line: method, target, version; or version, status code, reason phrase.
    pub fn start_line(&self) -> [&[u8]; 3] {
        self.start.map(|span| self.part(span))
    }

    /// The first of these parts.
    #[inline]
    pub(crate) fn start_line_part(&self, number: usize) -> &[u8] {
        self.part(self.start[number])
    }

    /// Field lines in order: (name as sent, value without surrounding whitespace).
    pub fn fields(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.spans().map(|(name, value)| (self.part(name), self.part(value)))
    }

    /// Field lines in order, as sent, without their line ends.
    pub fn field_lines(&self) -> impl Iterator<Item = &[u8]> {
        self.spans().map(|((name, name_len), (value, value_len))| {
            let from = name as usize;
            let behind = (name + name_len).max(value + value_len) as usize;
            let rest = self.raw().get(behind..).unwrap_or_default();
            let end = behind + memchr::memchr(b'\n', rest).unwrap_or(rest.len());
            let line = self.raw().get(from..end).unwrap_or_default();
            line.strip_suffix(b"\r").unwrap_or(line)
        })
    }

    /// The first value of a field; names compare without case (RFC 9110 §5.1).
    pub fn field(&self, name: &str) -> Option<&[u8]> {
        match FieldName::of(name.as_bytes()) {
            Some(known) => self.first(known),
            None => self.values(name).next(),
        }
    }

    /// The same of a known name.
    // Always: most that are looked for are not there.
    #[inline(always)]
    pub(crate) fn first(&self, name: FieldName) -> Option<&[u8]> {
        match self.known.first[name as usize] {
            0 => None,
            number => self.first_by(number, name),
        }
    }

    #[inline(always)]
    fn first_by(&self, number: u8, name: FieldName) -> Option<&[u8]> {
        if number == u8::MAX {
            return self.find_first(name);
        }
        let from = self.raw_len as usize + (usize::from(number) - 1) * FIELD;
        self.octets.get(from..)?.first_chunk().map(|field| self.part(self.spans_of(field).1))
    }

    #[cold]
    fn find_first(&self, name: FieldName) -> Option<&[u8]> {
        self.values_of(name).next()
    }

    /// Whether a field of that name is there.
    #[inline]
    pub(crate) fn has(&self, name: FieldName) -> bool {
        self.known.first[name as usize] != 0
    }

    /// Whether several fields have that name.
    #[inline]
    pub(crate) fn has_several(&self, name: FieldName) -> bool {
        self.known.is_repeated(name)
    }

    /// All values of a field, in order.
    pub fn values<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a [u8]> {
        let may_have = match FieldName::of(name.as_bytes()) {
            Some(known) => self.has(known),
            None => self.others.may_have(name.as_bytes()),
        };
        self.values_among(0, if may_have { usize::MAX } else { 0 }, name)
    }

    /// The same of a known name.
    #[inline]
    pub(crate) fn values_of(&self, name: FieldName) -> impl Iterator<Item = &[u8]> {
        let (from, most) = match self.known.first[name as usize] {
            0 => (0, 0),
            number if self.has_several(name) || number == u8::MAX => (usize::from(number) - 1, usize::MAX),
            number => (usize::from(number) - 1, 1),
        };
        self.values_among(from, most, name.text())
    }

    /// The value of a list field over all its field lines (RFC 9110 §5.3).
    pub(crate) fn list(&self, name: FieldName) -> Option<Cow<'_, [u8]>> {
        let mut values = self.values_of(name);
        let mut list = Cow::Borrowed(values.next()?);
        for value in values {
            list.to_mut().extend_from_slice(b", ");
            list.to_mut().extend_from_slice(value);
        }
        Some(list)
    }

    #[inline]
    fn values_among<'a>(&'a self, from: usize, most: usize, name: &str) -> impl Iterator<Item = &'a [u8]> {
        let name = name.as_bytes();
        // Most names differ in their lengths.
        let is_as_long = move |&((_, len), _): &(Span, Span)| len as usize == name.len();
        let same = move |&(found, _): &(Span, Span)| self.part(found).eq_ignore_ascii_case(name);
        self.spans_from(from).take(most).filter(is_as_long).filter(same).map(|(_, value)| self.part(value))
    }

    /// Whether a comma-separated list field holds a token, compared without case (`Connection: keep-alive, Upgrade`).
    pub fn has_token(&self, name: &str, token: &str) -> bool {
        self.values(name).any(|value| has_token(value, token))
    }

    /// The same of a known name.
    #[inline]
    pub(crate) fn has_token_in(&self, name: FieldName, token: &str) -> bool {
        self.has(name) && self.values_of(name).any(|value| has_token(value, token))
    }

    /// Whether it was captured to its empty line.
    pub fn is_whole(&self) -> bool {
        self.raw().ends_with(b"\n\r\n") || self.raw().ends_with(b"\n\n")
    }

    /// All octets, from the start line to the empty line, or as far as they were captured.
    pub fn raw(&self) -> &[u8] {
        self.octets.get(..self.raw_len as usize).unwrap_or_default()
    }
}

fn has_token(value: &[u8], token: &str) -> bool {
    value.split(|&b| b == b',').any(|item| item.trim_ascii().eq_ignore_ascii_case(token.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::account::samples::head;

    #[test]
    fn names_are_known_in_any_case_and_only_as_they_are() {
        for name in FieldName::ALL {
            let text = name.text();
            assert_eq!(FieldName::of(text.as_bytes()), Some(name));
            assert_eq!(FieldName::of(text.to_ascii_uppercase().as_bytes()), Some(name));
            for at in 0..text.len() {
                let mut other = text.as_bytes().to_vec();
                // A hyphen without its bit for case is a CR.
                for changed in [other[at] ^ 0x20, other[at] ^ 0x01, other[at] | 0x80]
                    .into_iter()
                    .filter(|octet| !octet.eq_ignore_ascii_case(&text.as_bytes()[at]))
                {
                    other[at] = changed;
                    assert_ne!(FieldName::of(&other), Some(name), "{}", other.escape_ascii());
                }
            }
        }
    }

    #[test]
    fn fields_are_found_by_name_wherever_they_are() {
        let mut fields = vec![("X-Other", "0"); 300];
        fields[3] = ("Host", "a");
        fields[254] = ("accept", "b");
        fields[255] = ("Origin", "c");
        fields[290] = ("ACCEPT", "d");
        let head = head("GET / HTTP/1.1", &fields);
        let values = |name: FieldName| head.values_of(name).collect::<Vec<_>>();
        assert_eq!((head.first(FieldName::Host), values(FieldName::Host)), (Some(&b"a"[..]), vec![&b"a"[..]]));
        assert_eq!((head.first(FieldName::Accept), values(FieldName::Accept)), (Some(&b"b"[..]), vec![&b"b"[..], b"d"]));
        assert_eq!((head.field("origin"), head.has(FieldName::Referer)), (Some(&b"c"[..]), false));
        assert_eq!((head.field("x-other"), head.values("X-OTHER").count(), head.field("x-none")), (Some(&b"0"[..]), 296, None));
        assert_eq!((head.has_several(FieldName::Accept), head.has_several(FieldName::Host)), (true, false));
    }
}
