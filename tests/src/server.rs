//! A server for one test, on a port of its own.

use std::net::SocketAddr;

use chat_server::{Config, Database, Server};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::PATIENCE;
use crate::socket::Socket;

/// A running server. Dropped, it stops in its own time.
#[derive(Debug)]
pub struct TestServer {
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    running: JoinHandle<()>,
}

impl TestServer {
    /// Starts a server with a database in memory.
    pub async fn start() -> Self {
        Self::start_with(|_| {}).await
    }

    /// Starts a server with a database in memory, and other settings as `set` makes them.
    pub async fn start_with(set: impl FnOnce(&mut Config)) -> Self {
        let mut config = Config::default();
        config.listen = SocketAddr::from(([127, 0, 0, 1], 0));
        config.database = Database::SqliteMemory;
        set(&mut config);
        let server = Server::bind(config).await.expect("the server starts");
        let address = server.address();
        let (stop, stopped) = oneshot::channel();
        // Told to stop or dropped: both end the wait.
        let running = tokio::spawn(server.run(async { drop(stopped.await) }));
        Self { address, stop: Some(stop), running }
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Host and port, as they stand in URLs.
    #[must_use]
    pub fn ws_host(&self) -> String {
        self.address.to_string()
    }

    /// The URL of a path.
    #[must_use]
    pub fn http_url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// The WebSocket URL of a path.
    #[must_use]
    pub fn ws_url(&self, path: &str) -> String {
        format!("ws://{}{path}", self.address)
    }

    /// Opens a socket on a path.
    pub async fn connect(&self, path: &str) -> Socket {
        Socket::open(&self.ws_url(path)).await
    }

    /// Tells it to stop.
    pub fn begin_to_stop(&mut self) {
        drop(self.stop.take());
    }

    /// Stops it, and waits until it has.
    pub async fn stop(mut self) {
        self.begin_to_stop();
        timeout(PATIENCE, self.running)
            .await
            .expect("the server stops in time")
            .expect("the server stops well");
    }
}
