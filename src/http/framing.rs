//! What header fields say of a message's content (RFC 9112 §6): how its end is found, and under which codings it is.

use std::borrow::Cow;

use crate::anomaly::{AnomalyKind, AnomalySet};
use crate::message::{FieldName, Head};

/// How the end of a message's content is found (RFC 9112 §6.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Framing {
    /// There is none.
    None,
    /// That many octets.
    Length(u64),
    /// Chunks (RFC 9112 §7.1).
    Chunked,
    /// All until the connection closes.
    UntilClose,
}

impl Framing {
    /// Of a request; what is odd about its lengths is added to `anomalies`.
    pub(super) fn of_request(head: &Head, anomalies: &mut AnomalySet) -> Self {
        match (transfer_coding(head), content_length(head, anomalies)) {
            (Some(TransferCoding::EndsChunked), length) => chunked(length, anomalies),
            // RFC 9112 §6.3: the length cannot be told; a server answers 400.
            (Some(TransferCoding::Other), _) => {
                anomalies.insert(AnomalyKind::MalformedHttpHead);
                Self::None
            }
            (None, Length::Known(length)) => Self::Length(length),
            (None, Length::Absent | Length::Invalid) => Self::None,
        }
    }

    /// Of the final response to a request of this method (`None`: not captured).
    pub(super) fn of_response(method: Option<&[u8]>, status: u16, head: &Head, anomalies: &mut AnomalySet) -> Self {
        let connected = method == Some(b"CONNECT") && (200..300).contains(&status);
        if method == Some(b"HEAD") || connected || matches!(status, 100..200 | 204 | 304) {
            return Self::None;
        }
        match (transfer_coding(head), content_length(head, anomalies)) {
            (Some(TransferCoding::EndsChunked), length) => chunked(length, anomalies),
            (Some(TransferCoding::Other), _) => Self::UntilClose,
            (None, Length::Known(length)) => Self::Length(length),
            (None, Length::Absent | Length::Invalid) => Self::UntilClose,
        }
    }
}

fn chunked(length: Length, anomalies: &mut AnomalySet) -> Framing {
    match length {
        Length::Absent => {}
        Length::Known(_) | Length::Invalid => anomalies.insert(AnomalyKind::TransferEncodingAndContentLength),
    }
    Framing::Chunked
}

enum TransferCoding {
    EndsChunked,
    Other,
}

/// The last transfer coding but `identity`, which RFC 2616 had and some still send.
fn transfer_coding(head: &Head) -> Option<TransferCoding> {
    if !head.has(FieldName::TransferEncoding) {
        return None;
    }
    let last = transfer_codings(head).last()?;
    Some(if last.eq_ignore_ascii_case(b"chunked") { TransferCoding::EndsChunked } else { TransferCoding::Other })
}

fn transfer_codings(head: &Head) -> impl Iterator<Item = &[u8]> {
    head.values_of(FieldName::TransferEncoding)
        .flat_map(|value| value.split(|&b| b == b','))
        .map(<[u8]>::trim_ascii)
        .filter(|coding| !coding.is_empty() && !coding.eq_ignore_ascii_case(b"identity"))
}

enum Length {
    Absent,
    Known(u64),
    Invalid,
}

/// The Content-Length: of several values all must be equal (RFC 9112 §6.3 item 5); else the first valid one is taken, and
/// the anomaly says so.
fn content_length(head: &Head, anomalies: &mut AnomalySet) -> Length {
    // As in nearly all heads.
    if !head.has_several(FieldName::ContentLength) {
        match head.first(FieldName::ContentLength).map(decimal) {
            None => return Length::Absent,
            Some(Some(length)) => return Length::Known(length),
            Some(None) => {}
        }
    }
    let mut values =
        head.values_of(FieldName::ContentLength).flat_map(|value| value.split(|&b| b == b',')).map(|value| decimal(value.trim_ascii()));
    let Some(first) = values.next() else { return Length::Absent };
    let mut length = first;
    let mut conflict = first.is_none();
    for value in values {
        conflict |= value != first;
        length = length.or(value);
    }
    if conflict {
        anomalies.insert(AnomalyKind::ConflictingContentLength);
    }
    length.map_or(Length::Invalid, Length::Known)
}

/// The length that a header section declares, whatever else is odd about it.
pub(super) fn declared_length(head: &Head) -> Option<u64> {
    match content_length(head, &mut AnomalySet::default()) {
        Length::Known(length) => Some(length),
        Length::Absent | Length::Invalid => None,
    }
}

fn decimal(digits: &[u8]) -> Option<u64> {
    number(digits, 10)
}

/// An unsigned number of one or more digits; `None` when it is anything else or beyond 2⁶⁴ − 1.
pub(super) fn number(digits: &[u8], radix: u32) -> Option<u64> {
    if digits.is_empty() {
        return None;
    }
    digits.iter().try_fold(0u64, |number, &digit| {
        let digit = char::from(digit).to_digit(radix)?;
        number.checked_mul(u64::from(radix))?.checked_add(u64::from(digit))
    })
}

