//! Text of the network made safe to show: a capture must not drive the reader's terminal.

use std::fmt::Write;

use unicode_segmentation::UnicodeSegmentation;
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
/// the byte order mark, tags, and the two that XML does not allow. The two joiners stay: Persian and emoji are written with them.
fn is_hostile(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}')
        || matches!(c, '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{fffe}' | '\u{ffff}' | '\u{e0000}'..='\u{e007f}')
}

/// Text cut to a number of terminal columns; what was cut ends in an ellipsis. No escape, no character with its marks and no
/// joined emoji is cut in two.
pub fn shorten(text: &str, columns: usize) -> String {
    if text.len() <= columns {
        return text.to_owned();
    }
    let Some(room) = columns.checked_sub(1) else { return String::new() };
    let (mut used, mut at, mut end) = (0, 0, 0);
    for atom in atoms(text) {
        used += width_of_atom(atom);
        if used > columns {
            return format!("{}…", &text[..end]);
        }
        at += atom.len();
        if used <= room {
            end = at;
        }
    }
    text.to_owned()
}

/// Text of which the middle is left out where it takes more than a number of terminal columns: of a file, host or target both ends
/// say what it is.
pub(super) fn shorten_middle(text: &str, columns: usize) -> String {
    if width(text) <= columns {
        return text.to_owned();
    }
    let Some(room) = columns.checked_sub(1) else { return String::new() };
    let atoms: Vec<&str> = atoms(text).collect();
    let fitting = |atoms: &mut dyn Iterator<Item = &&str>, room: usize| {
        let mut left = room;
        atoms.map_while(|atom| left.checked_sub(width_of_atom(atom)).map(|rest| left = rest)).count()
    };
    let head = fitting(&mut atoms.iter(), room.div_ceil(2));
    let tail = fitting(&mut atoms[head..].iter().rev(), room / 2);
    format!("{}…{}", atoms[..head].concat(), atoms[atoms.len() - tail..].concat())
}

/// Terminal columns that text takes at most.
pub(super) fn width(text: &str) -> usize {
    if text.is_ascii() { text.len() } else { atoms(text).map(width_of_atom).sum() }
}

/// What must not be cut: an escape as [`push_safe`] writes it, else a character with all that belongs to it (UAX #29).
fn atoms(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let len = escape_len(rest.as_bytes()).or_else(|| rest.graphemes(true).next().map(str::len))?;
        let (atom, behind) = rest.split_at(len);
        rest = behind;
        Some(atom)
    })
}

/// Terminals differ in what they join: what all of its parts would take.
fn width_of_atom(atom: &str) -> usize {
    atom.width().max(atom.chars().map(|c| c.width().unwrap_or(0)).sum())
}

fn escape_len(text: &[u8]) -> Option<usize> {
    match text {
        [b'\\', b'n' | b'r' | b't', ..] => Some(2),
        [b'\\', b'x', a, b, ..] if a.is_ascii_hexdigit() && b.is_ascii_hexdigit() => Some(4),
        [b'\\', b'u', b'{', code @ ..] => {
            let digits = code.iter().take(6).take_while(|octet| octet.is_ascii_hexdigit()).count();
            (digits > 0 && code.get(digits) == Some(&b'}')).then_some(digits + 4)
        }
        _ => None,
    }
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

    #[test]
    fn nothing_is_cut_in_two_that_belongs_together() {
        let escaped = safe("\u{1b}[2J");
        for (columns, expected) in [(9, r"\u{1b}[2J"), (8, r"\u{1b}[…"), (7, r"\u{1b}…"), (6, "…"), (1, "…")] {
            assert_eq!(shorten(&escaped, columns), expected, "{columns}");
        }
        assert_eq!([4, 3, 2].map(|columns| shorten(r"\xff\n", columns)), ["…", "…", "…"]);
        assert_eq!(shorten(r"\xff\n\n", 7), r"\xff\n…");
        // What only looks like an escape is text: a brace that is not closed, too many digits.
        assert_eq!(shorten(r"\u{1b", 4), r"\u{…");
        // A family of four is one emoji of two columns, or four of two each; a sign with U+FE0F takes two.
        let family = "👨\u{200d}👩\u{200d}👧\u{200d}👦";
        assert_eq!(shorten(&format!("{family}{family}"), 15), format!("{family}…"));
        assert_eq!(shorten("❤\u{fe0f}❤\u{fe0f}", 3), "❤\u{fe0f}…");
        assert_eq!(shorten("🇩🇪🇫🇷🇪🇸", 5), "🇩🇪🇫🇷…");
    }

    #[test]
    fn middle_is_left_out_and_both_ends_stay() {
        assert_eq!(shorten_middle("ajax-and-websocket.pcapng", 25), "ajax-and-websocket.pcapng");
        assert_eq!(shorten_middle("ajax-and-websocket.pcapng", 16), "ajax-and….pcapng");
        assert_eq!(shorten_middle("漢字漢字漢字", 6), "漢…字");
        assert_eq!([1, 0].map(|columns| shorten_middle("abc", columns)), ["…", ""]);
    }

    proptest! {
        #[test]
        fn whatever_the_network_sent_fits_and_holds_no_control(octets: Vec<u8>, columns in 0usize..40) {
            let shown = safe_bytes(&octets);
            prop_assert!(!shown.chars().any(is_hostile));
            let cut = shorten(&shown, columns);
            prop_assert!(cut.width() <= columns, "{cut:?} in {columns}");
            prop_assert!(shorten_middle(&shown, columns).width() <= columns);
        }

        #[test]
        fn cut_text_is_its_beginning(text in r"(\\u\{1b\}|\\xff|\\n|[a-c漢👩\u{200d}\u{301}]){0,12}", columns in 1usize..20) {
            let cut = shorten(&text, columns);
            let kept = cut.strip_suffix('…').unwrap_or(&cut);
            prop_assert!(text.starts_with(kept));
            prop_assert!(atoms(kept).eq(atoms(&text).take(atoms(kept).count())), "{cut:?} of {text:?}");
        }
    }
}
