//! What was odd in the captured data: counted by kind, first frame kept; never stops the run.

/// Declares the kinds once, with the name that tables and JSON print, the section that they break, and a sentence for people.
macro_rules! kinds {
    (@reference) => { None };
    (@reference $reference:literal) => { Some($reference) };
    ($($(#[$doc:meta])* $kind:ident = $name:literal $(=> $reference:literal)?),+ $(,)?) => {
        /// A kind of oddity in the captured data (Zeek's weird, Wireshark's expert info).
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum AnomalyKind { $($(#[$doc])* $kind),+ }

        impl AnomalyKind {
            /// Every kind, in the order in which they are declared.
            pub const ALL: &'static [Self] = &[$(Self::$kind),+];

            /// The stable name that rows and reports print.
            pub fn name(self) -> &'static str {
                match self { $(Self::$kind => $name),+ }
            }

            /// The section of a specification that it breaks, such as `RFC 6455 §5.1`; `None` where it breaks none: what
            /// was not captured, what passed a limit.
            pub fn reference(self) -> Option<&'static str> {
                match self { $(Self::$kind => kinds!(@reference $($reference)?)),+ }
            }
        }
    };
}

kinds! {
    /// The capture ends in the middle of a record or block.
    TruncatedCapture = "truncated_capture",
    /// A record or block of the capture file is malformed and was skipped.
    MalformedBlock = "malformed_block",
    /// An option of a pcapng block is malformed: it is not used, nor is any behind it where its length cannot be right.
    MalformedOption = "malformed_option",
    /// A record holds more octets than its packet had on the wire; what was on the wire is charged.
    CapturedBeyondLength = "captured_beyond_length",
    /// A compressed capture is damaged: what could be decompressed before it was read.
    DamagedCompression = "damaged_compression",
    /// The capture clock stepped backwards between two frames.
    ClockStepBack = "clock_step_back",
    /// A link layer that is accounted but not sliced.
    UnsupportedLinkType = "unsupported_link_type",
    /// A packet's headers are cut or contradict each other; accounted as not TCP.
    MalformedPacket = "malformed_packet",
    /// A packet that was captured before, at another place or by a mirror port; only the first copy is charged.
    DuplicatePacket = "duplicate_packet",
    /// An IP fragment whose datagram was never complete, or that repeats another; accounted as not TCP.
    IpFragment = "ip_fragment",
    /// IP fragments that overlap and differ; the first are kept.
    FragmentOverlap = "fragment_overlap",
    /// IP fragments passed their limit; the oldest datagram was given up.
    FragmentLimit = "fragment_limit",
    /// A packet with more headers, tags and tunnels within each other than are opened; accounted as not TCP.
    NestedHeaders = "nested_headers",
    /// A segment larger than its receiver takes: captured before the network card split it, or after it joined several.
    SegmentationOffload = "segmentation_offload",
    /// Two segments carry different bytes for the same sequence numbers; the first are kept.
    ConflictingOverlap = "conflicting_overlap",
    /// Bytes that the peer acknowledged, or that a limit gave up, were not captured.
    LostBytes = "lost_bytes",
    /// Out-of-order bytes passed their limit; the hole before them was closed as lost.
    OutOfOrderLimit = "out_of_order_limit",
    /// A segment lies far outside the window; accounted, its bytes not used.
    OutOfWindow = "out_of_window" => "RFC 9293 §3.10.7.4",
    /// Data after the sender's FIN.
    DataAfterFin = "data_after_fin" => "RFC 9293 §3.6",
    /// A connection ended because a limit on connections was reached.
    ConnectionLimit = "connection_limit",
    /// A header section is malformed; the direction's bytes are accounted until the next one.
    MalformedHttpHead = "malformed_http_head" => "RFC 9112 §2.2",
    /// A header section of which only the beginning was captured: its further fields are not known.
    HeaderSectionCut = "header_section_cut",
    /// A header section passed its limit.
    HttpHeadLimit = "http_head_limit",
    /// A chunk-size line or chunk is malformed.
    MalformedChunk = "malformed_chunk" => "RFC 9112 §7.1",
    /// Content-Length is malformed or two of them differ.
    ConflictingContentLength = "conflicting_content_length" => "RFC 9112 §6.3",
    /// Both Transfer-Encoding and Content-Length; the former counts.
    TransferEncodingAndContentLength = "transfer_encoding_and_content_length" => "RFC 9112 §6.3",
    /// Content ended before its declared length, or before the connection did that delimits it.
    IncompleteContent = "incomplete_content" => "RFC 9112 §8",
    /// A response without its request in the capture.
    ResponseWithoutRequest = "response_without_request",
    /// A request without its response in the capture.
    RequestWithoutResponse = "request_without_response",
    /// A field line folded over several lines.
    ObsoleteFolding = "obsolete_folding" => "RFC 9112 §5.2",
    /// A content coding or WebSocket message that does not decode.
    DecodingFailed = "decoding_failed",
    /// Decoded content passed its limit; the rest was not decoded.
    DecodedContentLimit = "decoded_content_limit",
    /// A content coding that is not known.
    UnknownContentCoding = "unknown_content_coding",
    /// An opening handshake that is no GET, or of a version before HTTP/1.1.
    WrongHandshakeMethod = "wrong_handshake_method" => "RFC 6455 §4.1",
    /// Half of an opening handshake without `Upgrade: websocket`.
    MissingUpgrade = "missing_upgrade" => "RFC 6455 §4.1",
    /// Half of an opening handshake without `Connection: Upgrade`.
    MissingConnectionUpgrade = "missing_connection_upgrade" => "RFC 6455 §4.1",
    /// Sec-WebSocket-Version is missing or is not 13.
    WrongVersion = "wrong_version" => "RFC 6455 §4.1",
    /// Sec-WebSocket-Key is missing.
    MissingKey = "missing_key" => "RFC 6455 §4.1",
    /// Sec-WebSocket-Key is not 16 octets in base64.
    InvalidKey = "invalid_key" => "RFC 6455 §4.1",
    /// A field of the opening handshake stands several times that may stand once.
    RepeatedHandshakeField = "repeated_handshake_field" => "RFC 6455 §11.3",
    /// Sec-WebSocket-Accept does not answer Sec-WebSocket-Key.
    WrongAccept = "wrong_accept" => "RFC 6455 §4.2.2",
    /// Sec-WebSocket-Accept is missing.
    MissingAccept = "missing_accept" => "RFC 6455 §4.2.2",
    /// WebSocket whose opening handshake was not captured: it was recognised by its frames, or `--decode-as` says so.
    MissingHandshake = "missing_handshake",
    /// The server chose a subprotocol that was not offered.
    SubprotocolNotOffered = "subprotocol_not_offered" => "RFC 6455 §4.1",
    /// The server agreed to an extension that was not offered.
    ExtensionNotOffered = "extension_not_offered" => "RFC 6455 §9.1",
    /// The server agreed to parameters of permessage-deflate that the offer does not allow, or that are unknown, repeated or invalid.
    BadExtensionAnswer = "bad_extension_answer" => "RFC 7692 §7.1",
    /// A client frame without a masking key.
    UnmaskedClientFrame = "unmasked_client_frame" => "RFC 6455 §5.1",
    /// A server frame with a masking key.
    MaskedServerFrame = "masked_server_frame" => "RFC 6455 §5.1",
    /// A reserved bit without an extension that defines it.
    ReservedBits = "reserved_bits" => "RFC 6455 §5.2",
    /// A control frame that says it is compressed.
    CompressedControlFrame = "compressed_control_frame" => "RFC 7692 §6.1",
    /// A continuation frame that says it is compressed: only the first frame of a message may.
    CompressedContinuation = "compressed_continuation" => "RFC 7692 §6.1",
    /// A reserved opcode.
    ReservedOpcode = "reserved_opcode" => "RFC 6455 §5.2",
    /// A payload length in more octets than needed.
    NonMinimalLength = "non_minimal_length" => "RFC 6455 §5.2",
    /// A payload length of 64 bits with its top bit set.
    LengthTopBit = "length_top_bit" => "RFC 6455 §5.2",
    /// A control frame of more than 125 octets of payload data.
    ControlFrameTooLong = "control_frame_too_long" => "RFC 6455 §5.5",
    /// A fragmented control frame.
    FragmentedControlFrame = "fragmented_control_frame" => "RFC 6455 §5.5",
    /// A continuation frame that continues nothing.
    OrphanContinuation = "orphan_continuation" => "RFC 6455 §5.4",
    /// A new data frame before the last message was finished.
    MissingContinuation = "missing_continuation" => "RFC 6455 §5.4",
    /// A text message or close reason that is not UTF-8.
    InvalidUtf8 = "invalid_utf8" => "RFC 6455 §8.1",
    /// A close code that must not be sent: reserved, not assigned, or out of range.
    InvalidCloseCode = "invalid_close_code" => "RFC 6455 §7.4",
    /// A close code that only the other side may send: 1010 by a server.
    MisusedCloseCode = "misused_close_code" => "RFC 6455 §7.4.1",
    /// A close payload of one octet.
    ShortClosePayload = "short_close_payload" => "RFC 6455 §5.5.1",
    /// A data frame after the Close of its direction.
    DataAfterClose = "data_after_close" => "RFC 6455 §5.5.1",
    /// A second Close of its direction.
    SecondClose = "second_close" => "RFC 6455 §5.5.1",
    /// A message ended unfinished with its connection.
    IncompleteMessage = "incomplete_message",
    /// A WebSocket message's content cannot be known since earlier compressed bytes were lost.
    LostCompressionContext = "lost_compression_context",
    /// More asks waited for their answers than are remembered; the oldest was forgotten.
    PendingAnswerLimit = "pending_answer_limit",
    /// A direction whose bytes no parser understands any more; they are accounted.
    OpaqueStream = "opaque_stream",
    /// A WebSocket protocol older than version 7; accounted, not decoded.
    OldWebSocketVersion = "old_websocket_version",
}

/// The kinds that one row shows: a set without allocation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AnomalySet(u128);

// A bit for each kind.
const _: () = assert!(AnomalyKind::ALL.len() <= u128::BITS as usize);

impl AnomalySet {
    /// The empty set.
    pub const EMPTY: Self = Self(0);

    /// Adds one kind.
    pub fn insert(&mut self, kind: AnomalyKind) {
        self.0 |= 1 << kind as u8;
    }

    /// Whether the kind is in the set.
    pub fn contains(self, kind: AnomalyKind) -> bool {
        self.0 & (1 << kind as u8) != 0
    }

    /// Whether no kind is in the set.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Adds every kind of another set.
    pub fn merge(&mut self, other: Self) {
        self.0 |= other.0;
    }

    /// The kinds that another set has not.
    pub(crate) fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// The kinds in declaration order.
    pub fn iter(self) -> impl Iterator<Item = AnomalyKind> {
        let mut left = self.0;
        std::iter::from_fn(move || {
            // A kind's bit is its place among all.
            let kind = AnomalyKind::ALL.get(left.trailing_zeros() as usize)?;
            left &= left - 1;
            Some(*kind)
        })
    }
}

impl FromIterator<AnomalyKind> for AnomalySet {
    fn from_iter<I: IntoIterator<Item = AnomalyKind>>(kinds: I) -> Self {
        let mut set = Self::EMPTY;
        kinds.into_iter().for_each(|kind| set.insert(kind));
        set
    }
}

/// How often each kind was met, and the first frame to look at; parts merge in any order to the same value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AnomalyCounts([(u64, u64); AnomalyKind::ALL.len()]);

impl Default for AnomalyCounts {
    fn default() -> Self {
        Self([(0, u64::MAX); AnomalyKind::ALL.len()])
    }
}

impl AnomalyCounts {
    /// Counts one oddity at a frame (`frame.number`).
    pub fn add(&mut self, kind: AnomalyKind, frame: u64) {
        self.add_many(kind, 1, frame);
    }

    /// Counts several oddities of a kind, the first of them at a frame.
    pub fn add_many(&mut self, kind: AnomalyKind, count: u64, frame: u64) {
        let entry = &mut self.0[kind as usize];
        entry.0 += count;
        entry.1 = entry.1.min(frame);
    }

    /// Counts every kind of a set once.
    pub fn add_set(&mut self, set: AnomalySet, frame: u64) {
        if !set.is_empty() {
            set.iter().for_each(|kind| self.add(kind, frame));
        }
    }

    /// Kinds that were met: (kind, count, first frame), in declaration order.
    pub fn iter(&self) -> impl Iterator<Item = (AnomalyKind, u64, u64)> {
        AnomalyKind::ALL.iter().map(|&kind| (kind, self.0[kind as usize].0, self.0[kind as usize].1)).filter(|&(_, count, _)| count > 0)
    }

    /// How often a kind was met.
    pub fn count(&self, kind: AnomalyKind) -> u64 {
        self.0[kind as usize].0
    }
}

impl std::ops::AddAssign<&Self> for AnomalyCounts {
    fn add_assign(&mut self, other: &Self) {
        for (kind, count, frame) in other.iter() {
            self.add_many(kind, count, frame);
        }
    }
}
