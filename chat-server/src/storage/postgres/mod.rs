//! PostgreSQL, also for several servers on the same database.
//!
//! Numbers of a room are given out under a lock of its row, in the transaction that stores the messages, so that they have
//! no gaps and one order, whichever server stores them. What is confirmed is as durable as the database makes its commits;
//! by default it is on the disk.
//!
//! Every call has a bound. The server is told shorter ones ([`PostgresStorage::open`]), so that a slow statement ends
//! with an error and its connection stays; what the server does not answer at all ends here, together with the
//! connection (`pool.rs`).

mod accounts;
mod append;
mod messages;
mod notifications;
mod pool;
mod profiles;
mod rooms;
mod upkeep;
mod users;

use std::sync::Arc;
use std::sync::atomic::AtomicI64;
use std::time::Duration;

use async_trait::async_trait;
use chat_core::StorageError;
use sqlx::ConnectOptions;
use sqlx::migrate::{Migrate, MigrateError, Migrator};
use sqlx::postgres::PgConnection;

use super::{Migrated, ServerStorage, ledger, migration_failed, newest_version, row};
use crate::config::PostgresUrl;
pub(crate) use pool::Pool;
use pool::within;

static MIGRATIONS: Migrator = sqlx::migrate!("migrations/postgres");

/// How long bringing the tables up to date may take, or waiting for another server that does.
const MIGRATE_WITHIN: Duration = Duration::from_mins(10);

/// After how many seconds of silence the server looks whether the other end of a connection is still there.
const KEEPALIVE_SECONDS: &str = "60";

/// How to reach a PostgreSQL database, and how long to wait for it.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct PostgresOptions {
    /// Where it is, and who one is there.
    pub url: PostgresUrl,
    /// How long a call may take. Default 10 seconds.
    pub answer_within: Duration,
    /// Most connections at once. Default 8.
    pub connections: u32,
}

impl PostgresOptions {
    /// The database at this URL, and everything else at its default.
    #[must_use]
    pub const fn new(url: PostgresUrl) -> Self {
        Self { url, answer_within: Duration::from_secs(10), connections: 8 }
    }
}

/// A [`Storage`](chat_core::Storage) in a PostgreSQL database.
#[derive(Debug, Clone)]
pub struct PostgresStorage {
    pool: Arc<Pool>,
    /// How often members had changed when that was last asked.
    last_changes: Arc<AtomicI64>,
    migrated: Migrated,
}

impl PostgresStorage {
    /// Connects, and brings the tables up to date. Several servers may do so at once.
    ///
    /// # Errors
    ///
    /// [`StorageError::NewerSchema`] where a newer version has made the tables; [`StorageError`] where the database
    /// cannot be reached, or refuses.
    pub async fn open(options: &PostgresOptions) -> Result<Self, StorageError> {
        let mut connect = options.url.options().clone();
        if connect.get_application_name().is_none() {
            connect = connect.application_name("chat-server");
        }
        let connecting = async { connect.connect().await.map_err(failed) };
        let mut connection = within(options.answer_within, connecting).await?;
        let migrated = within(MIGRATE_WITHIN, migrate(&mut connection)).await?;
        // A statement ends at half of a call's time, so that the server can say so. Waiting for a lock is part of it.
        let statement = (options.answer_within / 2).as_millis().max(1).to_string();
        // A transaction that hears nothing more is one whose other end is gone: its locks must not stay.
        let silence = options.answer_within.as_millis().max(1).to_string();
        let connect = connect.options([
            ("statement_timeout", statement.as_str()),
            ("idle_in_transaction_session_timeout", silence.as_str()),
            ("tcp_keepalives_idle", KEEPALIVE_SECONDS),
        ]);
        let pool = Pool::new(connect, options.answer_within, options.connections);
        Ok(Self { pool: Arc::new(pool), last_changes: Arc::default(), migrated })
    }
}

#[async_trait]
impl ServerStorage for PostgresStorage {
    async fn close(&self) {
        self.pool.close().await;
    }

    fn migrated(&self) -> Migrated {
        self.migrated
    }
}

/// On a connection of its own, whose statements may take as long as they need.
async fn migrate(connection: &mut PgConnection) -> Result<Migrated, StorageError> {
    let cannot = |error| migration_failed(&MIGRATIONS, error);
    let from = schema_version(connection).await.map_err(cannot)?;
    MIGRATIONS.run(connection).await.map_err(cannot)?;
    Ok(Migrated { from, to: newest_version(&MIGRATIONS) })
}

/// The version of the tables of a database; `None` where there are none.
async fn schema_version(connection: &mut PgConnection) -> Result<Option<i64>, MigrateError> {
    connection.lock().await?;
    connection.ensure_migrations_table(&MIGRATIONS.table_name).await?;
    let applied = connection.list_applied_migrations(&MIGRATIONS.table_name).await?;
    connection.unlock().await?;
    Ok(applied.iter().map(|migration| migration.version).max())
}

/// Why a query failed.
fn failed(error: sqlx::Error) -> StorageError {
    match error.as_database_error() {
        Some(refused) if refused.is_foreign_key_violation() => StorageError::Missing { what: "room or user" },
        _ => StorageError::database(error),
    }
}
