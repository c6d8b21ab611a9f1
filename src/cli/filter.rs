//! Which rows are shown.

use std::collections::{HashMap, HashSet};

use wiretare::{Exchange, Glob, Request, Row, Upgrade};

/// Chooses rows by connection, host and path.
#[derive(Debug, clap::Args)]
pub(super) struct Selection {
    /// Only rows of this connection (Wireshark's tcp.stream)
    #[arg(long, value_name = "N")]
    connection: Option<u64>,
    /// Only rows whose request named a host like GLOB (`*` and `?`; with or without the port; case does not matter)
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
}

impl Filter {
    pub(super) fn new(selection: Selection) -> Self {
        Self { selection, handshakes: HashMap::new(), shown: HashSet::new() }
    }

    /// Whether a row is shown; wants to see every row, in order.
    pub(super) fn shows(&mut self, row: &Row) -> bool {
        let connection = match row {
            Row::Exchange(exchange) => exchange.connection,
            Row::Message(message) => message.connection,
            Row::Connection(row) => row.connection,
        };
        if self.selection.connection.is_some_and(|wanted| wanted != connection) {
            return false;
        }
        if self.selection.host.is_none() && self.selection.path.is_none() {
            return true;
        }
        let shows = match row {
            Row::Exchange(exchange) => {
                let shows = exchange.request.as_ref().is_some_and(|request| self.wants(request));
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

    fn wants(&self, request: &Request) -> bool {
        let host = self.selection.host.as_deref().is_none_or(|glob| request.host().is_some_and(|host| Glob::new(glob).is_host(host)));
        let path = self.selection.path.as_deref().is_none_or(|glob| Glob::new(glob).is_path_of(request.target()));
        host && path
    }
}
