//! Why a call failed.

use chat_core::StorageError;
use rusqlite::ffi::SQLITE_CONSTRAINT_FOREIGNKEY;

/// A [`StorageError`] on its way out of a call, where `?` makes it of what SQLite says, too.
#[derive(Debug)]
pub(super) struct Failure(StorageError);

impl From<StorageError> for Failure {
    fn from(error: StorageError) -> Self {
        Self(error)
    }
}

impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Self {
        Self(match error.sqlite_error() {
            Some(refused) if refused.extended_code == SQLITE_CONSTRAINT_FOREIGNKEY => {
                StorageError::Missing { what: "room or user" }
            }
            _ => StorageError::database(error),
        })
    }
}

impl From<Failure> for StorageError {
    fn from(Failure(error): Failure) -> Self {
        error
    }
}
