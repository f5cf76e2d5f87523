//! A copy of the database, taken while others write to it.

use std::path::Path;

use chat_core::StorageError;

use super::{SqliteStorage, apart, connect};

impl SqliteStorage {
    /// Copies the database in a file, as it is at one moment, into another file, which must be empty or not there.
    ///
    /// Changes nothing in the database, not even the version of its tables, and keeps nobody from writing to it. The copy
    /// is not yet on the disk when this returns.
    ///
    /// # Errors
    ///
    /// [`StorageError`] where the database cannot be read, or the copy cannot be written.
    pub async fn copy(database: &Path, to: &Path) -> Result<(), StorageError> {
        let to = to.to_str().ok_or_else(|| StorageError::database("the name of the copy is not UTF-8"))?;
        let (database, to) = (database.to_owned(), to.to_owned());
        apart(move || {
            connect::reader(&database)?.execute("VACUUM INTO ?", [to])?;
            Ok(())
        })
        .await
    }
}
