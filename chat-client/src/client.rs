//! The connection as its owner sees it.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use chat_protocol::{Dialect, Event};
use futures::Stream;
use futures::stream::FusedStream;

use crate::config::Connect;
use crate::error::{ClientError, Closed};
use crate::sender::{Sender, Shared};

/// A connection to a chat server: a stream of what happens there.
///
/// The stream ends with the connection. Its last item is then an error for which [`ClientError::is_closed`] holds,
/// and there is nothing after it. Every other item is an event: a frame that cannot be read is skipped and counted
/// in [`unreadable_frames`](Self::unreadable_frames), because a newer server may say things that this client does
/// not know.
///
/// The stream must be polled for the server's pings to be answered. Polling it is cancel safe: no event is lost.
///
/// Dropping the client drops the connection without a goodbye, also for its senders; [`close`](Self::close) says one.
#[derive(Debug)]
pub struct Client {
    shared: Arc<Shared>,
    unreadable_frames: u64,
    has_ended: bool,
}

impl Client {
    /// Prepares a connection to a URL such as `ws://127.0.0.1:8000/ws/chat/testroom/`. Awaiting it connects.
    ///
    /// The last segment of the path is the room that commands are about. The dialect is [`Dialect::Typed`] unless
    /// [`Connect::dialect`] says otherwise.
    pub fn connect(url: impl Into<String>) -> Connect {
        Connect::new(url.into())
    }

    pub(crate) fn new(shared: Shared) -> Self {
        Self { shared: Arc::new(shared), unreadable_frames: 0, has_ended: false }
    }

    /// A handle that says things over this connection.
    #[must_use]
    pub fn sender(&self) -> Sender {
        Sender::new(Arc::clone(&self.shared))
    }

    /// The dialect that the connection speaks.
    #[must_use]
    pub fn dialect(&self) -> Dialect {
        self.shared.voice.dialect
    }

    /// How many frames of the server were skipped, because the dialect does not have them or they are malformed.
    #[must_use]
    pub fn unreadable_frames(&self) -> u64 {
        self.unreadable_frames
    }

    /// Says goodbye to the server and waits until it has answered, but no longer than five seconds. Events that
    /// arrive meanwhile are dropped, and sends fail. Where the connection has ended before, there is nothing to do.
    ///
    /// # Errors
    ///
    /// [`ClientError::is_closed`] where the connection broke, or time ran out, before the server's answer: part of
    /// what was sent before may not have arrived.
    pub async fn close(self) -> Result<(), ClientError> {
        Ok(self.shared.connection.close().await?)
    }
}

impl Stream for Client {
    type Item = Result<Event, ClientError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        while !self.has_ended {
            match ready!(self.shared.connection.poll_receive(cx)) {
                Ok(message) => {
                    if let Some(event) = self.shared.voice.decode(&message) {
                        return Poll::Ready(Some(Ok(event)));
                    }
                    self.unreadable_frames = self.unreadable_frames.saturating_add(1);
                }
                Err(end) => {
                    self.has_ended = true;
                    return Poll::Ready(Some(Err(end.into())));
                }
            }
        }
        Poll::Ready(None)
    }
}

impl FusedStream for Client {
    fn is_terminated(&self) -> bool {
        self.has_ended
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        // Senders must not keep alive a connection that nobody reads.
        self.shared.connection.end(Closed::by_client());
    }
}
