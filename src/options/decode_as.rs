//! What a port is taken for, whatever it looks like: tshark's `-d tcp.port==9000,websocket`.

use std::fmt;
use std::ops::RangeInclusive;
use std::str::FromStr;

use crate::error::Error;

/// What runs on a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// HTTP/1, and what it is upgraded to. Nothing else is recognised.
    Http,
    /// WebSocket frames from the first octets captured, where those are no HTTP.
    WebSocket,
    /// Nothing: octets that are only accounted.
    Data,
}

/// A rule: connections of these ports are taken for that protocol.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DecodeAs {
    /// Either port of the connection is one of these (`tcp.port`).
    pub ports: RangeInclusive<u16>,
    /// What they are taken for.
    pub protocol: Protocol,
}

impl Protocol {
    const ALL: [Self; 3] = [Self::Http, Self::WebSocket, Self::Data];

    fn name(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::WebSocket => "websocket",
            Self::Data => "data",
        }
    }
}

impl FromStr for DecodeAs {
    type Err = Error;

    /// Parses `tcp.port==PORT,PROTOCOL`, `tcp.port==FIRST-LAST,PROTOCOL` or `tcp.port==FIRST:COUNT,PROTOCOL`, as tshark does.
    fn from_str(text: &str) -> Result<Self, Error> {
        let usage = |what: &str| {
            Error::Usage(format!(
                "decode-as `{text}`: {what}\nhint: such as `tcp.port==9000,websocket` or `tcp.port==9000-9010,http`; protocols are \
                 http, websocket, data"
            ))
        };
        let (selector, protocol) = text.split_once(',').ok_or_else(|| usage("no protocol behind a comma"))?;
        let protocol = Protocol::ALL.into_iter().find(|known| known.name() == protocol.trim());
        let protocol = protocol.ok_or_else(|| usage("a protocol that is not one of http, websocket, data"))?;
        let (field, ports) = selector.split_once("==").ok_or_else(|| usage("no `==` before the port"))?;
        if field.trim() != "tcp.port" {
            return Err(usage("a field that is not tcp.port"));
        }
        let ports = ports_of(ports.trim()).ok_or_else(|| usage("no port, or ports, between 1 and 65535"))?;
        Ok(Self { ports, protocol })
    }
}

fn ports_of(text: &str) -> Option<RangeInclusive<u16>> {
    let port = |text: &str| text.trim().parse::<u16>().ok().filter(|&port| port > 0);
    if let Some((first, last)) = text.split_once('-') {
        return Some(port(first)?..=port(last)?).filter(|ports| !ports.is_empty());
    }
    if let Some((first, count)) = text.split_once(':') {
        let (first, count) = (port(first)?, port(count)?);
        return Some(first..=first.checked_add(count - 1)?);
    }
    port(text).map(|port| port..=port)
}

impl fmt::Display for DecodeAs {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (first, last) = (self.ports.start(), self.ports.end());
        let protocol = self.protocol.name();
        if first == last { write!(out, "tcp.port=={first},{protocol}") } else { write!(out, "tcp.port=={first}-{last},{protocol}") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_are_spelled_as_tshark_spells_them() {
        for (text, printed) in [
            ("tcp.port==9000,websocket", "tcp.port==9000,websocket"),
            ("tcp.port == 9000 , http", "tcp.port==9000,http"),
            ("tcp.port==9000-9001,data", "tcp.port==9000-9001,data"),
            ("tcp.port==65534:2,http", "tcp.port==65534-65535,http"),
        ] {
            assert_eq!(text.parse::<DecodeAs>().map(|rule| rule.to_string()).ok().as_deref(), Some(printed));
        }
    }

    #[test]
    fn what_is_no_rule_says_what_is_wrong() {
        for (text, wrong) in [
            ("9000", "no protocol behind a comma"),
            ("tcp.port==9000,mqtt", "a protocol that is not one of"),
            ("tcp.port=9000,http", "no `==`"),
            ("udp.port==9000,http", "a field that is not tcp.port"),
            ("tcp.port==0,http", "no port"),
            ("tcp.port==70000,http", "no port"),
            ("tcp.port==9-8,http", "no port"),
            ("tcp.port==65535:2,http", "no port"),
        ] {
            let error = text.parse::<DecodeAs>().expect_err(text).to_string();
            assert!(error.contains(wrong) && error.contains("hint: such as"), "{error}");
        }
    }
}