/// The codings that a message's content is under, in the order in which they were applied: Content-Encoding, then what
/// Transfer-Encoding adds before `chunked`.
pub(super) fn content_codings(head: &Head) -> Cow<'_, [u8]> {
    if !head.has(FieldName::TransferEncoding) && !head.has_several(FieldName::ContentEncoding) {
        return Cow::Borrowed(head.first(FieldName::ContentEncoding).unwrap_or_default());
    }
    let transfer = || transfer_codings(head).filter(|coding| !coding.eq_ignore_ascii_case(b"chunked"));
    let mut codings = head.values_of(FieldName::ContentEncoding).chain(transfer());
    match (codings.next(), codings.next()) {
        (None, _) => Cow::Borrowed(b""),
        (Some(only), None) => Cow::Borrowed(only),
        (Some(first), Some(second)) => {
            let mut all = [first, second].join(&b", "[..]);
            for coding in codings {
                all.extend_from_slice(b", ");
                all.extend_from_slice(coding);
            }
            Cow::Owned(all)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::head::{Role, parse};

    const CONFLICT: &[AnomalyKind] = &[AnomalyKind::ConflictingContentLength];
    const BOTH: &[AnomalyKind] = &[AnomalyKind::TransferEncodingAndContentLength];

    fn head(role: Role, start: &str, fields: &str) -> Head {
        let lines: String = fields.split('|').filter(|line| !line.is_empty()).map(|line| format!("{line}\r\n")).collect();
        parse(role, format!("{start}\r\n{lines}\r\n").as_bytes()).expect("a head").head
    }

    #[test]
    fn response_framing_follows_rfc_9112_section_6_3() {
        let cases: [(&str, u16, &str, Framing, &[AnomalyKind]); 18] = [
            ("GET", 200, "Content-Length: 5", Framing::Length(5), &[]),
            ("HEAD", 200, "Content-Length: 5", Framing::None, &[]),
            ("HEAD", 200, "Transfer-Encoding: chunked", Framing::None, &[]),
            ("GET", 304, "Content-Length: 5", Framing::None, &[]),
            ("GET", 204, "Content-Length: 5", Framing::None, &[]),
            ("GET", 101, "Content-Length: 5", Framing::None, &[]),
            ("CONNECT", 200, "Content-Length: 5", Framing::None, &[]),
            ("CONNECT", 502, "Content-Length: 5", Framing::Length(5), &[]),
            ("GET", 200, "", Framing::UntilClose, &[]),
            ("GET", 200, "Transfer-Encoding: gzip, Chunked", Framing::Chunked, &[]),
            ("GET", 200, "Transfer-Encoding: gzip|Transfer-Encoding: chunked", Framing::Chunked, &[]),
            ("GET", 200, "Transfer-Encoding: gzip", Framing::UntilClose, &[]),
            ("GET", 200, "Transfer-Encoding: identity|Content-Length: 5", Framing::Length(5), &[]),
            ("GET", 200, "Content-Length: 5|Transfer-Encoding: chunked", Framing::Chunked, BOTH),
            ("GET", 200, "Content-Length: 5, 5|Content-Length: 5", Framing::Length(5), &[]),
            ("GET", 200, "Content-Length: 5|Content-Length: 6", Framing::Length(5), CONFLICT),
            ("GET", 200, "Content-Length: +5", Framing::UntilClose, CONFLICT),
            ("GET", 200, "Content-Length: 18446744073709551616", Framing::UntilClose, CONFLICT),
        ];
        for (method, status, fields, framing, expected) in cases {
            let head = head(Role::Response, &format!("HTTP/1.1 {status} X"), fields);
            let mut anomalies = AnomalySet::EMPTY;
            assert_eq!(Framing::of_response(Some(method.as_bytes()), status, &head, &mut anomalies), framing, "{method} {status} {fields}");
            assert_eq!(anomalies, expected.iter().copied().collect(), "{method} {status} {fields}");
        }
    }

    #[test]
    fn request_framing_follows_rfc_9112_section_6_3() {
        let cases: [(&str, Framing, &[AnomalyKind]); 6] = [
            ("", Framing::None, &[]),
            ("Content-Length: 5", Framing::Length(5), &[]),
            ("Transfer-Encoding: chunked", Framing::Chunked, &[]),
            ("Transfer-Encoding: gzip", Framing::None, &[AnomalyKind::MalformedHttpHead]),
            ("Content-Length: x", Framing::None, CONFLICT),
            ("Content-Length: 5|Transfer-Encoding: chunked", Framing::Chunked, BOTH),
        ];
        for (fields, framing, expected) in cases {
            let mut anomalies = AnomalySet::EMPTY;
            assert_eq!(Framing::of_request(&head(Role::Request, "POST / HTTP/1.1", fields), &mut anomalies), framing, "{fields}");
            assert_eq!(anomalies, expected.iter().copied().collect(), "{fields}");
        }
    }

    #[test]
    fn codings_are_listed_in_the_order_in_which_they_were_applied() {
        for (fields, codings) in [
            ("", &b""[..]),
            ("Content-Encoding: gzip", b"gzip"),
            ("Content-Encoding: deflate|Content-Encoding: br", b"deflate, br"),
            ("Transfer-Encoding: gzip, chunked|Content-Encoding: br", b"br, gzip"),
        ] {
            assert_eq!(*content_codings(&head(Role::Response, "HTTP/1.1 200 OK", fields)), *codings, "{fields}");
        }
    }
}
