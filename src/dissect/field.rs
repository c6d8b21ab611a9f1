//! What is shown of a frame, as a tree of fields: one tree for people to read and for scripts, so that both say the same.

use std::borrow::Cow;

use crate::report::encode::escaped;

/// A field, or a layer, with what is inside it. Names are those of Wireshark's display filter reference.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Field {
    /// Such as `tcp.srcport`; empty for what only people are to see.
    pub name: Cow<'static, str>,
    /// The value as Wireshark's JSON has it; `None` for what only holds other fields.
    pub value: Option<String>,
    /// The line for people, safe to show; empty for what only scripts are to see.
    pub label: String,
    /// What is inside it.
    pub children: Vec<Field>,
}

impl Field {
    /// A field with a value.
    pub(super) fn new(name: impl Into<Cow<'static, str>>, value: impl Into<String>, label: impl Into<String>) -> Self {
        Self { name: name.into(), value: Some(value.into()), label: label.into(), children: Vec::new() }
    }

    /// A layer, or a field that only holds others.
    pub(super) fn group(name: impl Into<Cow<'static, str>>, label: impl Into<String>) -> Self {
        Self { name: name.into(), value: None, label: label.into(), children: Vec::new() }
    }

    /// A line that only people are to see.
    pub(super) fn note(label: impl Into<String>) -> Self {
        Self { label: label.into(), ..Self::default() }
    }

    /// A value that only scripts are to see.
    pub(super) fn hidden(name: impl Into<Cow<'static, str>>, value: impl Into<String>) -> Self {
        Self { name: name.into(), value: Some(value.into()), ..Self::default() }
    }

    pub(super) fn with(mut self, children: impl IntoIterator<Item = Self>) -> Self {
        self.children.extend(children);
        self
    }

    pub(super) fn push(&mut self, child: Self) {
        self.children.push(child);
    }

    fn append_lines(&self, depth: usize, out: &mut Vec<u8>) {
        let inside = if self.label.is_empty() { depth } else { depth + 1 };
        if !self.label.is_empty() {
            out.resize(out.len() + 4 * depth, b' ');
            out.extend_from_slice(self.label.as_bytes());
            out.push(b'\n');
        }
        self.children.iter().for_each(|child| child.append_lines(inside, out));
    }
}

/// Appends fields for people: a line each, those inside another indented.
pub fn append_tree(fields: &[Field], out: &mut Vec<u8>) {
    fields.iter().for_each(|field| field.append_lines(0, out));
}

/// Appends fields as one JSON object. A name that comes again gets an array; what is inside a field with a value stands
/// beside it, under its name and `_tree`.
pub fn append_json(fields: &[Field], out: &mut Vec<u8>) {
    let mut members = Members::default();
    members.add(fields);
    members.append(out);
}

/// The members of an object, in the order in which their names appear first. There are a few dozen at most, however many
/// lines a header section has, so looking through them is the fastest way to find one.
#[derive(Default)]
struct Members<'a>(Vec<(Cow<'a, str>, Vec<Member<'a>>)>);

enum Member<'a> {
    Text(&'a str),
    Object(&'a [Field]),
}

impl<'a> Members<'a> {
    fn add(&mut self, fields: &'a [Field]) {
        for field in fields {
            if field.name.is_empty() {
                self.add(&field.children);
                continue;
            }
            let name = Cow::Borrowed(&*field.name);
            match &field.value {
                None => self.insert(name, Member::Object(&field.children)),
                Some(value) => {
                    self.insert(name, Member::Text(value));
                    if field.children.iter().any(has_name) {
                        self.insert(Cow::Owned(format!("{}_tree", field.name)), Member::Object(&field.children));
                    }
                }
            }
        }
    }

    fn insert(&mut self, name: Cow<'a, str>, member: Member<'a>) {
        match self.0.iter_mut().rev().find(|(known, _)| *known == name) {
            Some((_, known)) => known.push(member),
            None => self.0.push((name, vec![member])),
        }
    }

    fn append(&self, out: &mut Vec<u8>) {
        out.push(b'{');
        for (at, (name, members)) in self.0.iter().enumerate() {
            if at > 0 {
                out.push(b',');
            }
            append_text(name, out);
            out.push(b':');
            match &members[..] {
                [one] => one.append(out),
                several => {
                    out.push(b'[');
                    for (at, member) in several.iter().enumerate() {
                        if at > 0 {
                            out.push(b',');
                        }
                        member.append(out);
                    }
                    out.push(b']');
                }
            }
        }
        out.push(b'}');
    }
}

impl Member<'_> {
    fn append(&self, out: &mut Vec<u8>) {
        match self {
            Self::Text(text) => append_text(text, out),
            Self::Object(fields) => append_json(fields, out),
        }
    }
}

