//! Stores a batch of messages in one transaction, with a handful of statements however many they are.
//!
//! The first locks the rows of the rooms, so that what is read after it stays true until the transaction ends: it is
//! the newest that was committed, and nobody else gives out numbers in these rooms. All lock them in the same order, so
//! that nobody waits for somebody who waits for them.

use std::collections::{HashMap, HashSet};

use chat_core::StorageError;
use chat_core::storage::{Appended, NewMessage, StoredMessage};
use chat_protocol::{ClientId, RoomId};
use sqlx::PgConnection;

use super::failed;
use super::ledger::{self, Ledger, Mark, mark_of};
use super::row::{self, MessageRow, message_columns};

/// Stores messages, within a transaction.
pub(super) async fn append(
    connection: &mut PgConnection,
    messages: &[NewMessage],
) -> Result<Vec<Appended>, StorageError> {
    let last_seqs = lock_rooms(connection, messages).await?;
    let known = read_known(connection, messages).await?;
    let ids = new_ids(connection, messages.len()).await?.into_iter();
    let mut ledger = Ledger { ids, last_seqs, known };
    let outcomes = ledger.number(messages)?;
    let new: Vec<&StoredMessage> = outcomes.iter().filter_map(ledger::as_new).collect();
    if !new.is_empty() {
        insert(connection, &new, &ledger.last_seqs).await?;
    }
    Ok(outcomes)
}

async fn lock_rooms(
    connection: &mut PgConnection,
    messages: &[NewMessage],
) -> Result<HashMap<RoomId, i64>, StorageError> {
    let rooms: Vec<i64> = messages.iter().map(|message| message.room.value()).collect();
    // `NO KEY`: whoever joins a room, or reads in it, need not wait.
    let rows: Vec<(i64, i64)> =
        sqlx::query_as("SELECT id, last_seq FROM rooms WHERE id = ANY ($1) ORDER BY id FOR NO KEY UPDATE")
            .bind(rooms)
            .fetch_all(connection)
            .await
            .map_err(failed)?;
    rows.into_iter().map(|(room, last_seq)| Ok((row::id(room)?, last_seq))).collect()
}

/// As many new ids as there are messages, in ascending order. Taken while the rooms are locked, they are greater than those
/// of all messages in them.
async fn new_ids(connection: &mut PgConnection, count: usize) -> Result<Vec<i64>, StorageError> {
    let count = i64::try_from(count).map_err(StorageError::database)?;
    let mut ids: Vec<i64> =
        sqlx::query_scalar("SELECT nextval('messages_id_seq') FROM generate_series(1, $1)")
            .bind(count)
            .fetch_all(connection)
            .await
            .map_err(failed)?;
    ids.sort_unstable();
    Ok(ids)
}

/// The messages with the same marks that are stored already.
async fn read_known(
    connection: &mut PgConnection,
    messages: &[NewMessage],
) -> Result<HashMap<Mark, StoredMessage>, StorageError> {
    let marks: HashSet<Mark> = messages.iter().filter_map(mark_of).collect();
    if marks.is_empty() {
        return Ok(HashMap::new());
    }
    let rows: Vec<MessageRow<String>> = sqlx::query_as(concat!(
        "SELECT ",
        message_columns!(),
        "JOIN unnest($1::bigint[], $2::bigint[], $3::text[]) AS mark (room_id, sender_id, client_id) \
         ON m.room_id = mark.room_id AND m.sender_id = mark.sender_id AND m.client_id = mark.client_id"
    ))
    .bind(marks.iter().map(|(room, _, _)| room.value()).collect::<Vec<_>>())
    .bind(marks.iter().map(|(_, sender, _)| sender.value()).collect::<Vec<_>>())
    .bind(marks.iter().map(|(_, _, client_id)| client_id.as_str()).collect::<Vec<_>>())
    .fetch_all(connection)
    .await
    .map_err(failed)?;
    let known = rows.into_iter().map(|row| {
        let stored = row.read()?;
        let client_id = stored.client_id.clone().ok_or(StorageError::Corrupt { what: "a client id" })?;
        Ok(((stored.room, stored.sender.id, client_id), stored))
    });
    known.collect()
}

/// Stores messages, and the numbers of the newest of their rooms.
async fn insert(
    connection: &mut PgConnection,
    messages: &[&StoredMessage],
    last_seqs: &HashMap<RoomId, i64>,
) -> Result<(), StorageError> {
    sqlx::query(
        "WITH stored AS ( \
             INSERT INTO messages (id, room_id, seq, sender_id, text, sent_at, client_id) \
             SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], \
                                  $5::text[], $6::bigint[], $7::text[]) \
         ) \
         UPDATE rooms SET last_seq = new.last_seq \
         FROM unnest($8::bigint[], $9::bigint[]) AS new (id, last_seq) WHERE rooms.id = new.id",
    )
    .bind(column(messages, |message| message.id.value()))
    .bind(column(messages, |message| message.room.value()))
    .bind(column(messages, |message| message.seq.value()))
    .bind(column(messages, |message| message.sender.id.value()))
    .bind(column(messages, |message| &*message.text))
    .bind(column(messages, |message| message.sent_at.as_micros()))
    .bind(column(messages, |message| message.client_id.as_ref().map(ClientId::as_str)))
    .bind(last_seqs.keys().map(|room| room.value()).collect::<Vec<_>>())
    .bind(last_seqs.values().copied().collect::<Vec<_>>())
    .execute(connection)
    .await
    .map_err(failed)?;
    Ok(())
}

fn column<'a, T>(messages: &[&'a StoredMessage], value: impl Fn(&'a StoredMessage) -> T) -> Vec<T> {
    messages.iter().map(|message| value(message)).collect()
}
