//! Addresses and ports, as they display.

use std::io::Write;
use std::net::SocketAddr;

use super::{Line, MOST, eight_digits};

#[inline(never)]
pub(super) fn address(mut line: Line<'_>, address: SocketAddr) -> usize {
    let SocketAddr::V4(address) = address else { return long_address(line, address) };
    let begin = line.at;
    let [a, b, c, d] = address.ip().octets();
    line.put(b"\"");
    line.dotted(a);
    line.dotted(b);
    line.dotted(c);
    line.dotted(d);
    // Port 0 is none of those that are sent to, and has no digits here.
    let Some((port, len)) = eight_digits(address.port().into()) else {
        return long_address(Line { octets: line.octets, at: begin }, address.into());
    };
    // In the place of the last point.
    line.at -= 1;
    line.put(b":");
    line.put_some(&port.to_le_bytes(), len as u8);
    line.put(b"\"");
    line.at
}

#[inline(never)]
fn long_address(mut line: Line<'_>, address: SocketAddr) -> usize {
    line.put(b"\"");
    let mut rest = &mut line.window::<MOST>()[..];
    write!(rest, "{address}").expect("no address is longer than that");
    line.at += MOST - rest.len();
    line.put(b"\"");
    line.at
}
