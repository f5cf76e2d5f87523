//! The way in to a server that comes and goes.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::timeout;

use crate::socket::Socket;

/// How long a client waits before it tries a server again that is there and did not let it in.
const BACKOFF: Duration = Duration::from_millis(20);

/// Knows where the server is, while there is one.
#[derive(Debug, Clone)]
pub(super) struct Door(watch::Receiver<Option<SocketAddr>>);

impl Door {
    /// A door that others open and close by telling the address.
    pub(super) const fn new(address: watch::Receiver<Option<SocketAddr>>) -> Self {
        Self(address)
    }

    /// Opens a socket on a path, however often the server goes away meanwhile; `None` when it will not come back.
    pub(super) async fn enter(&mut self, path: &str) -> Option<Socket> {
        loop {
            let address = (*self.0.wait_for(Option::is_some).await.ok()?)?;
            if let Ok(socket) = Socket::reach(&format!("ws://{address}{path}")).await {
                return Some(socket);
            }
            // Earlier where it is gone or another one is there: then it is not the old one that should be tried.
            if let Ok(Err(_)) = timeout(BACKOFF, self.0.changed()).await {
                return None;
            }
        }
    }
}
