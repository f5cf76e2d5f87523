//! Stores a batch of messages in one transaction, with a handful of statements however many they are.
//!
//! Numbers and ids are given out here, not by SQLite: the transaction holds the only write lock from its beginning, so
//! that what it reads stays true until it commits.

use std::collections::HashMap;

use chat_core::StorageError;
use chat_core::storage::{Appended, NewMessage, StoredMessage};
use chat_protocol::{ClientId, RoomId, UserId};
use sqlx::sqlite::SqlitePool;
use sqlx::{QueryBuilder, Sqlite, SqliteConnection};

use super::failed;
use super::row::{self, MessageRow, message_columns};

/// Most rows in one statement: with seven values each, well under SQLite's 32,766 parameters.
const ROWS_PER_STATEMENT: usize = 2000;

/// What makes a send the same as another.
type Mark = (RoomId, UserId, ClientId);

pub(super) async fn append(
    writer: &SqlitePool,
    messages: &[NewMessage],
) -> Result<Vec<Appended>, StorageError> {
    let mut transaction = writer.begin_with("BEGIN IMMEDIATE").await.map_err(failed)?;
    let before = Ledger::read(&mut transaction, messages).await?;
    let (outcomes, after) = before.number(messages)?;
    let new: Vec<&StoredMessage> = outcomes.iter().filter_map(as_new).collect();
    if !new.is_empty() {
        insert(&mut transaction, &new).await?;
        after.write(&mut transaction).await?;
    }
    transaction.commit().await.map_err(failed)?;
    Ok(outcomes)
}

const fn as_new(outcome: &Appended) -> Option<&StoredMessage> {
    match outcome {
        Appended::New(stored) => Some(stored),
        Appended::Repeated(_) => None,
    }
}

/// What the numbers of the next messages depend on.
struct Ledger {
    last_id: i64,
    last_seqs: HashMap<RoomId, i64>,
    known: HashMap<Mark, StoredMessage>,
}

impl Ledger {
    async fn read(connection: &mut SqliteConnection, messages: &[NewMessage]) -> Result<Self, StorageError> {
        let last_id: Option<i64> =
            sqlx::query_scalar("SELECT seq FROM sqlite_sequence WHERE name = 'messages'")
                .fetch_optional(&mut *connection)
                .await
                .map_err(failed)?;
        Ok(Self {
            last_id: last_id.unwrap_or(0),
            last_seqs: read_last_seqs(connection, messages).await?,
            known: read_known(connection, messages).await?,
        })
    }

    /// Gives every message its number and id, and tells what that leaves.
    fn number(mut self, messages: &[NewMessage]) -> Result<(Vec<Appended>, Self), StorageError> {
        let outcomes = messages.iter().map(|message| self.number_one(message)).collect::<Result<_, _>>()?;
        Ok((outcomes, self))
    }

    fn number_one(&mut self, message: &NewMessage) -> Result<Appended, StorageError> {
        let mark = mark_of(message);
        if let Some(stored) = mark.as_ref().and_then(|mark| self.known.get(mark)) {
            return Ok(Appended::Repeated(stored.clone()));
        }
        let last_seq = self.last_seqs.get_mut(&message.room).ok_or(StorageError::Missing { what: "room" })?;
        *last_seq += 1;
        self.last_id += 1;
        let stored = StoredMessage {
            id: row::id(self.last_id)?,
            room: message.room,
            seq: row::id(*last_seq)?,
            sender: message.sender.clone(),
            text: message.text.clone(),
            sent_at: message.sent_at,
            client_id: message.client_id.clone(),
        };
        if let Some(mark) = mark {
            self.known.insert(mark, stored.clone());
        }
        Ok(Appended::New(stored))
    }

    async fn write(&self, connection: &mut SqliteConnection) -> Result<(), StorageError> {
        let last_seqs: Vec<_> = self.last_seqs.iter().collect();
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
}

fn mark_of(message: &NewMessage) -> Option<Mark> {
    message.client_id.clone().map(|client_id| (message.room, message.sender.id, client_id))
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
