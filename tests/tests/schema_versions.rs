//! What becomes of the tables of a database when servers of different versions open it.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests fail as tests do")]

use chat_core::storage::{Access, NewRoom, Purpose, User};
use chat_core::{Storage, StorageError};
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

/// An earlier version has made a room for a listing, under a text that does not say whose the listing was.
async fn the_room_of_a_listing_is_found_while_its_owner_is_the_same(
    storage: &impl Storage,
    execute: impl AsyncFnOnce(&'static str),
) {
    let user = async |name: &str| storage.ensure_user(&name.parse().unwrap()).await.unwrap();
    let [amy, alice, bob] = [user("amy").await, user("alice").await, user("bob").await];
    let room_with = async |owner: &User, name: &str| {
        let purpose = Purpose::Listing { listing: 5, owner: owner.id, caller: amy.id };
        let room = NewRoom {
            name: name.parse().unwrap(),
            display_name: None,
            access: Access::MembersOnly,
            owner: None,
            members: vec![amy.id, owner.id],
        };
        storage.room_for(purpose, &room).await.unwrap()
    };
    let made = room_with(&alice, "made").await;
    assert_eq!(amy.id.value(), 1);
    execute("UPDATE rooms SET purpose = 'listing:5:1'").await;
    assert_eq!(room_with(&alice, "again").await, made);
    let other = room_with(&bob, "other").await;
    assert_ne!(other, made, "alice is in it, and bob is not");
    assert_eq!(room_with(&bob, "once-more").await, other);
    assert_eq!(room_with(&alice, "and-back").await, made);
}

#[tokio::test]
async fn sqlite_rooms_of_listings_are_found() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("chat.db");
    let storage = SqliteStorage::open(&path).await.unwrap();
    let mut connection = SqliteConnection::connect(&format!("sqlite:{}", path.display())).await.unwrap();
    the_room_of_a_listing_is_found_while_its_owner_is_the_same(&storage, async |sql: &'static str| {
        sqlx::query(sql).execute(&mut connection).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn postgres_rooms_of_listings_are_found() {
    let postgres = Postgres::shared();
    let database = postgres.fresh_database();
    let storage = PostgresStorage::open(&options(postgres, &database)).await.unwrap();
    the_room_of_a_listing_is_found_while_its_owner_is_the_same(&storage, async |sql: &'static str| {
        postgres.execute(&database, sql);
    })
    .await;
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
