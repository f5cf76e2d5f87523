//! The way to a server, which can be gone again and again.

use std::io;
use std::time::Duration;

use tokio::time::timeout;
use tokio_tungstenite::tungstenite::http::HeaderMap;

use crate::address::Address;
use crate::connection::Connection;
use crate::error::ErrorKind;
use crate::since::Since;

/// Longest `since` in a query. Servers and what lies before them take heads of 8 KiB, and there are other headers.
const MAX_SINCE_BYTES: usize = 6 * 1024;

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
    /// Connects, to go on from there as far as it can be said from where.
    pub(crate) async fn open(&self, since: &Since) -> Result<Connection, ErrorKind> {
        let Self { address, subprotocol, headers, max_message_bytes, .. } = self;
        let since = since.within(MAX_SINCE_BYTES).to_string();
        let uri = if since.is_empty() { address.uri.clone() } else { address.uri_since(&since)? };
        let opening = Connection::open(&address.host, uri, subprotocol, headers.clone(), *max_message_bytes);
        let late = |_| ErrorKind::Unreachable(io::ErrorKind::TimedOut.into());
        timeout(self.timeout, opening).await.map_err(late)?
    }
}
