//! What a client says: messages out of the bytes that come in.
//!
//! Nearly always, what is read at once is one whole frame of text. Such a frame is taken apart [here](whole), in a buffer on
//! the stack. Everything else (pieces of frames, several at once, fragments, pings, violations) is left to tungstenite,
//! which is kept [only as long](framed) as it is in the middle of something: a connection that waits holds no buffer.

mod boundary;
mod framed;
mod whole;

use std::mem::MaybeUninit;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, ReadBuf};
use tokio_tungstenite::tungstenite::error::ProtocolError;
use tokio_tungstenite::tungstenite::{Error, Message};

use super::outbox::Outbox;
use framed::Framed;

/// Bytes that are read at once. Most frames of a chat fit in.
const READ_BYTES: usize = 4 * 1024;

/// The messages of one client.
#[derive(Debug)]
pub(super) struct Inbox<R> {
    read: R,
    max_frame_bytes: usize,
    /// In the middle of something.
    framed: Option<Box<Framed>>,
}

impl<R: AsyncRead + Unpin> Inbox<R> {
    /// `before` was read already.
    pub(super) fn new(read: R, before: &[u8], max_frame_bytes: usize) -> Self {
        let framed = (!before.is_empty()).then(|| Box::new(Framed::new(before, max_frame_bytes)));
        Self { read, max_frame_bytes, framed }
    }

    /// What the messages are read from.
    pub(super) const fn reader(&mut self) -> &mut R {
        &mut self.read
    }

    /// The next message. What tungstenite has to say to the client goes into the outbox.
    pub(super) fn poll_next(
        &mut self,
        cx: &mut Context<'_>,
        outbox: &Outbox,
    ) -> Poll<Result<Message, Error>> {
        if self.framed.is_some() {
            return self.poll_framed(cx, outbox);
        }
        let mut space = [MaybeUninit::uninit(); READ_BYTES];
        let mut bytes = ReadBuf::uninit(&mut space);
        ready!(Pin::new(&mut self.read).poll_read(cx, &mut bytes))?;
        let bytes = bytes.filled();
        if bytes.is_empty() {
            return Poll::Ready(Err(ProtocolError::ResetWithoutClosingHandshake.into()));
        }
        if let Some(message) = whole::message(bytes, self.max_frame_bytes) {
            return Poll::Ready(Ok(message));
        }
        self.framed = Some(Box::new(Framed::new(bytes, self.max_frame_bytes)));
        self.poll_framed(cx, outbox)
    }

    fn poll_framed(&mut self, cx: &mut Context<'_>, outbox: &Outbox) -> Poll<Result<Message, Error>> {
        let Self { framed: Some(framed), read, .. } = self else { return Poll::Pending };
        let message = ready!(framed.poll_next(cx, read, outbox));
        if framed.is_at_rest() {
            self.framed = None;
        }
        Poll::Ready(message)
    }
}

#[cfg(test)]
mod tests;
