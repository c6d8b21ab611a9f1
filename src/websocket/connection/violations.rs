//! What is odd about a frame (RFC 6455 §5.1–5.5, RFC 7692 §6.1).

use super::{Receiver, Rsv1};
use crate::anomaly::{AnomalyKind, AnomalySet};
use crate::message::{Direction, Opcode};
use crate::websocket::close;
use crate::websocket::frame::{Header, RSV1};

/// What undefined reserved bits are called.
pub(super) const RSV_KINDS: [AnomalyKind; 3] =
    [AnomalyKind::ReservedBits, AnomalyKind::CompressedControlFrame, AnomalyKind::CompressedContinuation];

impl Receiver {
    /// What is odd about a frame by its header and its place (RFC 6455 §5.1–5.5), beside its place in a message.
    #[inline]
    pub(super) fn violations(&self, header: &Header) -> AnomalySet {
        let mut odd = AnomalySet::EMPTY;
        match (self.direction, header.masking_key) {
            (Direction::ClientToServer, None) => odd.insert(AnomalyKind::UnmaskedClientFrame),
            (Direction::ServerToClient, Some(_)) => odd.insert(AnomalyKind::MaskedServerFrame),
            (Direction::ClientToServer, Some(_)) | (Direction::ServerToClient, None) => {}
        }
        if header.rsv != 0 && !(header.rsv == RSV1 && self.rsv1.is_defined_for(header.opcode)) {
            odd.merge(self.reserved_bits(header));
        }
        if header.non_minimal {
            odd.insert(AnomalyKind::NonMinimalLength);
        }
        if header.payload_len >> 63 != 0 {
            odd.insert(AnomalyKind::LengthTopBit);
        }
        if matches!(header.opcode, Opcode::Reserved(_)) {
            odd.insert(AnomalyKind::ReservedOpcode);
        }
        if header.opcode.is_control() {
            if header.payload_len > close::MAX_PAYLOAD as u64 {
                odd.insert(AnomalyKind::ControlFrameTooLong);
            }
            if !header.fin {
                odd.insert(AnomalyKind::FragmentedControlFrame);
            }
        } else if self.closed {
            odd.insert(AnomalyKind::DataAfterClose);
        }
        if header.opcode == Opcode::Close && self.closed {
            odd.insert(AnomalyKind::SecondClose);
        }
        odd
    }

    /// What is odd about reserved bits of which not all are defined for that frame (RFC 6455 §5.2, RFC 7692 §6.1).
    #[cold]
    pub(super) fn reserved_bits(&self, header: &Header) -> AnomalySet {
        let mut odd = AnomalySet::EMPTY;
        if header.rsv & !RSV1 != 0 || self.rsv1 == Rsv1::Undefined {
            odd.insert(AnomalyKind::ReservedBits);
        }
        if header.rsv1() && self.rsv1 != Rsv1::Undefined && !self.rsv1.is_defined_for(header.opcode) {
            odd.insert(match header.opcode.is_control() {
                true => AnomalyKind::CompressedControlFrame,
                false => AnomalyKind::CompressedContinuation,
            });
        }
        odd
    }
}
