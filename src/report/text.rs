//! Text of the network made safe to show: a capture must not drive the reader's terminal.

use std::fmt::Write;

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Octets of the network as text that only shows itself: control characters, escape sequences and marks that turn the
/// direction of text come out as `\n`, `\u{1b}` and the like, octets that are not UTF-8 as `\xff`.
pub fn safe_bytes(octets: &[u8]) -> String {
    let mut safe = String::with_capacity(octets.len());
    push_safe(&mut safe, octets);
    safe
}

/// Text of the network as [`safe_bytes`] shows it.
pub fn safe(text: &str) -> String {
    safe_bytes(text.as_bytes())
}

/// Appends octets of the network as [`safe_bytes`] shows them.
pub fn push_safe(safe: &mut String, octets: &[u8]) {
    for chunk in octets.utf8_chunks() {
        for c in chunk.valid().chars() {
            match c {
                '\n' => safe.push_str("\\n"),
                '\r' => safe.push_str("\\r"),
                '\t' => safe.push_str("\\t"),
                c if is_hostile(c) => write!(safe, "\\u{{{:x}}}", u32::from(c)).expect("a String takes every write"),
                c => safe.push(c),
            }
        }
        for octet in chunk.invalid() {
            write!(safe, "\\x{octet:02x}").expect("a String takes every write");
        }
    }
}

/// C0 and C1 controls, DEL, line separators, marks and overrides of direction (UAX #9), invisible operators, annotations,
/// the byte order mark, tags. The two joiners stay: Persian and emoji are written with them.
fn is_hostile(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}')
        || matches!(c, '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// Text cut to a number of terminal columns; what was cut ends in an ellipsis.
pub fn shorten(text: &str, columns: usize) -> String {
    if text.len() <= columns || text.width() <= columns {
        return text.to_owned();
    }
    let Some(room) = columns.checked_sub(1) else { return String::new() };
    let mut used = 0;
    // Marks that combine with the character before have no width, so they stay with it.
    let kept = text.char_indices().take_while(|&(_, c)| {
        used += c.width().unwrap_or(0);
        used <= room
    });
    let end = kept.last().map_or(0, |(at, c)| at + c.len_utf8());
    format!("{}…", &text[..end])
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_could_drive_a_terminal_is_shown_instead() {
        assert_eq!(safe_bytes("plain é 漢 😀".as_bytes()), "plain é 漢 😀");
        assert_eq!(safe_bytes(b"\x1b[2J\x1b]0;title\x07"), r"\u{1b}[2J\u{1b}]0;title\u{7}");
        assert_eq!(safe_bytes("a\r\nb\tc\u{9b}1m\x7f".as_bytes()), r"a\r\nb\tc\u{9b}1m\u{7f}");
        assert_eq!(safe_bytes("user\u{202e}gpj.exe\u{2069}\u{feff}".as_bytes()), r"user\u{202e}gpj.exe\u{2069}\u{feff}");
        assert_eq!(safe_bytes(b"caf\xe9\xff"), r"caf\xe9\xff");
    }

    #[test]
    fn text_is_cut_by_columns_not_by_octets() {
        assert_eq!(shorten("abcdef", 6), "abcdef");
        assert_eq!(shorten("abcdef", 5), "abcd…");
        assert_eq!(shorten("ééééé", 5), "ééééé");
        // Each of these takes two columns: two of them and the ellipsis are five.
        assert_eq!(shorten("漢字漢字", 6), "漢字…");
        assert_eq!(shorten("漢字漢字", 5), "漢字…");
        assert_eq!(shorten("e\u{301}e\u{301}e\u{301}", 2), "e\u{301}…");
        assert_eq!(shorten("abc", 1), "…");
        assert_eq!(shorten("abc", 0), "");
    }

    proptest! {
        #[test]
        fn whatever_the_network_sent_fits_and_holds_no_control(octets: Vec<u8>, columns in 0usize..40) {
            let shown = safe_bytes(&octets);
            prop_assert!(!shown.chars().any(is_hostile));
            let cut = shorten(&shown, columns);
            prop_assert!(cut.width() <= columns, "{cut:?} in {columns}");
        }
    }
}
