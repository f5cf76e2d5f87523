//! Takes TCP connections and speaks HTTP on them.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower_service::Service;

use crate::http::PeerAddress;

/// How long a client may take to send the head of a request.
const HEAD_WITHIN: Duration = Duration::from_secs(10);

/// Most bytes of the head of a request.
const MAX_HEAD_BYTES: usize = 16 * 1024;

/// How long to wait when the system has no descriptor or memory left for a further connection.
const BACK_OFF: Duration = Duration::from_millis(100);

/// Connections that the system holds until they are accepted; it may hold fewer.
const BACKLOG: u32 = 4096;

/// Listeners that share an address: the system spreads connections over them.
#[derive(Debug)]
pub(crate) struct Listeners {
    pub(crate) first: TcpListener,
    /// For the other threads.
    pub(crate) others: Vec<std::net::TcpListener>,
    address: SocketAddr,
}

impl Listeners {
    /// Binds so many of them.
    pub(crate) async fn bind(address: SocketAddr, count: NonZeroUsize) -> io::Result<Self> {
        // Alone at first, because those that share an address would share it with another server, too.
        let alone = TcpListener::bind(address).await?;
        let address = alone.local_addr()?;
        drop(alone);
        let first = bind_shared(address)?;
        let others = (1..count.get()).map(|_| bind_shared(address)?.into_std()).collect::<io::Result<_>>()?;
        Ok(Self { first, others, address })
    }

    pub(crate) const fn address(&self) -> SocketAddr {
        self.address
    }
}

fn bind_shared(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    socket.set_reuseaddr(true)?;
    socket.set_reuseport(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// Accepts connections until `stopping`, then waits for the requests under way.
pub(crate) async fn run(listener: TcpListener, router: Router, stopping: CancellationToken) {
    let requests = TaskTracker::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = stopping.cancelled() => break,
        };
        match accepted {
            Ok((stream, peer)) => {
                requests.spawn(serve(stream, peer, router.clone(), stopping.clone()));
            }
            Err(error) if is_of_one_connection(&error) => {}
            Err(error) => {
                tracing::error!(%error, "cannot accept connections");
                tokio::time::sleep(BACK_OFF).await;
            }
        }
    }
    drop(listener);
    requests.close();
    requests.wait().await;
}

/// Whether only the connection that was to be accepted has failed.
fn is_of_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}

async fn serve(stream: TcpStream, peer: SocketAddr, router: Router, stopping: CancellationToken) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "a connection is gone already");
        return;
    }
    let service = service_fn(move |request: hyper::Request<Incoming>| {
        let mut router = router.clone();
        async move {
            let mut request = request.map(Body::new);
            request.extensions_mut().insert(PeerAddress(peer));
            let response: Result<_, Infallible> = router.call(request).await;
            response
        }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_WITHIN)
        .max_buf_size(MAX_HEAD_BYTES)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    let mut connection = std::pin::pin!(connection);
    let outcome = tokio::select! {
        outcome = connection.as_mut() => outcome,
        () = stopping.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = outcome {
        tracing::debug!(%error, %peer, "a request came to nothing");
    }
}
