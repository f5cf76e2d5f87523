//! The database of a run.

use std::path::PathBuf;
use std::sync::Arc;

use chat_core::Storage;
use chat_server::storage::SqliteStorage;
use tempfile::TempDir;

/// A database that nothing else uses. Dropped, it is gone.
#[derive(Debug)]
pub enum TestDatabase {
    /// An SQLite database in a folder of its own.
    Sqlite(TempDir),
}

impl TestDatabase {
    /// An SQLite database.
    #[must_use]
    pub fn sqlite() -> Self {
        Self::Sqlite(tempfile::tempdir().expect("a temporary directory can be made"))
    }

    /// Its URL, for the server.
    #[must_use]
    pub fn url(&self) -> String {
        match self {
            Self::Sqlite(folder) => format!("sqlite:{}", path_in(folder).display()),
        }
    }

    /// Opens it, beside the server.
    pub async fn open(&self) -> Arc<dyn Storage> {
        match self {
            Self::Sqlite(folder) => {
                Arc::new(SqliteStorage::open(&path_in(folder)).await.expect("the database can be opened"))
            }
        }
    }
}

fn path_in(folder: &TempDir) -> PathBuf {
    folder.path().join("chat.db")
}
