//! Content of messages for people: JSON indented, text line by line, anything else as a hex dump; all of it escaped.

use serde::de::IgnoredAny;

use super::field::{Field, bytes, hex_colons};
use crate::message::{Cost, Opcode};
use crate::report::text::{push_safe, safe_bytes};

/// Octets in a line of a hex dump.
const ROW: usize = 16;

/// How much of a message's content is not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cut {
    /// All of it is.
    Nothing,
    /// So many octets more.
    Octets(u64),
    /// Nobody knows how much.
    Unknown,
}

impl Cut {
    pub(super) fn of(sample: &[u8], content_bytes: Option<u64>) -> Self {
        match content_bytes.map(|content| content.saturating_sub(sample.len() as u64)) {
            Some(0) => Self::Nothing,
            Some(more) => Self::Octets(more),
            None => Self::Unknown,
        }
    }

    fn note(self) -> Option<Field> {
        match self {
            Self::Nothing => None,
            Self::Octets(more) => Some(Field::note(format!("[{} more: --content full shows them]", bytes(more)))),
            Self::Unknown => Some(Field::note("[The rest is unknown]")),
        }
    }
}

/// Content of which nothing was kept.
pub(super) fn unknown(cost: &Cost) -> String {
    match cost.content_bytes {
        Some(content) => format!("[Content of {}: --content preview or full shows it]", bytes(content)),
        None => format!("[Content unknown: {} as sent, {} not captured]", bytes(cost.encoded_bytes), bytes(cost.lost_bytes)),
    }
}

/// A content as scripts get it: text where it is UTF-8, otherwise octets in hexadecimal.
pub(super) fn for_scripts(sample: &[u8]) -> String {
    match whole_characters(sample) {
        Some(text) => text.to_owned(),
        None => hex_colons(sample),
    }
}

/// The text of a sample, of which the last character may be cut.
fn whole_characters(sample: &[u8]) -> Option<&str> {
    match str::from_utf8(sample) {
        Ok(text) => Some(text),
        // The beginning of a character at the very end.
        Err(error) if error.error_len().is_none() && error.valid_up_to() > 0 => str::from_utf8(&sample[..error.valid_up_to()]).ok(),
        Err(_) => None,
    }
}

/// The content with a heading, line by line.
pub(super) fn shown(sample: &[u8], cut: Cut, media_type: Option<&str>, opcode: Option<Opcode>) -> Vec<Field> {
    let kind = media_type.map(|kind| format!(": {kind}")).unwrap_or_default();
    let mut field = match whole_characters(sample).filter(|text| opcode == Some(Opcode::Text) || is_text(text)) {
        Some(text) if cut == Cut::Nothing && is_json(text) => json(text, &kind),
        Some(text) => {
            let lines: Vec<_> = text.lines().map(|line| Field::note(safe_line(line))).collect();
            Field::group("data-text-lines", format!("Line-based text data{kind} ({} lines)", lines.len())).with(lines)
        }
        None => Field::group("data", format!("Data{kind} ({})", bytes(sample.len() as u64)))
            .with([Field::hidden("data.len", sample.len().to_string()), Field::hidden("data.data", hex_colons(sample))])
            .with(hex_dump(sample).map(Field::note)),
    };
    field.children.extend(cut.note());
    vec![field]
}

/// A line of text, safe to show; an empty one stays a line.
fn safe_line(line: &str) -> String {
    match line {
        "" => " ".into(),
        line => safe_bytes(line.as_bytes()),
    }
}

/// Whether it reads like text: what has NUL or many controls in it is shown in hexadecimal.
fn is_text(text: &str) -> bool {
    !text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t' | '\u{1b}'))
}

/// An object or an array, as parsers accept it.
fn is_json(text: &str) -> bool {
    matches!(text.trim_start().as_bytes().first(), Some(b'{' | b'[')) && serde_json::from_str::<IgnoredAny>(text).is_ok()
}

fn json(text: &str, kind: &str) -> Field {
    let heading = if kind.is_empty() { String::new() } else { kind.to_owned() };
    Field::group("json", format!("JavaScript Object Notation{heading}")).with(indented(text).into_iter().map(Field::note))
}

