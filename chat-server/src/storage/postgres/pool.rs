//! Connections, each used for one call at a time, and every call with an end.
//!
//! This is not sqlx's own pool. That one pings whatever comes back to it, also a connection that was given up in the
//! middle of a query, for as long as the answer takes: where a host is gone without a word, until the kernel gives up,
//! with a place in the pool taken meanwhile. And it takes a database that refuses connections for one that is about to
//! come up, so that every call waits for as long as it may. Here a call has one bound for everything: waiting for its
//! turn, connecting, asking. One that has passed it takes its connection with it.

use std::time::Duration;
use std::{fmt, mem};

use chat_core::StorageError;
use parking_lot::Mutex;
use sqlx::error::DatabaseError;
use sqlx::postgres::{PgArguments, PgConnectOptions, PgConnection, PgRow};
use sqlx::query::{Query, QueryAs};
use sqlx::{ConnectOptions, Connection, FromRow, Postgres};
use thiserror::Error;
use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::failed;

/// How every transaction begins, whatever the database has for a default: what it reads after it has been given a lock is
/// what was committed before.
const BEGIN: &str = "BEGIN ISOLATION LEVEL READ COMMITTED";

/// An idle connection that takes more than this share of a call's time to show that it still works does not.
const PING_SHARE: u32 = 4;

/// What a server says that is read-only, or is shutting down, has crashed, or is only starting; and what it says for as long
/// as a connection lives whose statements were made for tables that have changed since.
const OF_NO_MORE_USE: [&str; 5] = ["25006", "57P01", "57P02", "57P03", "0A000"];

/// A call took longer than it may.
#[derive(Debug, Error)]
#[error("PostgreSQL did not answer within {0:?}")]
struct NoAnswer(Duration);

/// No further calls are taken.
#[derive(Debug, Error)]
#[error("the connections to PostgreSQL are closed")]
struct Closed;

/// The server cannot write any more, as after a failover, is going away, or has other tables by now. To it, a connection may
/// work for as long as it lives, and is of no use.
fn is_of_no_more_use(error: &StorageError) -> bool {
    let StorageError::Database(source) = error else { return false };
    let refused = source.downcast_ref::<sqlx::Error>().and_then(sqlx::Error::as_database_error);
    let code = refused.and_then(DatabaseError::code);
    code.is_some_and(|code| OF_NO_MORE_USE.contains(&&*code))
}

/// Waits so long for an answer, and no longer.
pub(super) async fn within<T>(
    bound: Duration,
    call: impl Future<Output = Result<T, StorageError>>,
) -> Result<T, StorageError> {
    timeout(bound, call).await.unwrap_or_else(|_| Err(StorageError::database(NoAnswer(bound))))
}

/// What a row can be read as.
pub(super) trait Readable: for<'r> FromRow<'r, PgRow> + Send + Unpin {}

impl<R: for<'r> FromRow<'r, PgRow> + Send + Unpin> Readable for R {}

pub(crate) struct Pool {
    options: PgConnectOptions,
    answer_within: Duration,
    size: u32,
    places: Semaphore,
    idle: Mutex<Vec<PgConnection>>,
}

impl fmt::Debug for Pool {
    /// Without the options, which hold the password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool").field("size", &self.size).finish_non_exhaustive()
    }
}

impl Pool {
    /// Connects when there is something to ask.
    pub(crate) fn new(options: PgConnectOptions, answer_within: Duration, size: u32) -> Self {
        let places = Semaphore::new(usize::try_from(size).unwrap_or(Semaphore::MAX_PERMITS));
        Self { options, answer_within, size, places, idle: Mutex::default() }
    }

    /// Does something with a connection. Each statement is a transaction of its own.
    pub(crate) async fn run<T>(
        &self,
        work: impl AsyncFnOnce(&mut PgConnection) -> Result<T, StorageError>,
    ) -> Result<T, StorageError> {
        let call = async {
            let _place = self.places.acquire().await.map_err(|_| StorageError::database(Closed))?;
            let mut connection = self.connection().await?;
            let outcome = work(&mut connection).await;
            if outcome.as_ref().is_err_and(is_of_no_more_use) {
                // Those that are idle are to the same server.
                self.idle.lock().clear();
            } else {
                // A broken one is found out when it is next taken.
                self.idle.lock().push(connection);
            }
            outcome
        };
        // What is dropped in the middle, here or by the caller, does not get to give the connection back.
        within(self.answer_within, call).await
    }

    /// The first row of what is asked for.
    pub(super) async fn first<R: Readable>(
        &self,
        query: QueryAs<'_, Postgres, R, PgArguments>,
    ) -> Result<Option<R>, StorageError> {
        self.run(async |connection| query.fetch_optional(connection).await.map_err(failed)).await
    }

    /// All rows of what is asked for.
    pub(super) async fn all<R: Readable>(
        &self,
        query: QueryAs<'_, Postgres, R, PgArguments>,
    ) -> Result<Vec<R>, StorageError> {
        self.run(async |connection| query.fetch_all(connection).await.map_err(failed)).await
    }

    /// Does something that gives no rows, in a transaction of its own, and tells how many it has changed.
    pub(super) async fn execute(&self, query: Query<'_, Postgres, PgArguments>) -> Result<u64, StorageError> {
        let done = self.run(async |connection| query.execute(connection).await.map_err(failed)).await?;
        Ok(done.rows_affected())
    }

    /// Does something in one transaction, which is committed where it goes well.
    pub(super) async fn transaction<T>(
        &self,
        work: impl AsyncFnOnce(&mut PgConnection) -> Result<T, StorageError>,
    ) -> Result<T, StorageError> {
        self.run(async |connection| {
            let mut transaction = connection.begin_with(BEGIN).await.map_err(failed)?;
            let outcome = work(&mut transaction).await;
            if outcome.is_ok() {
                transaction.commit().await.map_err(failed)?;
            } else {
                // Now, and not with what is asked next: until then it would hold its locks. Where that fails, the
                // connection is broken, and the locks are gone with it.
                let _ = transaction.rollback().await;
            }
            outcome
        })
        .await
    }

    /// Takes no further calls, and ends all connections when those under way are done.
    pub(super) async fn close(&self) {
        let everything = self.places.acquire_many(self.size).await;
        self.places.close();
        drop(everything);
        let idle = mem::take(&mut *self.idle.lock());
        for connection in idle {
            // Where it cannot be told that this is the end, it will notice.
            let _ = timeout(self.answer_within, connection.close()).await;
        }
    }

    async fn connection(&self) -> Result<PgConnection, StorageError> {
        let idle = self.idle.lock().pop();
        if let Some(mut connection) = idle {
            if let Ok(Ok(())) = timeout(self.answer_within / PING_SHARE, connection.ping()).await {
                return Ok(connection);
            }
            // What has become of one has become of all: the database was gone, or the way to it.
            self.idle.lock().clear();
        }
        self.options.connect().await.map_err(failed)
    }
}
