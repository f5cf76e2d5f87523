//! How connections end.

use bytes::Bytes;
use tokio_tungstenite::tungstenite::Error;
use tokio_tungstenite::tungstenite::error::CapacityError;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::frame::{CloseFrame, Frame};

/// Why a connection ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// The client has closed it; tungstenite has answered.
    Closed,
    /// The connection broke.
    Broken,
    /// The client gave no sign of life.
    Mute,
    /// More waits for the client than may.
    TooSlow,
    /// The server stops.
    Stopping,
    /// Who the client is holds no longer: the session has ended, the token has expired.
    SignedOut,
    /// The client may not be in its room any more.
    Removed,
    /// A frame is over the limit.
    FrameTooLong,
    /// A text frame is not UTF-8.
    NotUtf8,
    /// The client breaks RFC 6455.
    ProtocolViolation,
}

impl End {
    pub(super) const fn of(error: &Error) -> Self {
        match error {
            Error::Capacity(CapacityError::MessageTooLong { .. }) => Self::FrameTooLong,
            Error::Utf8(_) => Self::NotUtf8,
            Error::ConnectionClosed | Error::AlreadyClosed => Self::Closed,
            // The client hung up without closing: there is nobody left to tell.
            Error::Protocol(
                tokio_tungstenite::tungstenite::error::ProtocolError::ResetWithoutClosingHandshake,
            ) => Self::Broken,
            Error::Protocol(_) => Self::ProtocolViolation,
            _ => Self::Broken,
        }
    }

    /// Its name among the figures.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Broken => "broken",
            Self::Mute => "mute",
            Self::TooSlow => "too_slow",
            Self::Stopping => "stopping",
            Self::SignedOut => "signed_out",
            Self::Removed => "removed",
            Self::FrameTooLong => "frame_too_long",
            Self::NotUtf8 => "not_utf8",
            Self::ProtocolViolation => "protocol_violation",
        }
    }

    /// How to part.
    pub(super) fn farewell(self) -> Farewell {
        let (code, reason) = match self {
            Self::Broken | Self::Mute | Self::TooSlow => return Farewell::None,
            Self::Closed => return Farewell::Answered,
            Self::Stopping => (CloseCode::Away, "the server is stopping"),
            Self::SignedOut => (CloseCode::Library(4401), "signed out"),
            Self::Removed => (CloseCode::Library(4403), "not a member any more"),
            Self::FrameTooLong => (CloseCode::Size, "the frame is too long"),
            Self::NotUtf8 => (CloseCode::Invalid, "the text is not UTF-8"),
            Self::ProtocolViolation => (CloseCode::Protocol, "not the WebSocket protocol"),
        };
        encode(Frame::close(Some(CloseFrame { code, reason: reason.into() })))
            .map_or(Farewell::None, Farewell::Close)
    }
}

/// How to part from a client.
#[derive(Debug)]
pub(super) enum Farewell {
    /// At once, without a word.
    None,
    /// Once what waits has been sent; the close frame is among it.
    Answered,
    /// Once what waits has been sent, and this close frame behind it.
    Close(Bytes),
}

/// The bytes of a frame from a server.
pub(super) fn encode(frame: Frame) -> Option<Bytes> {
    let mut bytes = Vec::with_capacity(frame.len());
    frame.format(&mut bytes).ok()?;
    Some(bytes.into())
}