/// JSON with a line for each member, its texts and numbers as they were sent.
pub(super) fn indented(text: &str) -> Vec<String> {
    let mut lines = Vec::new();
    let (mut line, mut depth) = (String::new(), 0usize);
    let mut octets = text.char_indices().peekable();
    while let Some((at, c)) = octets.next() {
        match c {
            '"' => {
                let mut end = at + 1;
                let mut is_escaped = false;
                for (at, c) in octets.by_ref() {
                    end = at + c.len_utf8();
                    match c {
                        '"' if !is_escaped => break,
                        '\\' => is_escaped = !is_escaped,
                        _ => is_escaped = false,
                    }
                }
                push_safe(&mut line, &text.as_bytes()[at..end]);
            }
            '{' | '[' => {
                line.push(c);
                while octets.next_if(|(_, c)| c.is_ascii_whitespace()).is_some() {}
                if let Some((_, close)) = octets.next_if(|(_, next)| matches!(next, '}' | ']')) {
                    line.push(close);
                } else {
                    depth += 1;
                    end_line(&mut lines, &mut line, depth);
                }
            }
            '}' | ']' => {
                depth = depth.saturating_sub(1);
                end_line(&mut lines, &mut line, depth);
                line.push(c);
            }
            ',' => {
                line.push(c);
                end_line(&mut lines, &mut line, depth);
            }
            ':' => line.push_str(": "),
            c if c.is_ascii_whitespace() => {}
            c => push_safe(&mut line, c.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    lines.push(line);
    lines
}

/// Puts the line away and begins the next one.
fn end_line(lines: &mut Vec<String>, line: &mut String, depth: usize) {
    lines.push(std::mem::replace(line, "  ".repeat(depth)));
}

/// Lines such as `0010  68 65 6c 6c 6f                                   hello`.
pub(super) fn hex_dump(octets: &[u8]) -> impl Iterator<Item = String> {
    octets.chunks(ROW).enumerate().map(|(row, octets)| {
        let hex: Vec<_> = octets.iter().map(|octet| format!("{octet:02x}")).collect();
        let text: String = octets.iter().map(|&octet| if matches!(octet, b' '..=b'~') { char::from(octet) } else { '.' }).collect();
        format!("{:04x}  {:<47}  {text}", row * ROW, hex.join(" "))
    })
}

/// What a message cost, for scripts.
pub(super) fn cost_fields(cost: &Cost) -> Vec<Field> {
    let field = |name: &'static str, len: u64| Field::hidden(name, len.to_string());
    let mut fields = vec![
        field("wiretare.message.wire_bytes", cost.wire_bytes()),
        field("wiretare.message.framing_bytes", cost.framing_bytes),
        field("wiretare.message.encoded_bytes", cost.encoded_bytes),
        field("wiretare.message.first_frame", cost.provenance.first.number),
    ];
    fields.extend(cost.content_bytes.map(|content| field("wiretare.message.content_bytes", content)));
    fields
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn json_is_indented_and_what_it_says_is_left_alone() {
        let lines = indented(r#"{"a" : [1,2.50, {}], "b":"x:{,}\"\\","c":[ ]}"#);
        let expected = ["{", r#"  "a": ["#, "    1,", "    2.50,", "    {}", "  ],", r#"  "b": "x:{,}\"\\","#, r#"  "c": []"#, "}"];
        assert_eq!(lines, expected);
    }

    #[test]
    fn what_could_drive_a_terminal_is_escaped_in_json_too() {
        assert_eq!(indented("[\"a\u{202e}b\"]"), ["[", "  \"a\\u{202e}b\"", "]"]);
    }

    #[test]
    fn octets_are_dumped_with_their_offsets() {
        let lines: Vec<_> = hex_dump(b"0123456789abcdef\x00~").collect();
        assert_eq!(lines[0], "0000  30 31 32 33 34 35 36 37 38 39 61 62 63 64 65 66  0123456789abcdef");
        assert_eq!(lines[1], "0010  00 7e                                            .~");
    }

    proptest! {
        #[test]
        fn any_content_is_shown_without_controls(octets: Vec<u8>) {
            let mut shown_lines = Vec::new();
            super::super::append_tree(&shown(&octets, Cut::Nothing, None, None), &mut shown_lines);
            super::super::append_tree(&shown(&octets, Cut::Octets(1), None, Some(Opcode::Text)), &mut shown_lines);
            prop_assert!(String::from_utf8(shown_lines).expect("UTF-8").chars().all(|c| c == '\n' || !c.is_control()));
        }
    }
}
