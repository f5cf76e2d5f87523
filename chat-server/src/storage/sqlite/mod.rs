//! SQLite: the embedded default.
//!
//! One connection writes, some read. SQLite has one writer at a time anyway; waiting for it in line here is cheaper,
//! and fairer, than in SQLite's own busy loop. The journal is a write-ahead log, so that readers never wait for the
//! writer, and every commit is on the disk before it is confirmed (`synchronous=FULL`).

mod accounts;
mod append;
mod backup;
mod messages;
mod notifications;
mod profiles;
mod rooms;
mod upkeep;
mod users;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicI64;
use std::time::Duration;

use async_trait::async_trait;
use chat_core::StorageError;
use sqlx::Connection;
use sqlx::migrate::Migrator;
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};

use super::{Migrated, ServerStorage, failed, ledger, migration_failed, newest_version, row, schema_version};

static MIGRATIONS: Migrator = sqlx::migrate!("migrations/sqlite");

/// Most connections that read at once.
const READERS: u32 = 4;

/// How long a write waits for another process (a backup, the `sqlite3` shell) that holds the database.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// After so many pages of 4 KiB in the write-ahead log, they go where they belong; a commit that comes just then waits for
/// it.
const CHECKPOINT_PAGES: &str = "4000";

/// How long a call waits for its turn.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(10);

/// A [`Storage`](chat_core::Storage) in an SQLite database.
#[derive(Debug, Clone)]
pub struct SqliteStorage {
    writer: SqlitePool,
    readers: SqlitePool,
    /// What SQLite counted of the writes of others when it was last asked.
    last_version: Arc<AtomicI64>,
    migrated: Migrated,
}

impl SqliteStorage {
    /// Opens the database in a file, makes it where there is none, and brings its tables up to date.
    ///
    /// # Errors
    ///
    /// [`StorageError::NewerSchema`] where a newer version has made the database; [`StorageError`] where the file cannot
    /// be opened, or is no database.
    pub async fn open(path: &Path) -> Result<Self, StorageError> {
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            // What SQLite needs to undo a statement would otherwise be a file for every batch.
            .pragma("temp_store", "MEMORY")
            .pragma("wal_autocheckpoint", CHECKPOINT_PAGES)
            .foreign_keys(true)
            .busy_timeout(BUSY_TIMEOUT);
        // SQLite ends a transaction by itself where the disk is full, of which the driver keeps no count: such a connection
        // could begin none any more. The pool makes another one in its place.
        let writer = pool(1)
            .after_release(|connection, _| {
                Box::pin(async move {
                    connection.ping().await?;
                    Ok(!connection.is_in_transaction())
                })
            })
            .connect_with(options.clone())
            .await
            .map_err(failed)?;
        let migrated = migrate(&writer).await?;
        let readers = pool(READERS).connect_with(options.read_only(true)).await.map_err(failed)?;
        Ok(Self { writer, readers, last_version: Arc::default(), migrated })
    }

    /// Makes a database in memory, which ends with this value.
    ///
    /// # Errors
    ///
    /// [`StorageError`] where SQLite cannot make one.
    pub async fn in_memory() -> Result<Self, StorageError> {
        let options = SqliteConnectOptions::new().in_memory(true).foreign_keys(true);
        let only = pool(1).connect_with(options).await.map_err(failed)?;
        let migrated = migrate(&only).await?;
        Ok(Self { writer: only.clone(), readers: only, last_version: Arc::default(), migrated })
    }
}

#[async_trait]
impl ServerStorage for SqliteStorage {
    async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }

    fn migrated(&self) -> Migrated {
        self.migrated
    }
}

/// A pool whose connections stay: a database in memory ends with its only one.
fn pool(connections: u32) -> SqlitePoolOptions {
    SqlitePoolOptions::new()
        .min_connections(1)
        .max_connections(connections)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .idle_timeout(None)
        .max_lifetime(None)
}

async fn migrate(writer: &SqlitePool) -> Result<Migrated, StorageError> {
    let cannot = |error| migration_failed(&MIGRATIONS, error);
    let mut connection = writer.acquire().await.map_err(failed)?;
    let from = schema_version(&MIGRATIONS, &mut *connection).await.map_err(cannot)?;
    MIGRATIONS.run(&mut *connection).await.map_err(cannot)?;
    Ok(Migrated { from, to: newest_version(&MIGRATIONS) })
}
