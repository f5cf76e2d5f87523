//! Databases as a [`Storage`], for accounts as well.

mod ledger;
mod postgres;
mod row;
mod sqlite;

use std::sync::Arc;

use async_trait::async_trait;
use chat_core::{Storage, StorageError};
use sqlx::migrate::{MigrateError, Migrator};

use crate::ServerError;
use crate::accounts::AccountStorage;
use crate::config::Database;

pub use postgres::{PostgresOptions, PostgresStorage};
pub use sqlite::SqliteStorage;

/// Most sessions of one user; a further one ends the oldest.
const SESSIONS_PER_USER: i64 = 100;

/// A database that holds everything that the server keeps.
#[async_trait]
pub trait ServerStorage: Storage + AccountStorage {
    /// Ends all connections, when what is under way is done.
    async fn close(&self);

    /// What opening it has done to its tables.
    fn migrated(&self) -> Migrated;
}

/// From which version to which the tables of a database were brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Migrated {
    /// The version before; `None` where there were no tables.
    pub from: Option<i64>,
    /// The version now: the newest that this program knows.
    pub to: i64,
}

/// Opens the database of the settings.
pub(crate) async fn open(database: &Database) -> Result<Arc<dyn ServerStorage>, ServerError> {
    let opened: Result<Arc<dyn ServerStorage>, StorageError> = match database {
        Database::SqliteFile(path) => SqliteStorage::open(path).await.map(in_common),
        Database::SqliteMemory => SqliteStorage::in_memory().await.map(in_common),
        Database::Postgres(url) => {
            PostgresStorage::open(&PostgresOptions::new(url.clone())).await.map(in_common)
        }
    };
    let storage =
        opened.map_err(|source| ServerError::OpenDatabase { database: database.clone(), source })?;
    let Migrated { from, to } = storage.migrated();
    if from != Some(to) {
        tracing::info!(from, to, "the tables of the database were brought up to date");
    }
    Ok(storage)
}

fn in_common(storage: impl ServerStorage) -> Arc<dyn ServerStorage> {
    Arc::new(storage)
}

/// The version that the tables of a database have when all migrations are applied.
fn newest_version(migrations: &Migrator) -> i64 {
    migrations.iter().map(|migration| migration.version).max().unwrap_or(0)
}

/// Why the tables of a database could not be brought up to date.
fn migration_failed(migrations: &Migrator, error: MigrateError) -> StorageError {
    match error {
        // The database says that it was applied; no migration of this program has the number.
        MigrateError::VersionMissing(found) => {
            StorageError::NewerSchema { found, known: newest_version(migrations) }
        }
        MigrateError::Execute(error) => StorageError::database(error),
        other => StorageError::database(other),
    }
}
