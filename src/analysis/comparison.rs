//! Ajax against WebSocket in three views (docs/accounting.md): one way, exchange against message, all in.

use serde::Serialize;

use super::break_even::BreakEven;
use super::counterfactual::Counterfactual;
use super::six_digits;
use crate::account::{Money, SideTotals, Summary};
use crate::message::{Direction, Side};

/// The comparison of a report.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct Comparison {
    /// Response against server message, request against client message.
    pub one_way: OneWay,
    /// An exchange, request and response together, against a message of either direction.
    pub exchange_to_message: View,
    /// Every octet of the side for each delivery.
    pub all_in: View,
    /// From which delivery on WebSocket's set-up has paid; `None` when a side delivered nothing.
    pub break_even: Option<BreakEven>,
    /// What each side would have cost as the other.
    pub counterfactual: Counterfactual,
}

/// The first view, by direction.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct OneWay {
    /// Requests against messages of clients.
    pub client_to_server: View,
    /// Responses against messages of servers.
    pub server_to_client: View,
}

/// A comparison in three bases, with what is counted.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct View {
    /// What Ajax's octets are divided by.
    pub ajax_denominator: Denominator,
    /// What WebSocket's octets are divided by.
    pub websocket_denominator: Denominator,
    /// Every octet of the captured frames (`frame.len`).
    pub wire: Means,
    /// From the IP header up.
    pub ip: Means,
    /// Framing of HTTP and WebSocket alone, no content: what the figures of 2010 counted.
    pub application: Means,
}

/// What is counted of a message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Basis {
    /// Every octet of the captured frames.
    #[default]
    Wire,
    /// From the IP header up.
    Ip,
    /// Framing of HTTP and WebSocket alone.
    Application,
}

impl Basis {
    /// The name that reports print.
    pub fn name(self) -> &'static str {
        match self {
            Self::Wire => "wire",
            Self::Ip => "ip",
            Self::Application => "application",
        }
    }

    /// What is counted, for people.
    pub fn of_what(self) -> &'static str {
        match self {
            Self::Wire => "on the wire",
            Self::Ip => "from the IP header up",
            Self::Application => "of framing alone",
        }
    }
}

/// What octets are divided by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct Denominator {
    /// `requests`, `responses`, `exchanges`, `messages` or `deliveries`.
    #[cfg_attr(feature = "cli", schemars(extend("enum" = ["requests", "responses", "exchanges", "messages", "deliveries"])))]
    pub unit: &'static str,
    /// How many.
    pub count: u64,
}

/// Octets for each unit; `None` where there is no unit, or where the basis does not apply.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct Means {
    /// Ajax, in octets.
    pub ajax_bytes: Option<f64>,
    /// WebSocket, in octets.
    pub websocket_bytes: Option<f64>,
    /// Ajax ÷ WebSocket.
    pub ratio: Option<f64>,
}

impl Means {
    fn of(ajax_bytes: u64, ajax: Denominator, websocket_bytes: u64, websocket: Denominator) -> Self {
        let of_each = |bytes: u64, denominator: Denominator| (denominator.count > 0).then(|| bytes as f64 / denominator.count as f64);
        let (ajax, websocket) = (of_each(ajax_bytes, ajax), of_each(websocket_bytes, websocket));
        Self {
            ajax_bytes: ajax.and_then(six_digits),
            websocket_bytes: websocket.and_then(six_digits),
            ratio: ajax.zip(websocket).and_then(|(ajax, websocket)| six_digits(ajax / websocket)),
        }
    }
}

impl View {
    /// The means of a basis.
    pub fn of(&self, basis: Basis) -> &Means {
        match basis {
            Basis::Wire => &self.wire,
            Basis::Ip => &self.ip,
            Basis::Application => &self.application,
        }
    }

