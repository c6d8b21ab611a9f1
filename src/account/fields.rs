//! What header fields cost, by name.

use std::collections::HashMap;
use std::ops::AddAssign;

use foldhash::fast::FixedState;

use crate::message::Head;

/// Different names kept: the first ones in alphabetical order, so that merging in any order keeps the same.
const NAMES: usize = 256;

/// Octets of a name; what is longer is told apart by no more than these.
const MAX_NAME: usize = 64;

/// Field lines of a name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FieldTotals {
    /// Field lines.
    pub lines: u64,
    /// Their octets, line ends included.
    pub bytes: u64,
}

impl AddAssign for FieldTotals {
    fn add_assign(&mut self, other: Self) {
        self.lines += other.lines;
        self.bytes += other.bytes;
    }
}

/// The fields of many header sections.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fields {
    /// By name in lower case.
    names: HashMap<Box<[u8]>, FieldTotals, FixedState>,
    /// The last of them in alphabetical order, once as many are there as are kept.
    last: Option<Box<[u8]>>,
    /// Those that are not kept by name.
    other: FieldTotals,
}

impl Fields {
    /// Adds the fields of a header section.
    pub(super) fn add(&mut self, head: &Head) {
        // Who ends the section with LF alone (RFC 9112 §2.2) ends its lines so.
        let line_end = if head.raw().ends_with(b"\n") && !head.raw().ends_with(b"\r\n") { 1 } else { 2 };
        for ((name, _), line) in head.fields().zip(head.field_lines()) {
            let mut lower = [0; MAX_NAME];
            let lower = &mut lower[..name.len().min(MAX_NAME)];
            lower.copy_from_slice(&name[..lower.len()]);
            lower.make_ascii_lowercase();
            self.add_totals(lower, FieldTotals { lines: 1, bytes: line.len() as u64 + line_end });
        }
    }

    fn add_totals(&mut self, name: &[u8], totals: FieldTotals) {
        if let Some(known) = self.names.get_mut(name) {
            *known += totals;
            return;
        }
        self.add_name(name, totals);
    }

    #[cold]
    fn add_name(&mut self, name: &[u8], totals: FieldTotals) {
        if self.last.as_deref().is_some_and(|last| name > last) {
            self.other += totals;
            return;
        }
        self.names.insert(name.into(), totals);
        if let Some(dropped) = self.last.take().and_then(|last| self.names.remove(&last)) {
            self.other += dropped;
        }
        if self.names.len() >= NAMES {
            self.last = self.names.keys().max().cloned();
        }
    }

    /// Names and what they cost, those with the most octets first.
    pub fn by_bytes(&self) -> Vec<(&[u8], FieldTotals)> {
        let mut all: Vec<_> = self.names.iter().map(|(name, &totals)| (&**name, totals)).collect();
        all.sort_unstable_by(|(a, x), (b, y)| y.bytes.cmp(&x.bytes).then_with(|| a.cmp(b)));
        all
    }

    /// Those that are not kept by name.
    pub fn other(&self) -> FieldTotals {
        self.other
    }

    /// What one name costs.
    pub fn of(&self, name: &str) -> FieldTotals {
        self.names.get(name.as_bytes()).copied().unwrap_or_default()
    }
}

impl AddAssign<&Self> for Fields {
    fn add_assign(&mut self, other: &Self) {
        other.names.iter().for_each(|(name, &totals)| self.add_totals(name, totals));
        self.other += other.other;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::account::samples::request;

    #[test]
    fn names_are_told_apart_without_case() {
        let mut fields = Fields::default();
        fields.add(&request("GET / HTTP/1.1", &[("Host", "a"), ("Cookie", "x=1")]).head);
        fields.add(&request("GET / HTTP/1.1", &[("host", "ab")]).head);
        // `Cookie: x=1` CRLF is 13 octets, `Host: a` CRLF 9, `host: ab` CRLF 10.
        let expected = [(&b"host"[..], FieldTotals { lines: 2, bytes: 19 }), (b"cookie", FieldTotals { lines: 1, bytes: 13 })];
        assert_eq!(fields.by_bytes(), expected);
        // A line that ends with LF alone.
        let mut bare = Fields::default();
        let raw = b"GET / HTTP/1.1\nHost: a\n\n";
        bare.add(&Head::new(raw, [&raw[..3], &raw[4..5], &raw[6..14]], [(&raw[15..19], &raw[21..22])].into_iter()));
        assert_eq!(bare.by_bytes(), [(&b"host"[..], FieldTotals { lines: 1, bytes: 8 })]);
    }

    #[test]
    fn too_many_names_are_the_same_in_any_order() {
        let names: Vec<String> = (0..600).map(|number| format!("x-{number:04}")).collect();
        let of = |names: &mut dyn Iterator<Item = &String>| {
            let mut fields = Fields::default();
            names.for_each(|name| fields.add_totals(name.as_bytes(), FieldTotals { lines: 1, bytes: name.len() as u64 }));
            fields
        };
        let whole = of(&mut names.iter());
        assert_eq!((whole.names.len(), whole.other.lines), (NAMES, 600 - NAMES as u64));
        assert_eq!(of(&mut names.iter().rev()), whole);
        let mut merged = of(&mut names[300..].iter());
        merged += &of(&mut names[..300].iter());
        assert_eq!(merged, whole);
    }
}
