//! What connections paid by the subprotocol that their opening handshake named (RFC 6455 §1.9).

use std::collections::BTreeMap;
use std::ops::AddAssign;

use super::endpoints::Endpoint;

/// Different subprotocols kept: the first ones in alphabetical order, so that merging in any order keeps the same.
const KEPT: usize = 64;

/// What the connections of a subprotocol paid for their messages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SubprotocolTotals {
    /// Connections.
    pub connections: u64,
    /// Their messages and control frames.
    pub figures: Endpoint,
}

impl AddAssign for SubprotocolTotals {
    fn add_assign(&mut self, other: Self) {
        self.connections += other.connections;
        self.figures += other.figures;
    }
}

/// Connections, and what they paid, by subprotocol.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Subprotocols {
    connections: BTreeMap<String, u64>,
    totals: BTreeMap<String, SubprotocolTotals>,
}

impl Subprotocols {
    /// Adds what a connection paid for its messages.
    pub(super) fn add(&mut self, subprotocol: Option<&str>, figures: Endpoint) {
        *self.totals.entry(subprotocol.unwrap_or_default().to_owned()).or_default() += SubprotocolTotals { connections: 1, figures };
        self.bound();
    }

    /// Counts a connection, whether it had messages or not.
    pub(super) fn count(&mut self, subprotocol: &str) {
        *self.connections.entry(subprotocol.to_owned()).or_default() += 1;
        self.bound();
    }

    /// Connections by subprotocol, those without one left out.
    pub fn connections(&self) -> &BTreeMap<String, u64> {
        &self.connections
    }

    /// What the connections of each subprotocol paid for their messages; the empty name stands for none.
    pub fn totals(&self) -> &BTreeMap<String, SubprotocolTotals> {
        &self.totals
    }

    fn bound(&mut self) {
        while self.connections.len() > KEPT {
            self.connections.pop_last();
        }
        while self.totals.len() > KEPT {
            self.totals.pop_last();
        }
    }
}

impl AddAssign<&Self> for Subprotocols {
    fn add_assign(&mut self, other: &Self) {
        for (name, &count) in &other.connections {
            *self.connections.entry(name.clone()).or_default() += count;
        }
        for (name, &totals) in &other.totals {
            *self.totals.entry(name.clone()).or_default() += totals;
        }
        self.bound();
    }
}
