//! tungstenite, for as long as it is in the middle of something.

use std::io::{self, Read, Write};
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use tokio::io::{AsyncRead, ReadBuf};
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig, WebSocketContext};
use tokio_tungstenite::tungstenite::{Error, Message};

use super::READ_BYTES;
use super::boundary::Boundary;
use crate::connection::outbox::Outbox;

/// A WebSocket in the middle of a message, or with more of them at hand.
#[derive(Debug)]
pub(super) struct Framed {
    context: WebSocketContext,
    boundary: Boundary,
}

impl Framed {
    /// One that has read this already.
    pub(super) fn new(before: &[u8], max_frame_bytes: usize) -> Self {
        let config = WebSocketConfig::default()
            .read_buffer_size(READ_BYTES)
            .write_buffer_size(0)
            .max_message_size(Some(max_frame_bytes))
            .max_frame_size(Some(max_frame_bytes));
        let context = WebSocketContext::from_partially_read(before.to_vec(), Role::Server, Some(config));
        let mut boundary = Boundary::default();
        boundary.follow(before);
        Self { context, boundary }
    }

    /// The next message. What there is to say to the client goes into the outbox.
    pub(super) fn poll_next<R: AsyncRead + Unpin>(
        &mut self,
        cx: &mut Context<'_>,
        read: &mut R,
        outbox: &Outbox,
    ) -> Poll<Result<Message, Error>> {
        let Self { context, boundary } = self;
        let mut stream = Stream { cx, read, outbox, boundary };
        let message = match context.read(&mut stream) {
            Err(Error::Io(error)) if error.kind() == io::ErrorKind::WouldBlock => return Poll::Pending,
            outcome => outcome,
        };
        if message.is_ok() {
            boundary.take();
        }
        let mut stream = Stream { cx, read, outbox, boundary };
        // The answer to a ping or a close.
        match context.flush(&mut stream) {
            Ok(()) | Err(Error::ConnectionClosed) => Poll::Ready(message),
            Err(error) => Poll::Ready(message.and(Err(error))),
        }
    }

    /// Whether there is nothing that the next message would need.
    pub(super) const fn is_at_rest(&self) -> bool {
        self.boundary.is_at_rest()
    }
}

/// What tungstenite takes for the socket: it reads from the network, and writes whole frames into the outbox.
struct Stream<'a, 'b, R> {
    cx: &'a mut Context<'b>,
    read: &'a mut R,
    outbox: &'a Outbox,
    boundary: &'a mut Boundary,
}

impl<R: AsyncRead + Unpin> Read for Stream<'_, '_, R> {
    fn read(&mut self, space: &mut [u8]) -> io::Result<usize> {
        let mut bytes = ReadBuf::new(space);
        match Pin::new(&mut *self.read).poll_read(self.cx, &mut bytes) {
            Poll::Ready(outcome) => outcome?,
            Poll::Pending => return Err(io::ErrorKind::WouldBlock.into()),
        }
        self.boundary.follow(bytes.filled());
        Ok(bytes.filled().len())
    }
}

impl<R> Write for Stream<'_, '_, R> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.outbox.push(Bytes::copy_from_slice(bytes), 1);
        self.outbox.flush();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
