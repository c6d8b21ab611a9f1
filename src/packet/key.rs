//! Identity of a connection: equal for both directions, the same on every machine.

use std::hash::{Hash, Hasher};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// Addresses and ports of a connection, the lower endpoint first, and the scope they are valid in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ConnectionKey {
    addresses: Addresses,
    /// Port of the lower endpoint in the upper half.
    ports: u32,
    /// Tells equal addresses of different virtual networks apart (VXLAN, Geneve); 0 outside them.
    scope: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Addresses {
    V4(u32, u32),
    V6(Wide, Wide),
}

/// An IPv6 address in words, the highest first: a table of keys must not be aligned as 128 bits are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Wide([u32; 4]);

impl From<u128> for Wide {
    fn from(address: u128) -> Self {
        Self([96, 64, 32, 0].map(|shift| (address >> shift) as u32))
    }
}

impl From<Wide> for u128 {
    fn from(Wide(words): Wide) -> Self {
        words.into_iter().fold(0, |address, word| address << 32 | Self::from(word))
    }
}

/// The key of most connections: IPv4, outside any tunnel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PlainKey {
    addresses: [u32; 2],
    ports: u32,
}

impl Hash for PlainKey {
    #[inline]
    fn hash<H: Hasher>(&self, state: &mut H) {
        let [low, high] = self.addresses;
        state.write_u64(u64::from(low) << 32 | u64::from(high));
        state.write_u32(self.ports);
    }
}

/// Which endpoint of a key sent a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Sender {
    /// The lower endpoint.
    Low = 0,
    /// The higher endpoint.
    High = 1,
}

impl Sender {
    /// The other endpoint.
    pub fn other(self) -> Self {
        match self {
            Self::Low => Self::High,
            Self::High => Self::Low,
        }
    }
}

impl Hash for ConnectionKey {
    fn hash<H: Hasher>(&self, state: &mut H) {
        match self.addresses {
            Addresses::V4(low, high) => state.write_u64(u64::from(low) << 32 | u64::from(high)),
            Addresses::V6(low, high) => {
                state.write_u128(low.into());
                state.write_u128(high.into());
            }
        }
        state.write_u64(u64::from(self.scope) << 32 | u64::from(self.ports));
    }
}

impl ConnectionKey {
    /// Of nothing.
    pub(super) const NONE: Self = Self { addresses: Addresses::V4(0, 0), ports: 0, scope: 0 };

    /// Of an IPv4 segment.
    #[inline]
    pub(crate) fn v4(source: (u32, u16), destination: (u32, u16)) -> (Self, Sender) {
        // As numbers: who sends is as good as random, so no branch should hang on it.
        let number = |(address, port): (u32, u16)| u64::from(address) << 16 | u64::from(port);
        let (source, destination) = (number(source), number(destination));
        let sender = if source <= destination { Sender::Low } else { Sender::High };
        let (low, high) = (source.min(destination), source.max(destination));
        let addresses = Addresses::V4((low >> 16) as u32, (high >> 16) as u32);
        (Self { addresses, ports: ports(low as u16, high as u16), scope: 0 }, sender)
    }

    /// Of an IPv6 segment.
    pub(crate) fn v6(source: (u128, u16), destination: (u128, u16)) -> (Self, Sender) {
        let (low, high, sender) = order(source, destination);
        (Self { addresses: Addresses::V6(low.0.into(), high.0.into()), ports: ports(low.1, high.1), scope: 0 }, sender)
    }

    /// The same endpoints in a virtual network.
    #[inline]
    pub(crate) fn within(self, scope: u32) -> Self {
        Self { scope, ..self }
    }

    /// The same endpoints outside any tunnel.
    #[inline]
    pub(crate) fn without_scope(self) -> Self {
        Self { scope: 0, ..self }
    }

    /// The same in fewer octets, where it is of IPv4 and outside any tunnel.
    #[inline]
    pub(crate) fn plain(&self) -> Option<PlainKey> {
        match self.addresses {
            Addresses::V4(low, high) if self.scope == 0 => Some(PlainKey { addresses: [low, high], ports: self.ports }),
            Addresses::V4(..) | Addresses::V6(..) => None,
        }
    }

    /// Addresses (those of IPv6 folded) and ports of what an endpoint sends, its own first; without the scope.
    pub(super) fn as_sent_by(&self, sender: Sender) -> (u64, u32) {
        let addresses = match self.addresses {
            Addresses::V4(low, high) => u64::from(low) << 32 | u64::from(high),
            Addresses::V6(low, high) => {
                let both = u128::from(low) ^ u128::from(high).rotate_left(1);
                both as u64 ^ (both >> 64) as u64
            }
        };
        match sender {
            Sender::Low => (addresses, self.ports),
            Sender::High => (addresses.rotate_left(32), self.ports.rotate_left(16)),
        }
    }

    /// Address and port of an endpoint.
    pub fn endpoint(&self, which: Sender) -> SocketAddr {
        let address: IpAddr = match (self.addresses, which) {
            (Addresses::V4(low, _), Sender::Low) => Ipv4Addr::from(low).into(),
            (Addresses::V4(_, high), Sender::High) => Ipv4Addr::from(high).into(),
            (Addresses::V6(low, _), Sender::Low) => Ipv6Addr::from(u128::from(low)).into(),
            (Addresses::V6(_, high), Sender::High) => Ipv6Addr::from(u128::from(high)).into(),
        };
        SocketAddr::new(address, self.port(which))
    }

    /// Port of an endpoint.
    pub fn port(&self, which: Sender) -> u16 {
        match which {
            Sender::Low => (self.ports >> 16) as u16,
            Sender::High => self.ports as u16,
        }
    }
}

#[inline]
fn order<T: Ord>(source: T, destination: T) -> (T, T, Sender) {
    if source <= destination { (source, destination, Sender::Low) } else { (destination, source, Sender::High) }
}

fn ports(low: u16, high: u16) -> u32 {
    u32::from(low) << 16 | u32::from(high)
}
