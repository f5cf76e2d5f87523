//! Where frames are written to.

use std::fmt;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};

use rustix::net::SendFlags;
use tokio::io::AsyncWrite;
use tokio::net::tcp::OwnedWriteHalf;

/// The way out of a connection.
pub(crate) enum Wire {
    /// A plain socket, to which anybody may write.
    Socket(OwnedWriteHalf),
    /// Anything else, to which only the task of the connection may.
    Stream(Pin<Box<dyn AsyncWrite + Send>>),
}

impl Wire {
    /// Writes without waiting, and without asking the runtime whether the socket takes something: that would be memory
    /// of one more owner for each of many clients. So the runtime does not learn either that it takes nothing;
    /// [`try_write`](Self::try_write) tells it.
    pub(super) fn send(&self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Socket(socket) => Ok(rustix::net::send(socket.as_ref(), bytes, SendFlags::NOSIGNAL)?),
            Self::Stream(_) => Err(io::ErrorKind::WouldBlock.into()),
        }
    }

    /// Writes without waiting.
    pub(super) fn try_write(&self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        match (self, slices) {
            (Self::Socket(socket), [only]) => socket.try_write(only),
            (Self::Socket(socket), several) => socket.try_write_vectored(several),
            (Self::Stream(_), _) => Err(io::ErrorKind::WouldBlock.into()),
        }
    }

    /// As [`try_write`](Self::try_write), and wakes the task of the connection once it is worth to try again.
    pub(super) fn poll_write(
        &mut self,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self {
            Self::Socket(socket) => Pin::new(socket).poll_write_vectored(cx, slices),
            Self::Stream(stream) => stream.as_mut().poll_write_vectored(cx, slices),
        }
    }

    /// Passes on what a stream has taken and keeps, as one does that encrypts. A socket keeps nothing.
    pub(super) fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            Self::Socket(_) => Poll::Ready(Ok(())),
            Self::Stream(stream) => stream.as_mut().poll_flush(cx),
        }
    }

    /// Lets the other side know that nothing follows.
    pub(super) fn poll_shutdown(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            Self::Socket(socket) => Pin::new(socket).poll_shutdown(cx),
            Self::Stream(stream) => stream.as_mut().poll_shutdown(cx),
        }
    }
}

impl fmt::Debug for Wire {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Socket(_) => "Socket",
            Self::Stream(_) => "Stream",
        })
    }
}
