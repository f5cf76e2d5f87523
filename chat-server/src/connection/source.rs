//! Where frames are read from.

use std::fmt;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, ReadBuf};
use tokio::net::tcp::OwnedReadHalf;

/// The way into a connection.
pub(super) enum Source {
    /// A plain socket.
    Socket(OwnedReadHalf),
    /// Anything else.
    Stream(Pin<Box<dyn AsyncRead + Send>>),
}

impl AsyncRead for Source {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Socket(socket) => Pin::new(socket).poll_read(cx, bytes),
            Self::Stream(stream) => stream.as_mut().poll_read(cx, bytes),
        }
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Socket(_) => "Socket",
            Self::Stream(_) => "Stream",
        })
    }
}
