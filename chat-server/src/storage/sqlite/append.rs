//! Stores a batch of messages in one transaction, with four statements however many they are.
//!
//! Numbers and ids are given out here, not by SQLite: the transaction holds the only write lock from its beginning, so
//! that what it reads stays true until it commits. The rows of a statement come as one JSON array, so that its text is
//! always the same, and it is prepared once.

use std::collections::HashMap;
use std::ops::RangeFrom;

use chat_core::StorageError;
use chat_core::storage::{Appended, NewMessage, StoredMessage};
use chat_protocol::{ClientId, RoomId};
use serde::Serialize;
use sqlx::SqliteConnection;
use sqlx::sqlite::SqlitePool;

use super::failed;
use super::ledger::{self, Ledger, Mark, mark_of};
use super::row::{self, MessageRow, message_columns};

/// In the answer that has a row for each room, the row that has the last id of all messages. No room has this id.
const LAST_ID: i64 = 0;

pub(super) async fn append(
    writer: &SqlitePool,
    messages: &[NewMessage],
) -> Result<Vec<Appended>, StorageError> {
    let mut transaction = writer.begin_with("BEGIN IMMEDIATE").await.map_err(failed)?;
    let mut ledger = read(&mut transaction, messages).await?;
    let outcomes = ledger.number(messages)?;
    let new: Vec<&StoredMessage> = outcomes.iter().filter_map(ledger::as_new).collect();
    if !new.is_empty() {
        insert(&mut transaction, &new).await?;
        write(&mut transaction, &ledger.last_seqs).await?;
    }
    transaction.commit().await.map_err(failed)?;
    Ok(outcomes)
}

async fn read(
    connection: &mut SqliteConnection,
    messages: &[NewMessage],
) -> Result<Ledger<RangeFrom<i64>>, StorageError> {
    let mut last_seqs = HashMap::new();
    let mut last_id = 0;
    for (room, last) in read_last(connection, messages).await? {
        if room == LAST_ID {
            last_id = last;
        } else {
            last_seqs.insert(row::id(room)?, last);
        }
    }
    Ok(Ledger { ids: last_id + 1.., last_seqs, known: read_known(connection, messages).await? })
}

/// The number of the newest message of each room, and the last id of all.
async fn read_last(
    connection: &mut SqliteConnection,
    messages: &[NewMessage],
) -> Result<Vec<(i64, i64)>, StorageError> {
    let mut rooms: Vec<i64> = messages.iter().map(|message| message.room.value()).collect();
    rooms.sort_unstable();
    rooms.dedup();
    sqlx::query_as(
        "SELECT id, last_seq FROM rooms WHERE id IN (SELECT value FROM json_each(?1)) \
         UNION ALL SELECT ?2, seq FROM sqlite_sequence WHERE name = 'messages'",
    )
    .bind(json(&rooms)?)
    .bind(LAST_ID)
    .fetch_all(connection)
    .await
    .map_err(failed)
}

/// The messages with the same marks that are stored already.
async fn read_known(
    connection: &mut SqliteConnection,
    messages: &[NewMessage],
) -> Result<HashMap<Mark, StoredMessage>, StorageError> {
    let marks: Vec<(i64, i64, String)> = messages
        .iter()
        .filter_map(mark_of)
        .map(|(room, sender, client_id)| (room.value(), sender.value(), client_id.to_string()))
        .collect();
    if marks.is_empty() {
        return Ok(HashMap::new());
    }
    // `CROSS`: the marks are looked up one by one, whatever the planner knows of the sizes of the two.
    let rows: Vec<MessageRow> = sqlx::query_as(concat!(
        "SELECT ",
        message_columns!(),
        "WHERE m.id IN (SELECT known.id FROM json_each(?) AS mark CROSS JOIN messages AS known \
             ON known.room_id = mark.value ->> 0 AND known.sender_id = mark.value ->> 1 \
             AND known.client_id = mark.value ->> 2)"
    ))
    .bind(json(&marks)?)
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

async fn insert(connection: &mut SqliteConnection, messages: &[&StoredMessage]) -> Result<(), StorageError> {
    let rows: Vec<_> = messages
        .iter()
        .map(|message| {
            (
                message.id.value(),
                message.room.value(),
                message.seq.value(),
                message.sender.id.value(),
                &*message.text,
                message.sent_at.as_micros(),
                message.client_id.as_ref().map(ClientId::as_str),
            )
        })
        .collect();
    sqlx::query(
        "INSERT INTO messages (id, room_id, seq, sender_id, text, sent_at, client_id) \
         SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, value ->> 6 \
         FROM json_each(?)",
    )
    .bind(json(&rows)?)
    .execute(connection)
    .await
    .map_err(failed)?;
    Ok(())
}

async fn write(
    connection: &mut SqliteConnection,
    last_seqs: &HashMap<RoomId, i64>,
) -> Result<(), StorageError> {
    let rows: Vec<(i64, i64)> = last_seqs.iter().map(|(room, seq)| (room.value(), *seq)).collect();
    sqlx::query(
        "UPDATE rooms SET last_seq = new.value ->> 1 FROM json_each(?) AS new WHERE rooms.id = new.value ->> 0",
    )
    .bind(json(&rows)?)
    .execute(connection)
    .await
    .map_err(failed)?;
    Ok(())
}

fn json(rows: &impl Serialize) -> Result<String, StorageError> {
    serde_json::to_string(rows).map_err(StorageError::database)
}
