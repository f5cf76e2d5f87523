//! One WebSocket, shared by the one who reads and those who write.
//!
//! Reader and writers poll the same socket under a lock that is held for the time of a poll, never across an await:
//! neither waits for the other to make progress. The socket remembers one task that reads and one that writes, so
//! writers take turns.

use std::future::poll_fn;
use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;

use futures::future::join;
use futures::{SinkExt, StreamExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::http::{HeaderMap, Uri};
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error as WsError, Message};

use crate::error::{Closed, End, ErrorKind};
use crate::handshake::shake_hands;

/// A client has one connection and waits for people, so that small reads do.
const READ_BUFFER_BYTES: usize = 8 * 1024;
/// Longest command. It also bounds the pongs that pile up when a server pings and does not read.
pub(crate) const MAX_WRITE_BUFFER_BYTES: usize = 16 * 1024 * 1024;
/// How long a server has to answer a goodbye.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(5);

#[derive(Debug)]
pub(crate) struct Connection {
    link: Mutex<Result<Link, Closed>>,
    turn: tokio::sync::Mutex<()>,
}

/// What there is while the connection lasts.
#[derive(Debug)]
struct Link {
    socket: WebSocketStream<TcpStream>,
    /// The writer that waits, to be told when the connection ends.
    writer: Option<Waker>,
    /// Frames that have arrived, of any kind.
    heard: u64,
}

impl Connection {
    /// Opens one to a host, asking for a URI with these headers.
    pub(crate) async fn open(
        host: &str,
        uri: Uri,
        subprotocol: &str,
        headers: HeaderMap,
        max_message_bytes: usize,
    ) -> Result<Self, ErrorKind> {
        let mut stream = TcpStream::connect(host).await.map_err(ErrorKind::Unreachable)?;
        // Where nobody listens on a port of this machine, TCP may connect a socket to itself.
        if stream.local_addr().ok() == stream.peer_addr().ok() {
            return Err(ErrorKind::Unreachable(io::ErrorKind::ConnectionRefused.into()));
        }
        // A chat sends little and seldom; it should not wait for more to come.
        stream.set_nodelay(true).map_err(ErrorKind::Unreachable)?;
        let received =
            shake_hands(&mut stream, uri, subprotocol, headers).await.map_err(ErrorKind::connecting)?;

        let config = WebSocketConfig::default()
            .read_buffer_size(READ_BUFFER_BYTES)
            .max_write_buffer_size(MAX_WRITE_BUFFER_BYTES)
            .max_message_size(Some(max_message_bytes))
            .max_frame_size(Some(max_message_bytes));
        let socket = WebSocketStream::from_partially_read(stream, received, Role::Client, Some(config)).await;
        let link = Link { socket, writer: None, heard: 0 };
        Ok(Self { link: Mutex::new(Ok(link)), turn: tokio::sync::Mutex::new(()) })
    }

    /// Writes a message, and waits until the operating system has it.
    pub(crate) async fn send(&self, message: Message) -> Result<(), ErrorKind> {
        let _turn = self.turn.lock().await;
        let mut unsent = Some(message);
        poll_fn(|cx| self.poll_send(&mut unsent, cx)).await
    }

    /// Writes a message, if there is one, and what was written before. Once it is taken, it goes out whole or is lost
    /// with the connection.
    pub(crate) fn poll_send(
        &self,
        unsent: &mut Option<Message>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), ErrorKind>> {
        match &mut *self.lock() {
            Ok(link) => link.poll_write(unsent, cx).map_err(ErrorKind::writing),
            Err(closed) => Poll::Ready(Err(End::from(closed.clone()).into())),
        }
    }

    /// How many frames have arrived, pings included: a sign of life.
    pub(crate) fn heard(&self) -> u64 {
        self.lock().as_ref().map_or(0, |link| link.heard)
    }

    /// Reads the next text or binary message, and answers pings on the way.
    pub(crate) fn poll_receive(&self, cx: &mut Context<'_>) -> Poll<Result<Message, End>> {
        let read = match &mut *self.lock() {
            Ok(link) => ready!(link.poll_read(cx)),
            Err(closed) => return Poll::Ready(Err(closed.clone().into())),
        };
        let end = match read {
            Ok(Message::Close(frame)) => Closed::by_server(frame).into(),
            Ok(message) => return Poll::Ready(Ok(message)),
            Err(error) => End::lost(error),
        };
        self.end(end.closed.clone());
        Poll::Ready(Err(end))
    }

    /// Says goodbye, and waits for the server to do so; what it sends meanwhile is dropped.
    pub(crate) async fn close(&self) -> Result<(), End> {
        let frame = CloseFrame { code: CloseCode::Normal, reason: "".into() };
        let rest = poll_fn(|cx| {
            loop {
                if let Err(end) = ready!(self.poll_receive(cx)) {
                    return Poll::Ready(end);
                }
            }
        });
        // The server may have to be read from before it reads the goodbye. Whether that could be written does not
        // matter: what ends the reading tells.
        match timeout(CLOSE_TIMEOUT, join(self.send(Message::Close(Some(frame))), rest)).await {
            Ok((_, End { source: None, .. })) => Ok(()),
            Ok((_, lost)) => Err(lost),
            Err(_) => Err(End::lost(io::Error::from(io::ErrorKind::TimedOut).into())),
        }
    }

    /// Drops the socket, and lets a writer that waits for it know.
    pub(crate) fn end(&self, closed: Closed) {
        let ended = {
            let mut link = self.lock();
            match &mut *link {
                Ok(_) => std::mem::replace(&mut *link, Err(closed)),
                Err(_) => return,
            }
        };
        if let Ok(Link { writer: Some(writer), .. }) = ended {
            writer.wake();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Result<Link, Closed>> {
        self.link.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Link {
    fn poll_write(
        &mut self,
        unsent: &mut Option<Message>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), WsError>> {
        // Until it is done, so that the end of the connection reaches it whatever it waits for.
        self.writer = Some(cx.waker().clone());
        // A send that was given up may have left something behind.
        ready!(self.socket.poll_flush_unpin(cx))?;
        if let Some(message) = unsent.take() {
            self.socket.start_send_unpin(message)?;
            ready!(self.socket.poll_flush_unpin(cx))?;
        }
        self.writer = None;
        Poll::Ready(Ok(()))
    }

    /// Reads the next message that is not a ping or a pong.
    fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<Result<Message, WsError>> {
        loop {
            let next = ready!(self.socket.poll_next_unpin(cx));
            self.heard = self.heard.wrapping_add(1);
            match next {
                // Reading on writes the pong.
                Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => {}
                Some(Ok(close @ Message::Close(_))) => {
                    // Reading on writes our half of the goodbye. There is nothing to wait for after that: the server
                    // reads it before it finds the end.
                    let _ = self.socket.poll_next_unpin(cx);
                    return Poll::Ready(Ok(close));
                }
                Some(other) => return Poll::Ready(other),
                None => return Poll::Ready(Err(WsError::ConnectionClosed)),
            }
        }
    }
}
