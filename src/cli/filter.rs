//! Which rows are shown.

use std::collections::{BTreeSet, HashMap, HashSet};

use wiretare::report::text;
use wiretare::{Exchange, Glob, Row, Upgrade};

use super::arguments::number;

/// Hosts remembered to name them when none fits.
const HOSTS: usize = 5;

/// Chooses rows by connection, host and path.
#[derive(Debug, clap::Args)]
pub(super) struct Selection {
    /// Only rows of this connection (Wireshark's tcp.stream)
    #[arg(long, value_name = "N", value_parser = number, allow_negative_numbers = true)]
    connection: Option<u64>,
    /// Only rows whose request named a host like GLOB (`*` and `?`; with or without the port; case does not matter)
    ///
    /// A host that was named without a port has the port 80.
    #[arg(long, value_name = "GLOB")]
    host: Option<String>,
    /// Only rows whose request had a path like GLOB (`*` and `?`; without the query)
    ///
    /// A WebSocket message has the host and path of its opening handshake; a connection is shown when one of its rows is.
    #[arg(long, value_name = "GLOB")]
    path: Option<String>,
}

impl Selection {
    /// Whether anything was chosen.
    pub(super) fn is_some(&self) -> bool {
        self.connection.is_some() || self.host.is_some() || self.path.is_some()
    }
}

/// A filter at work. What it remembers of a connection goes with the connection's row.
#[derive(Debug)]
pub(super) struct Filter {
    selection: Selection,
    /// Whether the opening handshake of a WebSocket passed.
    handshakes: HashMap<u64, bool>,
    shown: HashSet<u64>,
    /// Hosts that did not fit, the first few.
    other_hosts: BTreeSet<Vec<u8>>,
    /// The last connection of all.
    last_connection: Option<u64>,
}

impl Filter {
    pub(super) fn new(selection: Selection) -> Self {
        Self { selection, handshakes: HashMap::new(), shown: HashSet::new(), other_hosts: BTreeSet::new(), last_connection: None }
    }

    /// Whether a row is shown; wants to see every row, in order.
    pub(super) fn shows(&mut self, row: &Row) -> bool {
        let connection = match row {
            Row::Exchange(exchange) => exchange.connection,
            Row::Message(message) => message.connection,
            Row::Connection(row) => row.connection,
        };
        self.last_connection = self.last_connection.max(Some(connection));
        if self.selection.connection.is_some_and(|wanted| wanted != connection) {
            return false;
        }
        if self.selection.host.is_none() && self.selection.path.is_none() {
            return true;
        }
        let shows = match row {
            Row::Exchange(exchange) => {
                let shows = self.wants(exchange);
                self.remember_handshake(exchange, shows);
                shows
            }
            Row::Message(_) => self.handshakes.get(&connection).copied().unwrap_or(false),
            Row::Connection(_) => {
                self.handshakes.remove(&connection);
                return self.shown.remove(&connection);
            }
        };
        if shows {
            self.shown.insert(connection);
        }
        shows
    }

    fn remember_handshake(&mut self, exchange: &Exchange, shows: bool) {
        if exchange.upgrade == Some(Upgrade::WebSocket) {
            self.handshakes.insert(exchange.connection, shows);
        }
    }

    fn wants(&mut self, exchange: &Exchange) -> bool {
        let Some(request) = &exchange.request else { return false };
        if let Some(glob) = &self.selection.host {
            let Some(host) = request.host() else { return false };
            if !Glob::new(glob).is_host(host) {
                if self.other_hosts.len() <= HOSTS {
                    self.other_hosts.insert(host.to_owned());
                }
                return false;
            }
        }
        self.selection.path.as_deref().is_none_or(|glob| Glob::new(glob).is_path_of(request.target()))
    }

    /// What there is instead of what was chosen in vain.
    pub(super) fn instead(&self) -> Option<String> {
        if let (Some(wanted), Some(last)) = (self.selection.connection, self.last_connection)
            && wanted > last
        {
            return Some(match last {
                0 => "the only connection is number 0".into(),
                last => format!("connections are numbered 0 to {last}"),
            });
        }
        let mut hosts: Vec<_> = self.other_hosts.iter().take(HOSTS).map(|host| text::safe_bytes(host)).collect();
        if self.other_hosts.len() > HOSTS {
            hosts.push("others".into());
        }
        (!hosts.is_empty()).then(|| format!("hosts there are: {}", hosts.join(", ")))
    }
}
