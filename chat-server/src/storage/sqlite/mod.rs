//! SQLite: the embedded default.
//!
//! One connection writes, some read, each on a thread of its own (`worker.rs`). SQLite has one writer at a time anyway;
//! waiting for it in line here is cheaper, and fairer, than in SQLite's own busy loop. The journal is a write-ahead log,
//! so that readers never wait for the writer, and every commit is on the disk before it is confirmed
//! (`synchronous=FULL`).

mod accounts;
mod append;
mod backup;
mod connect;
mod failure;
mod messages;
mod migrate;
mod notifications;
mod profiles;
mod query;
mod queue;
mod rooms;
mod upkeep;
mod users;
mod worker;

use std::iter;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicI64;
use std::time::Duration;

use async_trait::async_trait;
use chat_core::StorageError;
use rusqlite::Connection;

use super::{Migrated, ServerStorage, ledger, migration_failed, newest_version, row};
use failure::Failure;
use worker::Workers;

/// How many connections read.
const READERS: usize = 4;

/// How long a call may take, waiting for its turn included.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);

/// A [`Storage`](chat_core::Storage) in an SQLite database.
#[derive(Debug, Clone)]
pub struct SqliteStorage {
    writer: Arc<Workers>,
    readers: Arc<Workers>,
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
        let path = path.to_owned();
        let (writer, migrated, readers) = apart(move || {
            let mut writer = connect::writer(&path)?;
            let migrated = migrate::migrate(&mut writer)?;
            let readers: Result<Vec<_>, _> =
                iter::repeat_with(|| connect::reader(&path)).take(READERS).collect();
            Ok((writer, migrated, readers?))
        })
        .await?;
        let writer = Workers::start("sqlite-writer", [writer], ANSWER_WITHIN)?;
        let readers = Workers::start("sqlite-reader", readers, ANSWER_WITHIN)?;
        Ok(Self {
            writer: Arc::new(writer),
            readers: Arc::new(readers),
            last_version: Arc::default(),
            migrated,
        })
    }

    /// Makes a database in memory, which ends with this value.
    ///
    /// # Errors
    ///
    /// [`StorageError`] where SQLite cannot make one.
    pub async fn in_memory() -> Result<Self, StorageError> {
        let (only, migrated) = apart(|| {
            let mut only = connect::in_memory()?;
            let migrated = migrate::migrate(&mut only)?;
            Ok((only, migrated))
        })
        .await?;
        let only = Arc::new(Workers::start("sqlite-memory", [only], ANSWER_WITHIN)?);
        Ok(Self { writer: Arc::clone(&only), readers: only, last_version: Arc::default(), migrated })
    }

    /// Asks for something.
    async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, StorageError> {
        self.readers.call(work).await
    }

    /// Changes something. Each statement is a transaction of its own.
    async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, StorageError> {
        self.writer.call(work).await
    }

    /// Changes something in one transaction.
    async fn transaction<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, StorageError> {
        self.writer.transaction(work).await
    }
}

#[async_trait]
impl ServerStorage for SqliteStorage {
    async fn close(&self) {
        // The writer last: it leaves nothing in the log.
        self.readers.close().await;
        self.writer.close().await;
    }

    fn migrated(&self) -> Migrated {
        self.migrated
    }
}

/// Does what waits for the disk on a thread that may.
async fn apart<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Failure> + Send + 'static,
) -> Result<T, StorageError> {
    Ok(tokio::task::spawn_blocking(work).await.map_err(StorageError::database)??)
}
