//! The database of a run.

use std::path::PathBuf;
use std::sync::Arc;

use chat_core::Storage;
use chat_server::storage::{PostgresOptions, PostgresStorage, SqliteStorage};
use tempfile::TempDir;
use tokio::task::spawn_blocking;

use super::history::Victim;
use crate::postgres::Postgres;

/// A database that nothing else uses. Dropped, it is gone.
#[derive(Debug)]
pub enum TestDatabase {
    /// An SQLite database in a folder of its own.
    Sqlite(TempDir),
    /// A PostgreSQL.
    Postgres(Arc<Postgres>),
}

impl TestDatabase {
    /// An SQLite database.
    #[must_use]
    pub fn sqlite() -> Self {
        Self::Sqlite(tempfile::tempdir().expect("a temporary directory can be made"))
    }

    /// A PostgreSQL database.
    #[must_use]
    pub fn postgres() -> Self {
        Self::Postgres(Arc::new(Postgres::start()))
    }

    /// Its URL, for the server.
    #[must_use]
    pub fn url(&self) -> String {
        match self {
            Self::Sqlite(folder) => format!("sqlite:{}", path_in(folder).display()),
            Self::Postgres(postgres) => postgres.url(),
        }
    }

    /// Opens it, beside the server.
    pub async fn open(&self) -> Arc<dyn Storage> {
        match self {
            Self::Sqlite(folder) => {
                Arc::new(SqliteStorage::open(&path_in(folder)).await.expect("the database can be opened"))
            }
            Self::Postgres(postgres) => {
                let options = PostgresOptions::new(postgres.url().parse().expect("a URL"));
                Arc::new(PostgresStorage::open(&options).await.expect("the database can be opened"))
            }
        }
    }

    /// What can be killed where this is the database.
    pub(super) const fn victims(&self) -> &'static [Victim] {
        match self {
            Self::Sqlite(_) => &[Victim::Server],
            Self::Postgres(_) => &[Victim::Server, Victim::Database],
        }
    }

    /// Kills it; one that lives within the server dies with that only.
    pub(super) async fn kill(&self) {
        if let Self::Postgres(postgres) = self {
            let postgres = Arc::clone(postgres);
            spawn_blocking(move || postgres.crash()).await.expect("the database runs and can be killed");
        }
    }

    /// Starts it after it was killed.
    pub(super) async fn restart(&self) {
        if let Self::Postgres(postgres) = self {
            let postgres = Arc::clone(postgres);
            spawn_blocking(move || postgres.restart()).await.expect("the database can be started again");
        }
    }
}

fn path_in(folder: &TempDir) -> PathBuf {
    folder.path().join("chat.db")
}
