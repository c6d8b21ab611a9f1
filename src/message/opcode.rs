//! Kinds of WebSocket messages and frames (RFC 6455 section 5.2).

/// WebSocket opcode (RFC 6455 §5.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Opcode {
    /// 0x0
    Continuation,
    /// 0x1
    Text,
    /// 0x2
    Binary,
    /// 0x8
    Close,
    /// 0x9
    Ping,
    /// 0xA
    Pong,
    /// 0x3–0x7 and 0xB–0xF
    Reserved(u8),
}

impl Opcode {
    /// Of the low four bits of a frame's first byte.
    pub const fn of_bits(bits: u8) -> Self {
        match bits & 0xf {
            0x0 => Self::Continuation,
            0x1 => Self::Text,
            0x2 => Self::Binary,
            0x8 => Self::Close,
            0x9 => Self::Ping,
            0xa => Self::Pong,
            other => Self::Reserved(other),
        }
    }

    /// The four bits.
    pub const fn bits(self) -> u8 {
        // Numbers alone, which a table gives without a jump.
        let known = match self {
            Self::Continuation => 0x0,
            Self::Text => 0x1,
            Self::Binary => 0x2,
            Self::Close => 0x8,
            Self::Ping => 0x9,
            Self::Pong => 0xa,
            Self::Reserved(_) => u8::MAX,
        };
        match self {
            Self::Reserved(bits) => bits,
            Self::Continuation | Self::Text | Self::Binary | Self::Close | Self::Ping | Self::Pong => known,
        }
    }

    /// Control frames are 0x8–0xF (RFC 6455 §5.5).
    pub fn is_control(self) -> bool {
        self.bits() & 0x8 != 0
    }

    /// The name that rows print: `text`, … or `reserved-0xb`.
    pub const fn name(self) -> &'static str {
        const NAMES: [&str; 16] = [
            "continuation",
            "text",
            "binary",
            "reserved-0x3",
            "reserved-0x4",
            "reserved-0x5",
            "reserved-0x6",
            "reserved-0x7",
            "close",
            "ping",
            "pong",
            "reserved-0xb",
            "reserved-0xc",
            "reserved-0xd",
            "reserved-0xe",
            "reserved-0xf",
        ];
        NAMES[(self.bits() & 0xf) as usize]
    }
}
