//! Takes TCP connections and speaks HTTP on them.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::os::fd::AsFd;
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

/// How long a client may take nothing of an answer.
const TAKEN_WITHIN: Duration = Duration::from_secs(30);

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
        let bind = || bind_shared(address, TAKEN_WITHIN);
        let first = bind()?;
        let others = (1..count.get()).map(|_| bind()?.into_std()).collect::<io::Result<_>>()?;
        Ok(Self { first, others, address })
    }

    pub(crate) const fn address(&self) -> SocketAddr {
        self.address
    }
}

/// Connections that are accepted are set up as their listener is.
fn bind_shared(address: SocketAddr, taken_within: Duration) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    socket.set_reuseaddr(true)?;
    socket.set_reuseport(true)?;
    socket.set_nodelay(true)?;
    give_up_after(&socket, Some(taken_within))?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// Accepts connections until `stopping`, then waits for the requests under way.
pub(crate) async fn run(listener: TcpListener, router: Router, stopping: CancellationToken) {
    let requests = TaskTracker::new();
    // Of its own: each request locks it, and threads would wait for one another.
    let stopping = stopping.child_token();
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

/// Has the system end a connection whose client takes nothing of what it is sent for so long (`TCP_USER_TIMEOUT`).
#[cfg(target_os = "linux")]
pub(crate) fn give_up_after(socket: impl AsFd, within: Option<Duration>) -> io::Result<()> {
    let millis = within.map_or(0, |within| u32::try_from(within.as_millis()).unwrap_or(u32::MAX));
    Ok(rustix::net::sockopt::set_tcp_user_timeout(socket, millis)?)
}

/// Other systems have no such bound.
#[cfg(not(target_os = "linux"))]
pub(crate) fn give_up_after(_: impl AsFd, _: Option<Duration>) -> io::Result<()> {
    Ok(())
}

async fn serve(stream: TcpStream, peer: SocketAddr, router: Router, stopping: CancellationToken) {
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

#[cfg(test)]
mod tests {
    use axum::routing::get;
    use tokio::io::AsyncWriteExt;
    use tokio::time::timeout;

    use super::*;

    /// More than the system holds for a connection.
    const LARGE: usize = 64 << 20;

    #[tokio::test]
    async fn a_client_that_takes_nothing_of_an_answer_is_cut_off() {
        let listener = bind_shared(([127, 0, 0, 1], 0).into(), Duration::from_millis(100)).unwrap();
        let mut client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (stream, peer) = listener.accept().await.unwrap();
        assert!(stream.nodelay().unwrap());
        let router = Router::new().route("/", get(async || vec![b'x'; LARGE]));
        client.write_all(b"GET / HTTP/1.1\r\nHost: here\r\n\r\n").await.unwrap();
        let served = serve(stream, peer, router, CancellationToken::new());
        timeout(Duration::from_mins(1), served).await.expect("it comes to an end");
    }
}
