//! What can go wrong with a database.

use std::error::Error as StdError;

use thiserror::Error;

/// Why a storage could not do what it was asked.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StorageError {
    /// The database failed, could not be reached, or did not answer in time; the same call may work later.
    #[error("the database failed")]
    Database(#[source] Box<dyn StdError + Send + Sync>),
    /// Something that the call builds upon is not there.
    #[error("the database has no such {what}")]
    Missing {
        /// What is not there.
        what: &'static str,
    },
    /// Something must be unique, and another one has it.
    #[error("{what} is taken")]
    Taken {
        /// What is taken.
        what: &'static str,
    },
    /// What the database holds makes no sense.
    #[error("the database holds something unreadable: {what}")]
    Corrupt {
        /// What was being read.
        what: &'static str,
    },
    /// A newer version has changed the tables of the database, in a way that this one does not know.
    #[error(
        "the database was made by a newer version: its tables are of version {found}, and this program knows those up \
         to {known}"
    )]
    NewerSchema {
        /// The version of the tables.
        found: i64,
        /// The newest version that is known.
        known: i64,
    },
}

impl StorageError {
    /// Wraps the error of a database driver.
    pub fn database(source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self::Database(source.into())
    }
}
