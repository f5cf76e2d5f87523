//! What retention does in a database from which somebody has removed messages by hand.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use chat_core::Storage;
use chat_core::storage::{Keep, NewMessage};
use chat_protocol::{RoomId, Timestamp};
use chat_server::storage::{PostgresOptions, PostgresStorage, SqliteStorage};
use chat_tests::postgres::Postgres;
use rusqlite::Connection;

/// So many messages there are.
const STORED: i64 = 1_200;

/// Removes half of them by hand, more than one step of retention does.
const BY_HAND: &str = "DELETE FROM messages WHERE seq <= 600";

/// So many are removed in one step.
const AT_ONCE: u32 = 500;

/// A message of each microsecond, the first of which is the first.
async fn fill(storage: &impl Storage) -> RoomId {
    let room = storage.ensure_room(&"hall".parse().unwrap()).await.unwrap().id;
    let amy = storage.ensure_user(&"amy".parse().unwrap()).await.unwrap();
    let message = |number: i64| NewMessage {
        room,
        sender: amy.clone(),
        text: number.to_string().as_str().into(),
        sent_at: Timestamp::from_micros(number).unwrap(),
        client_id: None,
    };
    let messages: Vec<NewMessage> = (1..=STORED).map(message).collect();
    storage.append(&messages).await.unwrap();
    room
}

/// How many messages each step removes, until there is nothing more to remove.
async fn steps(storage: &impl Storage, room: RoomId, keep: Keep) -> Vec<u64> {
    let mut steps = Vec::new();
    loop {
        match storage.prune(room, &keep, AT_ONCE).await.unwrap() {
            0 => return steps,
            removed => steps.push(removed),
        }
    }
}

async fn numbers(storage: &impl Storage, room: RoomId) -> Vec<i64> {
    let stored = storage.messages_after(room, None, 2_000).await.unwrap();
    stored.iter().map(|message| message.seq.value()).collect()
}

/// Also a hole is passed, by number as by age.
async fn what_is_to_be_kept_is_left(storage: &impl Storage, room: RoomId, by_hand: impl Fn(&str)) {
    by_hand(BY_HAND);
    let newest = |count| Keep { newest: Some(count), since: None };
    assert_eq!(steps(storage, room, newest(100)).await, [500]);
    assert_eq!(numbers(storage, room).await, (1_101..=STORED).collect::<Vec<_>>());
    by_hand("DELETE FROM messages WHERE seq <= 1110");
    let young = Keep { newest: None, since: Some(Timestamp::from_micros(1_150).unwrap()) };
    assert_eq!(steps(storage, room, young).await, [39]);
    assert_eq!(numbers(storage, room).await, (1_150..=STORED).collect::<Vec<_>>());
    by_hand("DELETE FROM messages");
    assert!(steps(storage, room, newest(0)).await.is_empty());
}

#[tokio::test]
async fn goes_on_after_what_was_removed_by_hand_from_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("chat.db");
    let storage = SqliteStorage::open(&path).await.unwrap();
    let room = fill(&storage).await;
    let by_hand = |sql: &str| Connection::open(&path).unwrap().execute_batch(sql).unwrap();
    what_is_to_be_kept_is_left(&storage, room, by_hand).await;
}

#[tokio::test]
async fn goes_on_after_what_was_removed_by_hand_from_postgres() {
    let postgres = Postgres::shared();
    let database = postgres.fresh_database();
    let url = postgres.url_of(&database).parse().unwrap();
    let storage = PostgresStorage::open(&PostgresOptions::new(url)).await.unwrap();
    let room = fill(&storage).await;
    let by_hand = |sql: &str| drop(postgres.execute(&database, sql));
    what_is_to_be_kept_is_left(&storage, room, by_hand).await;
}
