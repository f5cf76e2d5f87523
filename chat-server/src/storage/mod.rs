//! Databases as a [`Storage`], for accounts as well.

mod ledger;
mod memory;
mod postgres;
mod row;
mod sqlite;

use std::sync::Arc;

use async_trait::async_trait;
use chat_core::memory::MemoryStorage;
use chat_core::storage::UserStorage;
use chat_core::{Storage, StorageError};
use sqlx::migrate::{MigrateError, Migrator};

use crate::ServerError;
use crate::accounts::AccountStorage;
use crate::config::{Config, Database};

pub use memory::MemoryAccounts;
pub(crate) use postgres::Pool as PostgresPool;
pub use postgres::{PostgresOptions, PostgresStorage};
pub use sqlite::SqliteStorage;

/// Most sessions of one user; a further one ends the oldest.
const SESSIONS_PER_USER: u32 = 100;

/// Most notifications that a further one removes, for a user who has many more than are kept now: from before there was a
/// bound.
const SURPLUS_AT_ONCE: u32 = 100;

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

/// Where a server keeps what it keeps.
#[derive(Debug, Clone)]
pub struct Stores {
    /// Rooms, messages and people.
    pub chat: Arc<dyn Storage>,
    /// Accounts and sessions.
    pub accounts: Arc<dyn AccountStorage>,
    /// The database that both are in, if any.
    database: Option<Arc<dyn ServerStorage>>,
}

impl Stores {
    /// Everything in one database.
    #[must_use]
    pub fn within(database: Arc<dyn ServerStorage>) -> Self {
        Self { chat: database.clone(), accounts: database.clone(), database: Some(database) }
    }

    /// Everything in memory, and forgotten at the end of the process.
    #[must_use]
    pub fn in_memory() -> Self {
        let chat: Arc<dyn Storage> = Arc::new(MemoryStorage::new());
        let accounts = Arc::new(MemoryAccounts::new(chat.clone()));
        Self { chat, accounts, database: None }
    }

    /// Ends all connections, when what is under way is done.
    pub(crate) async fn close(&self) {
        if let Some(database) = &self.database {
            database.close().await;
        }
    }
}

/// Opens what the settings say for a server.
pub(crate) async fn open(config: &Config) -> Result<Stores, ServerError> {
    if !matches!(config.database, Database::Memory) {
        return open_database(config).await.map(Stores::within);
    }
    let stores = Stores::in_memory();
    reserve_user_ids(&*stores.chat, config).await?;
    Ok(stores)
}

/// Opens the database of the settings.
pub(crate) async fn open_database(config: &Config) -> Result<Arc<dyn ServerStorage>, ServerError> {
    let database = &config.database;
    let opened: Result<Arc<dyn ServerStorage>, StorageError> = match database {
        Database::SqliteFile(path) => SqliteStorage::open(path).await.map(in_common),
        Database::Memory => return Err(ServerError::NoDatabase),
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
    reserve_user_ids(&*storage, config).await?;
    Ok(storage)
}

/// Leaves ids to the system that gives them out, where there is one: people of whom only this server knows, such as those
/// whom an import makes, must not be taken for its users.
async fn reserve_user_ids(
    users: &(impl UserStorage + Sync + ?Sized),
    config: &Config,
) -> Result<(), ServerError> {
    let Some(up_to) = config.auth.ids_of_others() else { return Ok(()) };
    let failed = |source| ServerError::OpenDatabase { database: config.database.clone(), source };
    users.reserve_user_ids(up_to).await.map_err(failed)
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

#[cfg(test)]
mod tests {
    use chat_protocol::UserId;

    use super::*;
    use crate::auth::{DjangoConfig, JwtConfig, JwtKey, SecretKey};
    use crate::config::Auth;

    #[tokio::test]
    async fn people_of_this_server_have_ids_of_their_own_where_others_give_them_out() {
        let django = || {
            let key = SecretKey::new("secret").unwrap();
            Auth::Django(Box::new(DjangoConfig::new("sqlite:db.sqlite3".parse().unwrap(), key)))
        };
        let jwt = || Auth::Jwt(JwtConfig::new(JwtKey::secret(&[7; 32]).unwrap()));
        for database in [Database::Memory, Database::SqliteMemory] {
            for (auth, apart) in [(Auth::Guest, false), (django(), true), (jwt(), true)] {
                let config = Config { auth, database: database.clone(), ..Config::default() };
                let stores = open(&config).await.unwrap();
                let amy = stores.chat.ensure_user(&"amy".parse().unwrap()).await.unwrap();
                assert_eq!(amy.id.value() > 1 << 52, apart, "{config:?}");
                let admin = stores.chat.adopt_user(UserId::new(1).unwrap(), &"admin".parse().unwrap()).await;
                assert_eq!(stores.chat.user(amy.id).await.unwrap() == Some(amy), apart, "{admin:?}");
            }
        }
    }
}
