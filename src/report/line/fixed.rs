//! Texts of ours, in places of fixed size.

/// A text of ours, its length known to the compiler, with as many spaces behind it as make it fewer moves.
macro_rules! padded {
    ($($text:expr),+) => {{
        const TEXT: &str = concat!($($text),+);
        static PADDED: Padded<{ TEXT.len() }, { padded_len(TEXT.len()) }> = Padded::of(TEXT);
        &PADDED
    }};
}

/// Appends a comma, a key, a colon and an integer.
macro_rules! field {
    ($line:expr, $key:literal, $value:expr) => {
        $line.field(padded!(",\"", $key, "\":"), $value)
    };
}

/// Appends a comma, a key and a colon.
macro_rules! put_key {
    ($line:expr, $key:literal) => {
        $line.padded(padded!(",\"", $key, "\":"))
    };
}

pub(in crate::report) use {field, padded, put_key};

/// A text of ours of `LEN` octets, with spaces behind it.
#[derive(Clone, Copy, Debug)]
pub(in crate::report) struct Padded<const LEN: usize, const N: usize>(pub(super) [u8; N]);

impl<const LEN: usize, const N: usize> Padded<LEN, N> {
    pub(in crate::report) const fn of(text: &str) -> Self {
        let Fixed { octets, len } = Fixed::of(&[text]);
        assert!(len as usize == LEN, "it counts the octets of the text");
        Self(octets)
    }
}

/// Four octets and fewer take one move, as sixteen do.
pub(in crate::report) const fn padded_len(len: usize) -> usize {
    if len % 16 > 4 { len.next_multiple_of(16) } else { len }
}

/// A text of ours in a place of fixed size, so that it is put with a few moves.
#[derive(Clone, Copy, Debug)]
pub(in crate::report) struct Fixed<const N: usize> {
    pub(super) octets: [u8; N],
    pub(super) len: u8,
}

impl<const N: usize> Default for Fixed<N> {
    fn default() -> Self {
        Self::of(&[])
    }
}

impl<const N: usize> Fixed<N> {
    /// The parts one after the other.
    pub(in crate::report) const fn of(parts: &[&str]) -> Self {
        let (mut octets, mut len, mut part) = ([b' '; N], 0, 0);
        while part < parts.len() {
            let mut at = 0;
            while at < parts[part].len() {
                octets[len] = parts[part].as_bytes()[at];
                len += 1;
                at += 1;
            }
            part += 1;
        }
        assert!(len < 256, "one octet counts them");
        Self { octets, len: len as u8 }
    }
}
