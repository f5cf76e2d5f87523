//! A connection that can be interrupted.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::PATIENCE;

/// Stands between a client and a server, and forwards what they say to each other, or keeps it to itself.
#[derive(Debug)]
pub struct Proxy {
    port: u16,
    is_forwarding: watch::Sender<bool>,
    cut: watch::Sender<()>,
    accepted: watch::Receiver<usize>,
    _connections: JoinSet<()>,
}

impl Proxy {
    /// Forwards to a port on 127.0.0.1.
    pub async fn to(port: u16) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port is free");
        let own_port = listener.local_addr().expect("a bound socket has an address").port();
        let (is_forwarding, forwarding) = watch::channel(true);
        let (cut, cuts) = watch::channel(());
        let (count, accepted) = watch::channel(0);
        let mut connections = JoinSet::new();
        connections.spawn(accept(listener, (Ipv4Addr::LOCALHOST, port).into(), forwarding, cuts, count));
        Self { port: own_port, is_forwarding, cut, accepted, _connections: connections }
    }

    /// Where it listens, on 127.0.0.1.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// How many connections there have been.
    #[must_use]
    pub fn accepted(&self) -> usize {
        *self.accepted.borrow()
    }

    /// Waits until there have been more connections than so many.
    pub async fn accepted_more_than(&self, count: usize) {
        let mut accepted = self.accepted.clone();
        let more = accepted.wait_for(|accepted| *accepted > count);
        timeout(PATIENCE, more).await.expect("somebody connects in time").expect("the proxy runs");
    }

    /// From now on nothing gets through, and nobody is told: connections stay open, and new ones are accepted.
    pub fn pause(&self) {
        self.is_forwarding.send_replace(false);
    }

    /// Ends all connections, and drops what was held back.
    pub fn cut(&self) {
        self.cut.send_replace(());
    }

    /// From now on everything gets through, also what was held back.
    pub fn resume(&self) {
        self.is_forwarding.send_replace(true);
    }
}

async fn accept(
    listener: TcpListener,
    server: SocketAddr,
    forwarding: watch::Receiver<bool>,
    cuts: watch::Receiver<()>,
    count: watch::Sender<usize>,
) {
    let mut connections = JoinSet::new();
    while let Ok((client, _)) = listener.accept().await {
        count.send_modify(|count| *count += 1);
        let forwarding = forwarding.clone();
        let mut cuts = cuts.clone();
        cuts.mark_unchanged();
        connections.spawn(async move {
            tokio::select! {
                biased;
                _ = cuts.changed() => {}
                // Either end may break; then both are closed.
                _ = forward(client, server, forwarding) => {}
            }
        });
    }
}

async fn forward(client: TcpStream, server: SocketAddr, forwarding: watch::Receiver<bool>) -> io::Result<()> {
    let server = TcpStream::connect(server).await?;
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    tokio::select! {
        ended = pump(from_client, to_server, forwarding.clone()) => ended,
        ended = pump(from_server, to_client, forwarding) => ended,
    }
}

async fn pump(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    mut forwarding: watch::Receiver<bool>,
) -> io::Result<()> {
    let mut bytes = vec![0; 64 * 1024];
    loop {
        let count = from.read(&mut bytes).await?;
        // An error means that the proxy is gone.
        forwarding.wait_for(|is_forwarding| *is_forwarding).await.map_err(io::Error::other)?;
        let Some(read @ [_, ..]) = bytes.get(..count) else { return Ok(()) };
        to.write_all(read).await?;
    }
}
