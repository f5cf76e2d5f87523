//! What can go wrong between a program and a chat server.

use std::{fmt, io};

use chat_protocol::{Dialect, TextError};
use thiserror::Error;
use tokio_tungstenite::tungstenite::Error as WsError;
use tokio_tungstenite::tungstenite::error::ProtocolError;
use tokio_tungstenite::tungstenite::http::StatusCode;
use tokio_tungstenite::tungstenite::http::header::InvalidHeaderValue;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;

/// Why something could not be done.
///
/// What to do about it is told by the predicates; the cause stands behind [`source`](std::error::Error::source).
#[derive(Debug, Error)]
#[error(transparent)]
pub struct ClientError(Box<ErrorKind>);

#[derive(Debug, Error)]
pub(crate) enum ErrorKind {
    #[error("this is no URL of a chat server")]
    Url(#[source] WsError),
    #[error("the token or the cookie cannot stand in a header")]
    Credential(#[source] InvalidHeaderValue),
    #[error("the server cannot be reached")]
    Unreachable(#[source] io::Error),
    #[error("the server refused the connection with the status {0}")]
    Refused(StatusCode),
    #[error("the server did not answer as a WebSocket server does")]
    Handshake(#[source] WsError),
    #[error("the text cannot be sent")]
    Text(#[from] TextError),
    #[error("the dialect {0} has no form for this command")]
    NoForm(Dialect),
    #[error("the dialect {0} has no form for this command without a room, and the URL names none")]
    NoRoom(Dialect),
    #[error("the dialect {0} does not confirm what is posted to another room than that of the URL")]
    NotHeard(Dialect),
    #[error("the command is too long for one frame")]
    TooLong,
    #[error("as much waits to be sent as may")]
    Full,
    #[error("the client has ended")]
    Gone,
    #[error("{0} sends are not confirmed")]
    Unconfirmed(usize),
    #[error(transparent)]
    Ended(#[from] End),
}

/// The end of a connection, as its reader finds it.
#[derive(Debug, Error)]
#[error("{closed}")]
pub(crate) struct End {
    pub(crate) closed: Closed,
    /// What broke the connection; nothing where it was closed in good order.
    pub(crate) source: Option<Box<WsError>>,
}

/// How a connection ended.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Closed {
    /// The close code, as RFC 6455 has it: 1005 where the server gave none, 1006 where the connection ended without
    /// a word.
    pub code: u16,
    /// The reason that the server gave; often empty.
    pub reason: String,
}

impl Closed {
    const NORMAL: u16 = 1000;
    const PROTOCOL_ERROR: u16 = 1002;
    const NO_STATUS: u16 = 1005;
    const ABNORMAL: u16 = 1006;
    const INVALID_DATA: u16 = 1007;
    const TOO_BIG: u16 = 1009;

    /// As the server's close frame says.
    pub(crate) fn by_server(frame: Option<CloseFrame>) -> Self {
        match frame {
            Some(frame) => Self { code: frame.code.into(), reason: frame.reason.as_str().to_owned() },
            None => Self { code: Self::NO_STATUS, reason: String::new() },
        }
    }

    /// By this program.
    pub(crate) fn by_client() -> Self {
        Self { code: Self::NORMAL, reason: String::new() }
    }

    fn for_cause(error: &WsError) -> Self {
        let code = match error {
            // Only this side can have been closing: what the server closes is not written to any more.
            WsError::Protocol(ProtocolError::SendAfterClosing) => Self::NORMAL,
            WsError::Protocol(ProtocolError::ResetWithoutClosingHandshake) => Self::ABNORMAL,
            WsError::Protocol(_) => Self::PROTOCOL_ERROR,
            WsError::Utf8(_) => Self::INVALID_DATA,
            WsError::Capacity(_) => Self::TOO_BIG,
            _ => Self::ABNORMAL,
        };
        Self { code, reason: String::new() }
    }

    /// Whether the server, or what lies between, had a passing trouble: it went away, was lost, failed, restarts, or
    /// has too much to do.
    fn is_passing(&self) -> bool {
        matches!(self.code, 1001 | Self::ABNORMAL | 1011..=1014)
    }
}

impl fmt::Display for Closed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the connection was closed with the code {}", self.code)?;
        if !self.reason.is_empty() {
            write!(f, ": {:?}", self.reason)?;
        }
        Ok(())
    }
}

impl ErrorKind {
    /// What went wrong while writing.
    pub(crate) fn writing(error: WsError) -> Self {
        match error {
            WsError::WriteBufferFull(_) => Self::TooLong,
            other => End::lost(other).into(),
        }
    }

    /// What went wrong while connecting.
    pub(crate) fn connecting(error: WsError) -> Self {
        match error {
            WsError::Io(error) => Self::Unreachable(error),
            WsError::Http(response) => Self::Refused(response.status()),
            other => Self::Handshake(other),
        }
    }
}

impl End {
    /// This is what broke the connection.
    pub(crate) fn lost(error: WsError) -> Self {
        Self { closed: Closed::for_cause(&error), source: Some(Box::new(error)) }
    }
}

impl From<Closed> for End {
    fn from(closed: Closed) -> Self {
        Self { closed, source: None }
    }
}

impl From<End> for ClientError {
    fn from(end: End) -> Self {
        ErrorKind::from(end).into()
    }
}

impl From<ErrorKind> for ClientError {
    fn from(kind: ErrorKind) -> Self {
        Self(Box::new(kind))
    }
}

impl ClientError {
    /// Whether the server answered the handshake with something else than a WebSocket: a [`status`](Self::status)
    /// of 403 where one may not enter, of 404 where there is nothing.
    #[must_use]
    pub fn is_refused(&self) -> bool {
        self.status().is_some()
    }

    /// The HTTP status with which the server refused the connection.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        match &*self.0 {
            ErrorKind::Refused(status) => Some(status.as_u16()),
            _ => None,
        }
    }

    /// Whether the connection has ended, or the client that it belonged to; nothing can be sent or received over it any
    /// more.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        matches!(&*self.0, ErrorKind::Ended(_) | ErrorKind::Gone)
    }

