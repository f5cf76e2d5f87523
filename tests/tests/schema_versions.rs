//! What becomes of the tables of a database when servers of different versions open it.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests fail as tests do")]

use chat_core::StorageError;
use chat_server::storage::{PostgresOptions, PostgresStorage, ServerStorage, SqliteStorage};
use chat_tests::postgres::Postgres;
use sqlx::Connection;
use sqlx::sqlite::SqliteConnection;

/// As a version would that has made one more change.
const ONE_MORE: &str = "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
                        SELECT max(version) + 1, 'later', true, '', 0 FROM _sqlx_migrations";

fn assert_refused(outcome: Result<impl ServerStorage, StorageError>) {
    match outcome {
        Err(StorageError::NewerSchema { found, known }) => assert_eq!(found, known + 1),
        other => panic!("tables of a newer version are left alone: {other:?}"),
    }
}

fn options(postgres: &Postgres, database: &str) -> PostgresOptions {
    PostgresOptions::new(postgres.url_of(database).parse().unwrap())
}

#[tokio::test]
async fn sqlite_tables_of_a_newer_version_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("chat.db");
    SqliteStorage::open(&path).await.unwrap().close().await;
    SqliteStorage::open(&path).await.unwrap().close().await;
    let mut connection = SqliteConnection::connect(&format!("sqlite:{}", path.display())).await.unwrap();
    sqlx::query(ONE_MORE).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
    assert_refused(SqliteStorage::open(&path).await);
}

#[tokio::test]
async fn postgres_tables_of_a_newer_version_are_refused() {
    let postgres = Postgres::shared();
    let database = postgres.fresh_database();
    for _ in 0..2 {
        PostgresStorage::open(&options(postgres, &database)).await.unwrap().close().await;
    }
    postgres.execute(&database, ONE_MORE);
    assert_refused(PostgresStorage::open(&options(postgres, &database)).await);
}
