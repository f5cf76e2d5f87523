//! The way to a server, which can be gone again and again.

use std::io;
use std::time::Duration;

use tokio::time::timeout;
use tokio_tungstenite::tungstenite::http::HeaderMap;

use crate::address::Address;
use crate::connection::Connection;
use crate::error::ErrorKind;

/// All that it takes to connect.
#[derive(Debug, Clone)]
pub(crate) struct Door {
    pub(crate) address: Address,
    pub(crate) subprotocol: String,
    pub(crate) headers: HeaderMap,
    pub(crate) max_message_bytes: usize,
    pub(crate) timeout: Duration,
}

impl Door {
    /// Connects, to go on from there where it is said from where.
    pub(crate) async fn open(&self, since: Option<&str>) -> Result<Connection, ErrorKind> {
        let Self { address, subprotocol, headers, max_message_bytes, .. } = self;
        let uri = match since {
            Some(since) => address.uri_since(since)?,
            None => address.uri.clone(),
        };
        let opening = Connection::open(&address.host, uri, subprotocol, headers.clone(), *max_message_bytes);
        let late = |_| ErrorKind::Unreachable(io::ErrorKind::TimedOut.into());
        timeout(self.timeout, opening).await.map_err(late)?
    }
}
