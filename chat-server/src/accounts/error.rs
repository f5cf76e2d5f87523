//! What can keep somebody from signing up or in.

use std::time::Duration;

use chat_core::StorageError;
use chat_protocol::NameError;
use thiserror::Error;

use super::password::PasswordError;

/// Why nobody is signed in.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum LogInError {
    /// No account has this name, or it has another password, or it is closed: which one is not told.
    #[error("Please enter a correct username and password. Note that both fields may be case-sensitive.")]
    WrongCredentials,
    /// Too many attempts have failed.
    #[error("Too many attempts. Please try again later.")]
    Throttled {
        /// How long until the next one counts.
        wait: Duration,
    },
    /// Not the caller's fault.
    #[error(transparent)]
    Failed(#[from] Failure),
}

/// Why there is no account, or no new password.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum SignUpError {
    /// The name is none.
    #[error("Enter a valid username: {0}.")]
    Name(#[from] NameError),
    /// The password is none.
    #[error(transparent)]
    Password(#[from] PasswordError),
    /// Somebody else has the name.
    #[error("A user with that username already exists.")]
    NameTaken,
    /// Too many have signed up from one address.
    #[error("Too many attempts. Please try again later.")]
    Throttled {
        /// How long until the next one counts.
        wait: Duration,
    },
    /// Not the caller's fault.
    #[error(transparent)]
    Failed(#[from] Failure),
}

/// What went wrong on the side of the server.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Failure {
    /// More passwords wait to be hashed than will be done in good time.
    #[error("The server is busy. Please try again in a moment.")]
    Busy,
    /// The database failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// A password could not be hashed.
    #[error("a password cannot be hashed")]
    Hash(#[source] argon2::password_hash::Error),
    /// The system gives no randomness.
    #[error("the system gives no randomness")]
    Random(#[from] getrandom::Error),
    /// The server is stopping.
    #[error("the server is stopping")]
    Stopping,
}

impl From<StorageError> for LogInError {
    fn from(error: StorageError) -> Self {
        Self::Failed(error.into())
    }
}

impl From<StorageError> for SignUpError {
    fn from(error: StorageError) -> Self {
        Self::Failed(error.into())
    }
}
