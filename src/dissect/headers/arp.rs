//! ARP (RFC 826), for Ethernet and IPv4.

use std::net::Ipv4Addr;

use super::link::mac;
use super::unnamed;
use crate::dissect::field::Field;

/// Who asks for whose address (RFC 826), for Ethernet and IPv4.
pub(super) fn arp(octets: &[u8], len: usize) -> Field {
    let Some(asked) = Arp::of(octets) else { return unnamed("arp", "Address Resolution Protocol", len) };
    Field::group("arp", format!("Address Resolution Protocol ({})", if asked.operation == 1 { "request" } else { "reply" })).with([
        Field::new("arp.opcode", asked.operation.to_string(), format!("Opcode: {}", asked.operation)),
        Field::new("arp.src.hw_mac", &*asked.sender_mac, format!("Sender MAC address: {}", asked.sender_mac)),
        Field::new("arp.src.proto_ipv4", asked.sender.to_string(), format!("Sender IP address: {}", asked.sender)),
        Field::new("arp.dst.proto_ipv4", asked.target.to_string(), format!("Target IP address: {}", asked.target)),
    ])
}

/// An ARP packet for Ethernet and IPv4.
pub(in crate::dissect) struct Arp {
    operation: u16,
    sender_mac: String,
    sender: Ipv4Addr,
    target: Ipv4Addr,
}

impl Arp {
    pub(in crate::dissect) fn of(octets: &[u8]) -> Option<Self> {
        let packet: &[u8; 28] = octets.first_chunk()?;
        if packet[..6] != [0, 1, 8, 0, 6, 4] {
            return None;
        }
        let address = |at: usize| Ipv4Addr::new(packet[at], packet[at + 1], packet[at + 2], packet[at + 3]);
        let operation = u16::from_be_bytes([packet[6], packet[7]]);
        Some(Self { operation, sender_mac: mac(&packet[8..14]), sender: address(14), target: address(24) })
    }

    /// As Wireshark's list of frames says it.
    pub(in crate::dissect) fn line(&self) -> String {
        match self.operation {
            1 => format!("Who has {}? Tell {}", self.target, self.sender),
            2 => format!("{} is at {}", self.sender, self.sender_mac),
            other => format!("Opcode {other}"),
        }
    }
}
