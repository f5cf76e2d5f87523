//! Databases as a [`Storage`](chat_core::Storage).

mod sqlite;

use crate::ServerError;
use crate::config::Database;

pub use sqlite::SqliteStorage;

/// Opens the database of the settings.
pub(crate) async fn open(database: &Database) -> Result<SqliteStorage, ServerError> {
    let opened = match database {
        Database::SqliteFile(path) => SqliteStorage::open(path).await,
        Database::SqliteMemory => SqliteStorage::in_memory().await,
    };
    opened.map_err(|source| ServerError::OpenDatabase { database: database.clone(), source })
}
