//! The way in to servers that come and go.

use std::net::SocketAddr;
use std::time::Duration;

use futures::future::select_all;
use tokio::sync::watch;
use tokio::time::timeout;

use crate::socket::Socket;

/// How long a client waits before it tries again where servers are there and did not let it in.
const BACKOFF: Duration = Duration::from_millis(20);

/// Knows where the servers are, while they are there.
#[derive(Debug, Clone)]
pub(super) struct Door {
    servers: Vec<watch::Receiver<Option<SocketAddr>>>,
    /// The server that is tried next.
    next: usize,
}

impl Door {
    /// A door that others open and close by telling the addresses. The first time, it leads to this server, or one after
    /// it.
    pub(super) const fn new(servers: Vec<watch::Receiver<Option<SocketAddr>>>, first: usize) -> Self {
        Self { servers, next: first }
    }

    /// Opens a socket on a path: on the next server that is there, however often they go away meanwhile; `None` when they
    /// will not come back.
    pub(super) async fn enter(&mut self, path: &str) -> Option<Socket> {
        loop {
            let Some(address) = self.next_address() else {
                self.changed().await?;
                continue;
            };
            if let Ok(socket) = Socket::reach(&format!("ws://{address}{path}")).await {
                return Some(socket);
            }
            // Earlier where it is gone or another one is there: then it is not the old one that should be tried.
            if let Ok(None) = timeout(BACKOFF, self.changed()).await {
                return None;
            }
        }
    }

    fn next_address(&mut self) -> Option<SocketAddr> {
        let count = self.servers.len();
        for server in (self.next..self.next + count).map(|server| server % count) {
            let address = self.servers.get_mut(server).and_then(|server| *server.borrow_and_update());
            if address.is_some() {
                self.next = server + 1;
                return address;
            }
        }
        None
    }

    /// Waits until a server comes or goes; `None` when none will.
    async fn changed(&mut self) -> Option<()> {
        let changes = self.servers.iter_mut().map(|server| Box::pin(server.changed()));
        select_all(changes).await.0.ok()
    }
}