fn has_name(field: &Field) -> bool {
    !field.name.is_empty() || field.children.iter().any(has_name)
}

fn append_text(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    escaped(out, text.as_bytes());
    out.push(b'"');
}

/// Bits of a number of `width` bits as Wireshark draws them: those of the mask as digits, the others as dots.
pub(super) fn bits(value: u32, mask: u32, width: u32) -> String {
    let mut drawn = String::with_capacity(width as usize * 5 / 4);
    for bit in (0..width).rev() {
        drawn.push(match (mask >> bit & 1, value >> bit & 1) {
            (0, _) => '.',
            (_, 0) => '0',
            (_, _) => '1',
        });
        if bit > 0 && bit % 4 == 0 {
            drawn.push(' ');
        }
    }
    drawn
}

/// Octets in hexadecimal.
pub(super) fn hex(octets: &[u8]) -> String {
    joined(octets, "")
}

/// Octets in hexadecimal, parted by colons, as Wireshark's JSON has them.
pub(super) fn hex_colons(octets: &[u8]) -> String {
    joined(octets, ":")
}

fn joined(octets: &[u8], between: &str) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = String::with_capacity(octets.len() * (2 + between.len()));
    for (at, &octet) in octets.iter().enumerate() {
        if at > 0 {
            text.push_str(between);
        }
        text.push(char::from(DIGITS[usize::from(octet >> 4)]));
        text.push(char::from(DIGITS[usize::from(octet & 15)]));
    }
    text
}

/// `1 byte`, `2 bytes`.
pub(super) fn bytes(count: u64) -> String {
    if count == 1 { "1 byte".into() } else { format!("{count} bytes") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_are_drawn_as_wireshark_draws_them() {
        assert_eq!(bits(0xc1, 0x80, 8), "1... ....");
        assert_eq!(bits(0xc1, 0x70, 8), ".100 ....");
        assert_eq!(bits(0x4000, 0x1fff, 16), "...0 0000 0000 0000");
        assert_eq!(bits(0x18, 0x010, 12), ".... ...1 ....");
    }

    #[test]
    fn name_that_comes_again_gets_an_array_and_values_keep_what_is_inside() {
        let fields = [
            Field::new("a.port", "1", "Port: 1"),
            Field::note("[for people]").with([Field::hidden("a.b", "x\"\u{1b}")]),
            Field::new("a.port", "2", "Port: 2").with([Field::new("a.bit", "1", "1... = Bit")]),
            Field::group("a.tree", "Tree").with([Field::note("nothing")]),
        ];
        let mut json = Vec::new();
        append_json(&fields, &mut json);
        assert_eq!(
            String::from_utf8(json).expect("UTF-8"),
            r#"{"a.port":["1","2"],"a.b":"x\"\u001b","a.port_tree":{"a.bit":"1"},"a.tree":{}}"#
        );
        let mut tree = Vec::new();
        append_tree(&fields, &mut tree);
        assert_eq!(String::from_utf8(tree).expect("UTF-8"), "Port: 1\n[for people]\nPort: 2\n    1... = Bit\nTree\n    nothing\n");
    }
}