    /// Whether nothing was sent because as much waits as may. It may be tried again once something is confirmed.
    #[must_use]
    pub fn is_full(&self) -> bool {
        matches!(&*self.0, ErrorKind::Full)
    }

    /// How the connection ended.
    #[must_use]
    pub fn closed(&self) -> Option<&Closed> {
        match &*self.0 {
            ErrorKind::Ended(end) => Some(&end.closed),
            _ => None,
        }
    }

    /// Whether the command is to blame: the dialect has no form for it, or its text cannot be sent. Nothing was sent,
    /// and the connection is as good as before.
    #[must_use]
    pub fn is_invalid_command(&self) -> bool {
        match &*self.0 {
            ErrorKind::Text(_)
            | ErrorKind::NoForm(_)
            | ErrorKind::NoRoom(_)
            | ErrorKind::NotHeard(_)
            | ErrorKind::TooLong => true,
            ErrorKind::Url(_)
            | ErrorKind::Credential(_)
            | ErrorKind::Unreachable(_)
            | ErrorKind::Refused(_)
            | ErrorKind::Handshake(_)
            | ErrorKind::Full
            | ErrorKind::Gone
            | ErrorKind::Unconfirmed(_)
            | ErrorKind::Ended(_) => false,
        }
    }

    /// Whether a new connection may do better: the server could not be reached, was lost, or said that it is busy,
    /// broken or restarting.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        match &*self.0 {
            ErrorKind::Unreachable(_) => true,
            ErrorKind::Refused(status) => {
                status.is_server_error()
                    || matches!(*status, StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS)
            }
            ErrorKind::Ended(end) => end.closed.is_passing(),
            ErrorKind::Url(_)
            | ErrorKind::Credential(_)
            | ErrorKind::Handshake(_)
            | ErrorKind::Text(_)
            | ErrorKind::NoForm(_)
            | ErrorKind::NoRoom(_)
            | ErrorKind::NotHeard(_)
            | ErrorKind::TooLong
            | ErrorKind::Full
            | ErrorKind::Gone
            | ErrorKind::Unconfirmed(_) => false,
        }
    }
}
