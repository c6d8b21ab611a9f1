//! Text from the network, made safe to print.

use std::fmt::Write;

/// Octets from the network as text that cannot steer a terminal or reorder a line: control characters (C0, DEL, C1), marks
/// that change direction and line separators appear as `\u{1b}`, invalid UTF-8 as `\xff`.
pub fn safe_bytes(octets: &[u8]) -> String {
    let mut safe = String::with_capacity(octets.len());
    for chunk in octets.utf8_chunks() {
        push_safe(&mut safe, chunk.valid());
        for byte in chunk.invalid() {
            let _ = write!(safe, "\\x{byte:02x}");
        }
    }
    safe
}

/// Text from the network as [`safe_bytes`] gives it.
pub fn safe(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    push_safe(&mut safe, text);
    safe
}

fn push_safe(safe: &mut String, text: &str) {
    for c in text.chars() {
        match is_unsafe(c) {
            true => drop(write!(safe, "\\u{{{:x}}}", u32::from(c))),
            false => safe.push(c),
        }
    }
}

fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{61c}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}')
}

/// At most `width` characters, the last an ellipsis where something was cut.
pub fn shorten(text: &str, width: usize) -> String {
    match text.char_indices().nth(width) {
        None => text.to_owned(),
        Some(_) => text.chars().take(width.saturating_sub(1)).chain(['…']).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_from_the_network_steers_the_terminal() {
        assert_eq!(safe_bytes(b"a\x1b[2J\x7f\xff\xc2\x85"), "a\\u{1b}[2J\\u{7f}\\xff\\u{85}");
        assert_eq!(safe("x\u{202e}cod.exe\u{2066}\n"), "x\\u{202e}cod.exe\\u{2066}\\u{a}");
        assert_eq!(safe("Zürich – 東京"), "Zürich – 東京");
        assert_eq!(shorten("abcdef", 4), "abc…");
    }
}
