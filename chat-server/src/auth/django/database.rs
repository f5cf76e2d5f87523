//! Looks into a Django project's database, and never writes to it.

use std::time::Duration;

use chat_core::StorageError;
use futures::TryStreamExt;
use futures::stream::BoxStream;
use sqlx::sqlite::{SqliteConnectOptions, SqlitePool, SqlitePoolOptions};
use sqlx::{AssertSqlSafe, FromRow, query_as};

use super::signing::MAX_BYTES;
use super::{DjangoConfig, DjangoDatabase, DjangoError};
use crate::storage::PostgresPool;

/// Most connections at once. What is looked up here is looked up by its key.
const CONNECTIONS: u32 = 4;

/// How long to wait for a connection, a lock or an answer; of PostgreSQL, for all of it together.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long a connection to an SQLite file is used: it may be replaced by another one of the same name.
const LIFETIME: Duration = Duration::from_mins(1);

/// A row of `django_session`.
#[derive(FromRow)]
pub(super) struct SessionRow {
    pub(super) key: String,
    pub(super) data: String,
    /// In UTC, such as `2031-01-02 03:04:05.678900`.
    pub(super) expire_date: String,
}

/// An active user.
#[derive(FromRow)]
pub(super) struct Account {
    pub(super) id: i64,
    pub(super) username: String,
    pub(super) password: String,
}

/// The database of a Django project.
#[derive(Debug)]
pub(super) struct Database {
    pool: Pool,
    sessions: String,
    accounts: String,
}

#[derive(Debug)]
enum Pool {
    Sqlite(SqlitePool),
    Postgres(Box<PostgresPool>),
}

impl Database {
    /// Gets ready to connect when there is something to look up.
    pub(super) fn new(config: &DjangoConfig) -> Result<Self, DjangoError> {
        let table = identifier("user_table", &config.user_table)?;
        let username = identifier("username_column", &config.username_column)?;
        let pool = Pool::new(&config.database);
        // A list is one parameter, so that there is one statement whatever its length.
        let (expire_date, in_list) = match pool {
            Pool::Sqlite(_) => ("expire_date", "IN (SELECT value FROM json_each($1))"),
            Pool::Postgres(_) => {
                ("to_char(expire_date AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US')", "= ANY($1)")
            }
        };
        let sessions = format!(
            "SELECT session_key AS key, session_data AS data, {expire_date} AS expire_date FROM django_session \
             WHERE session_key {in_list} AND length(session_data) <= {MAX_BYTES}"
        );
        let accounts = format!(
            "SELECT CAST(id AS bigint) AS id, CAST({username} AS text) AS username, password FROM {table} \
             WHERE id {in_list} AND is_active"
        );
        Ok(Self { pool, sessions, accounts })
    }

    /// The sessions with these keys.
    pub(super) async fn sessions(
        &self,
        keys: &[&str],
        each: impl FnMut(SessionRow) + Send,
    ) -> Result<(), StorageError> {
        let sql = AssertSqlSafe(self.sessions.as_str());
        match &self.pool {
            Pool::Sqlite(pool) => read(query_as(sql).bind(json_list(keys)?).fetch(pool), each).await,
            Pool::Postgres(pool) => {
                pool.run(async |asked| read(query_as(sql).bind(keys).fetch(asked), each).await).await
            }
        }
    }

    /// Those of these users who exist and are active.
    pub(super) async fn accounts(
        &self,
        ids: &[i64],
        each: impl FnMut(Account) + Send,
    ) -> Result<(), StorageError> {
        let sql = AssertSqlSafe(self.accounts.as_str());
        match &self.pool {
            Pool::Sqlite(pool) => read(query_as(sql).bind(json_list(ids)?).fetch(pool), each).await,
            Pool::Postgres(pool) => {
                pool.run(async |asked| read(query_as(sql).bind(ids).fetch(asked), each).await).await
            }
        }
    }
}

/// Takes rows as they come.
async fn read<R>(
    mut rows: BoxStream<'_, Result<R, sqlx::Error>>,
    mut each: impl FnMut(R),
) -> Result<(), StorageError> {
    while let Some(row) = rows.try_next().await.map_err(StorageError::database)? {
        each(row);
    }
    Ok(())
}

impl Pool {
    fn new(database: &DjangoDatabase) -> Self {
        match database {
            DjangoDatabase::Sqlite(path) => {
                let options =
                    SqliteConnectOptions::new().filename(path).read_only(true).busy_timeout(PATIENCE);
                let pool = SqlitePoolOptions::new()
                    .max_connections(CONNECTIONS)
                    .acquire_timeout(PATIENCE)
                    .max_lifetime(LIFETIME);
                Self::Sqlite(pool.connect_lazy_with(options))
            }
            DjangoDatabase::Postgres(options) => {
                let timeout = PATIENCE.as_millis().to_string();
                let options = options.as_ref().clone().options([
                    ("default_transaction_read_only", "on"),
                    ("statement_timeout", timeout.as_str()),
                ]);
                Self::Postgres(Box::new(PostgresPool::new(options, PATIENCE, CONNECTIONS)))
            }
        }
    }
}

fn json_list(items: &[impl serde::Serialize]) -> Result<String, StorageError> {
    serde_json::to_string(items).map_err(StorageError::database)
}

/// Quotes the name of a table or a column.
fn identifier(setting: &'static str, name: &str) -> Result<String, DjangoError> {
    let fits = (1..=63).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if fits { Ok(format!("\"{name}\"")) } else { Err(DjangoError::InvalidIdentifier { setting }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_could_end_the_quotes_are_refused() {
        assert_eq!(identifier("user_table", "accounts_User2").unwrap(), "\"accounts_User2\"");
        for name in ["", "a b", "a\"b", "a;", "a.b", "ä", &"x".repeat(64)] {
            assert!(identifier("user_table", name).is_err(), "{name:?}");
        }
    }
}
