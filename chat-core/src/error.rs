//! What can go wrong between a client and the service.

use std::sync::Arc;

use chat_protocol::{ErrorCode, NameError, Refusal};
use thiserror::Error;

use crate::StorageError;

/// Why a client could not connect.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// There is no such room, or one may not enter it; the two look the same on purpose.
    #[error("no such room")]
    UnknownRoom,
    /// Storage did not answer.
    #[error("storage is not available")]
    Storage(#[from] StorageError),
    /// The service has been closed.
    #[error("the service is closed")]
    Closed,
}

/// Why a command was refused.
#[derive(Debug, Clone, Error)]
#[non_exhaustive]
pub enum CommandError {
    /// The connection is one that only listens.
    #[error("this connection only listens")]
    ListenOnly,
    /// There is no such room, or one may not enter it.
    #[error("no such room")]
    UnknownRoom,
    /// The connection does not carry the room.
    #[error("not a member of this room")]
    NotAMember,
    /// There is nobody of this name.
    #[error("no such user")]
    UnknownUser,
    /// A guest claims a name that [nobody may take](chat_protocol::Username::check_new).
    #[error("nobody may take this name")]
    InvalidName(#[source] NameError),
    /// There is no such message in the room.
    #[error("no such message")]
    UnknownMessage,
    /// Storage did not keep or find it; it may be tried again.
    #[error("storage is not available")]
    Storage(#[source] Arc<StorageError>),
    /// The service has been closed.
    #[error("the service is closed")]
    Closed,
}

impl CommandError {
    /// The code under which this travels to a client.
    #[must_use]
    pub const fn code(&self) -> ErrorCode {
        match self {
            Self::ListenOnly => ErrorCode::ListenOnly,
            Self::UnknownRoom => ErrorCode::UnknownRoom,
            Self::NotAMember => ErrorCode::NotAMember,
            Self::UnknownUser => ErrorCode::UnknownUser,
            Self::InvalidName(_) => ErrorCode::InvalidUsername,
            Self::UnknownMessage => ErrorCode::UnknownMessage,
            Self::Storage(_) => ErrorCode::Unavailable,
            Self::Closed => ErrorCode::ShuttingDown,
        }
    }
}

impl From<&CommandError> for Refusal {
    fn from(error: &CommandError) -> Self {
        Self::new(error.code())
    }
}

impl From<StorageError> for CommandError {
    fn from(error: StorageError) -> Self {
        Self::Storage(Arc::new(error))
    }
}