    fn of_messages(ajax: &Money, ajax_denominator: Denominator, websocket: &Money, websocket_denominator: Denominator) -> Self {
        let means = |basis: fn(&Money) -> u64| Means::of(basis(ajax), ajax_denominator, basis(websocket), websocket_denominator);
        Self {
            ajax_denominator,
            websocket_denominator,
            wire: means(Money::wire_bytes),
            ip: means(Money::ip_bytes_up),
            application: means(|money| money.framing_bytes),
        }
    }

    /// Buckets are known by octets on the wire alone, so that the other bases do not apply.
    fn all_in(ajax: &SideTotals, websocket: &SideTotals) -> Self {
        let denominator = |side: &SideTotals| Denominator { unit: "deliveries", count: side.measured_deliveries() };
        let (ajax_denominator, websocket_denominator) = (denominator(ajax), denominator(websocket));
        Self {
            ajax_denominator,
            websocket_denominator,
            wire: Means::of(ajax.all_in_wire_bytes(), ajax_denominator, websocket.all_in_wire_bytes(), websocket_denominator),
            ip: Means::default(),
            application: Means::default(),
        }
    }
}

impl Comparison {
    /// Compares the sides of a summary.
    pub fn new(summary: &Summary) -> Self {
        let (ajax, websocket) = (summary.side(Side::Ajax), summary.side(Side::WebSocket));
        let one_way = |direction: Direction, unit: &'static str| {
            let money = |side: &SideTotals| side.direction(direction).messages;
            let (ajax, websocket) = (money(ajax), money(websocket));
            let count = |unit, money: &Money| Denominator { unit, count: money.messages };
            View::of_messages(&ajax, count(unit, &ajax), &websocket, count("messages", &websocket))
        };
        let websocket_both = websocket.money(|direction| direction.messages);
        Self {
            one_way: OneWay {
                client_to_server: one_way(Direction::ClientToServer, "requests"),
                server_to_client: one_way(Direction::ServerToClient, "responses"),
            },
            exchange_to_message: View::of_messages(
                &ajax.exchanges.whole,
                Denominator { unit: "exchanges", count: ajax.exchanges.whole_count() },
                &websocket_both,
                Denominator { unit: "messages", count: websocket_both.messages },
            ),
            all_in: View::all_in(ajax, websocket),
            break_even: BreakEven::new(ajax, websocket),
            counterfactual: Counterfactual::new(summary),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::account::samples::deck_rows;

    #[test]
    fn the_deck_compares_429_with_89() {
        let mut summary = Summary::default();
        deck_rows().iter().for_each(|row| summary.add(row));
        let comparison = Comparison::new(&summary);
        // 429 ÷ 89 = 4.82022; from IP up 415 ÷ 75 = 5.53333; framing 188 ÷ 6 = 31.3333.
        let means = |ajax, websocket, ratio| Means { ajax_bytes: Some(ajax), websocket_bytes: Some(websocket), ratio: Some(ratio) };
        let expected = View {
            ajax_denominator: Denominator { unit: "responses", count: 1 },
            websocket_denominator: Denominator { unit: "messages", count: 1 },
            wire: means(429.0, 89.0, 4.82022),
            ip: means(415.0, 75.0, 5.53333),
            application: means(188.0, 6.0, 31.3333),
        };
        assert_eq!(comparison.one_way.server_to_client, expected);
        // 242 + 429 = 671 for the exchange.
        assert_eq!(comparison.exchange_to_message.wire, means(671.0, 89.0, 7.53933));
        // Ajax 671 + 210 + 66 + 132 = 1079 for 1 delivery; WebSocket 461 + 4 · 89 + 408 = 1225 for 2: 612.5.
        assert_eq!(comparison.all_in.wire, means(1079.0, 612.5, 1.76163));
    }

    #[test]
    fn an_empty_summary_compares_nothing() {
        let comparison = Comparison::new(&Summary::default());
        assert_eq!(comparison.exchange_to_message.wire, Means::default());
        assert_eq!(comparison.break_even, None);
    }
}
