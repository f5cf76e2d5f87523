//! What tungstenite takes for the socket: it reads from the network, and writes into the outbox.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::outbox::Outbox;

/// Reads from `R`; hands what is written, whole frames each time, to the outbox.
#[derive(Debug)]
pub(super) struct Inlet<R> {
    read: R,
    outbox: Arc<Outbox>,
}

impl<R> Inlet<R> {
    pub(super) const fn new(read: R, outbox: Arc<Outbox>) -> Self {
        Self { read, outbox }
    }

    pub(super) fn into_read(self) -> R {
        self.read
    }
}

impl<R: AsyncRead + Unpin> AsyncRead for Inlet<R> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.read).poll_read(cx, buf)
    }
}

impl<R: Unpin> AsyncWrite for Inlet<R> {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.outbox.push(Bytes::copy_from_slice(bytes));
        self.outbox.flush();
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
