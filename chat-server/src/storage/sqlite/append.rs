//! Stores a batch of messages in one transaction, with a handful of statements however many they are.
//!
//! Numbers and ids are given out here, not by SQLite: the transaction holds the only write lock from its beginning, so
//! that what it reads stays true until it commits.

use std::collections::HashMap;
use std::ops::RangeFrom;

use chat_core::StorageError;
use chat_core::storage::{Appended, NewMessage, StoredMessage};
use chat_protocol::RoomId;
use sqlx::sqlite::SqlitePool;
use sqlx::{QueryBuilder, Sqlite, SqliteConnection};

use super::failed;
use super::ledger::{self, Ledger, Mark, mark_of};
use super::row::{self, MessageRow, message_columns};

/// Most rows in one statement: with seven values each, well under SQLite's 32,766 parameters.
const ROWS_PER_STATEMENT: usize = 2000;

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
    let last_id: Option<i64> = sqlx::query_scalar("SELECT seq FROM sqlite_sequence WHERE name = 'messages'")
        .fetch_optional(&mut *connection)
        .await
        .map_err(failed)?;
    Ok(Ledger {
        ids: last_id.unwrap_or(0) + 1..,
        last_seqs: read_last_seqs(connection, messages).await?,
        known: read_known(connection, messages).await?,
    })
}

async fn read_last_seqs(
    connection: &mut SqliteConnection,
    messages: &[NewMessage],
) -> Result<HashMap<RoomId, i64>, StorageError> {
    let mut rooms: Vec<RoomId> = messages.iter().map(|message| message.room).collect();
    rooms.sort_unstable();
    rooms.dedup();
    let mut last_seqs = HashMap::with_capacity(rooms.len());
    for rooms in rooms.chunks(ROWS_PER_STATEMENT) {
        let mut query = QueryBuilder::<Sqlite>::new("SELECT id, last_seq FROM rooms WHERE id IN (");
        let mut list = query.separated(", ");
        for room in rooms {
            list.push_bind(room.value());
        }
        query.push(")");
        let rows: Vec<(i64, i64)> =
            query.build_query_as().fetch_all(&mut *connection).await.map_err(failed)?;
        for (room, seq) in rows {
            last_seqs.insert(row::id(room)?, seq);
        }
    }
    Ok(last_seqs)
}

async fn read_known(
    connection: &mut SqliteConnection,
    messages: &[NewMessage],
) -> Result<HashMap<Mark, StoredMessage>, StorageError> {
    let marks: Vec<Mark> = messages.iter().filter_map(mark_of).collect();
    let mut known = HashMap::new();
    for marks in marks.chunks(ROWS_PER_STATEMENT) {
        let mut query = QueryBuilder::<Sqlite>::new(concat!(
            "SELECT ",
            message_columns!(),
            "WHERE (m.room_id, m.sender_id, m.client_id) IN ("
        ));
        query.push_values(marks, |mut row, (room, sender, client_id)| {
            row.push_bind(room.value()).push_bind(sender.value()).push_bind(client_id.as_str());
        });
        query.push(")");
        let rows: Vec<MessageRow> =
            query.build_query_as().fetch_all(&mut *connection).await.map_err(failed)?;
        for row in rows {
            let stored = row.read()?;
            if let Some(client_id) = stored.client_id.clone() {
                known.insert((stored.room, stored.sender.id, client_id), stored);
            }
        }
    }
    Ok(known)
}

async fn insert(connection: &mut SqliteConnection, messages: &[&StoredMessage]) -> Result<(), StorageError> {
    for messages in messages.chunks(ROWS_PER_STATEMENT) {
        let mut query = QueryBuilder::<Sqlite>::new(
            "INSERT INTO messages (id, room_id, seq, sender_id, text, sent_at, client_id) ",
        );
        query.push_values(messages, |mut row, message| {
            row.push_bind(message.id.value())
                .push_bind(message.room.value())
                .push_bind(message.seq.value())
                .push_bind(message.sender.id.value())
                .push_bind(message.text.to_string())
                .push_bind(message.sent_at.as_micros())
                .push_bind(message.client_id.as_ref().map(ToString::to_string));
        });
        query.build().execute(&mut *connection).await.map_err(failed)?;
    }
    Ok(())
}

async fn write(
    connection: &mut SqliteConnection,
    last_seqs: &HashMap<RoomId, i64>,
) -> Result<(), StorageError> {
    let last_seqs: Vec<_> = last_seqs.iter().collect();
    for rows in last_seqs.chunks(ROWS_PER_STATEMENT) {
        let mut query = QueryBuilder::<Sqlite>::new("UPDATE rooms SET last_seq = new.column2 FROM (");
        query.push_values(rows, |mut row, (room, seq)| {
            row.push_bind(room.value()).push_bind(**seq);
        });
        query.push(") AS new WHERE rooms.id = new.column1");
        query.build().execute(&mut *connection).await.map_err(failed)?;
    }
    Ok(())
}
