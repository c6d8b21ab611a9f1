//! From which delivery on a WebSocket's set-up has paid.

use serde::Serialize;

use super::six_digits;
use crate::account::SideTotals;
use crate::message::Bucket;

/// Deliveries for which the curve is given, beside the break-even itself.
const CURVE: [u64; 8] = [1, 2, 5, 10, 20, 50, 100, 1000];

/// The break-even of one WebSocket connection, as observed in the capture.
///
/// With S the set-up and teardown of a connection, w WebSocket's other octets for each delivery and a Ajax's octets for each
/// delivery (its own connection set-ups as they happened included): the smallest k with S + k·w < k·a.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct BreakEven {
    /// The smallest k; `None` for never (w ≥ a).
    pub deliveries: Option<u64>,
    /// The same where an exchange takes two messages, one for the question and one for the answer: the smallest k with S + k·2w < k·a.
    pub exchanges: Option<u64>,
    /// S: set-up, opening handshake and teardown of a WebSocket connection, in octets on the wire.
    pub websocket_fixed_bytes: f64,
    /// w, in octets on the wire.
    pub websocket_per_delivery_bytes: f64,
    /// a, in octets on the wire.
    pub ajax_per_delivery_bytes: f64,
    /// WebSocket connections that S is the mean of: those with a captured opening handshake.
    pub websocket_connections: u64,
    /// What both would have cost for some numbers of deliveries, ascending.
    pub curve: Vec<Point>,
}

/// A point of the curve.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct Point {
    /// k.
    pub deliveries: u64,
    /// S + k·w, in octets on the wire.
    pub websocket_bytes: f64,
    /// k·a, in octets on the wire.
    pub ajax_bytes: f64,
}

/// Octets of a WebSocket side that are paid once for each connection: set-up, opening handshake, teardown.
pub(crate) fn fixed_bytes(websocket: &SideTotals) -> u64 {
    let buckets = [Bucket::TcpSetup, Bucket::TlsSetup, Bucket::Teardown].map(|bucket| websocket.bucket(bucket));
    buckets.iter().sum::<u64>() + websocket.sum(|direction| direction.upgrade.wire_bytes() + direction.close.wire_bytes())
}

/// Connections that the fixed octets are divided by: those whose opening handshake was captured, or else all of them.
pub(crate) fn fixed_connections(websocket: &SideTotals) -> u64 {
    if websocket.upgrades > 0 { websocket.upgrades } else { websocket.connections.max(1) }
}

impl BreakEven {
    /// The break-even of two sides; `None` when one of them delivered nothing, or of no exchange both messages were captured.
    pub fn new(ajax: &SideTotals, websocket: &SideTotals) -> Option<Self> {
        let (ajax_deliveries, websocket_deliveries) = (ajax.measured_deliveries(), websocket.measured_deliveries());
        if ajax_deliveries == 0 || websocket_deliveries == 0 {
            return None;
        }
        let (fixed, connections) = (fixed_bytes(websocket), fixed_connections(websocket));
        let marginal = websocket.all_in_wire_bytes() - fixed;
        let s = fixed as f64 / connections as f64;
        let w = marginal as f64 / websocket_deliveries as f64;
        let a = ajax.all_in_wire_bytes() as f64 / ajax_deliveries as f64;
        let deliveries = smallest((fixed, connections), (marginal, websocket_deliveries), (ajax.all_in_wire_bytes(), ajax_deliveries));
        let two_messages = (marginal.saturating_mul(2), websocket_deliveries);
        let exchanges = smallest((fixed, connections), two_messages, (ajax.all_in_wire_bytes(), ajax_deliveries));
        let mut numbers: Vec<u64> = CURVE.into_iter().chain(deliveries).collect();
        numbers.sort_unstable();
        numbers.dedup();
        let rounded = |number: f64| six_digits(number).unwrap_or_default();
        let point = |k: u64| Point { deliveries: k, websocket_bytes: rounded(s + k as f64 * w), ajax_bytes: rounded(k as f64 * a) };
        Some(Self {
            deliveries,
            exchanges,
            websocket_fixed_bytes: rounded(s),
            websocket_per_delivery_bytes: rounded(w),
            ajax_per_delivery_bytes: rounded(a),
            websocket_connections: connections,
            curve: numbers.into_iter().map(point).collect(),
        })
    }
}

/// The smallest k with S + k·w < k·a, each a fraction (octets, count) with a count above 0; exact where 128 bits suffice.
fn smallest(s: (u64, u64), w: (u64, u64), a: (u64, u64)) -> Option<u64> {
    let [(s, sn), (w, wn), (a, an)] = [s, w, a].map(|(octets, count)| (u128::from(octets), u128::from(count)));
    // a/an − w/wn = gain / (an·wn); k > (s/sn) · an·wn / gain.
    let gain = (a.checked_mul(wn)?).checked_sub(w.checked_mul(an)?).filter(|&gain| gain > 0)?;
    let exact = || {
        let numerator = s.checked_mul(an)?.checked_mul(wn)?;
        u64::try_from(numerator / sn.checked_mul(gain)? + 1).ok()
    };
    exact().or_else(|| Some((s as f64 * an as f64 * wn as f64 / (sn as f64 * gain as f64)) as u64).map(|k| k.saturating_add(1)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::account::Summary;
    use crate::account::samples::deck_rows;
    use crate::message::Side;

    #[test]
    fn the_smallest_k_is_strict() {
        // S = 100, w = 10: for a = 60 at k = 2 both are 120, so that only k = 3 is cheaper.
        assert_eq!(smallest((100, 1), (10, 1), (60, 1)), Some(3));
        assert_eq!(smallest((100, 1), (60, 1), (60, 1)), None);
        assert_eq!(smallest((0, 1), (1, 2), (1, 1)), Some(1));
        // The same in fractions: S = 200/2, w = 30/3, a = 240/4.
        assert_eq!(smallest((200, 2), (30, 3), (240, 4)), Some(3));
        assert_eq!(smallest((u64::MAX, 1), (0, u64::MAX), (1, u64::MAX)), Some(u64::MAX));
    }

    #[test]
    fn the_deck_breaks_even() {
        let mut summary = Summary::default();
        deck_rows().iter().for_each(|row| summary.add(row));
        let break_even = BreakEven::new(summary.side(Side::Ajax), summary.side(Side::WebSocket)).expect("both sides delivered");
        // S = 461 handshake + 210 set-up + 132 teardown + 89 Close = 892; w = (3 · 89 + 66) / 2 = 166.5; a = 1079.
        assert_eq!((break_even.websocket_fixed_bytes, break_even.websocket_per_delivery_bytes), (892.0, 166.5));
        assert_eq!(break_even.ajax_per_delivery_bytes, 1079.0);
        // 892 + 166.5 = 1058.5 < 1079 already for one delivery.
        assert_eq!(break_even.deliveries, Some(1));
        // 892 + 2 · 166.5 = 1225 for one exchange, 892 + 4 · 166.5 = 1558 < 2158 for two.
        assert_eq!(break_even.exchanges, Some(2));
        assert_eq!(break_even.curve[1], Point { deliveries: 2, websocket_bytes: 1225.0, ajax_bytes: 2158.0 });
    }
}
