//! Stores a batch of messages in one transaction.
//!
//! Numbers and ids are given out here, not by SQLite: the transaction holds the only write lock from its beginning, so
//! that what it reads stays true until it commits. Statements are prepared once and cost no way to another thread, so
//! that there is one for each room and each message, and none that takes many rows at once.

use std::collections::HashMap;
use std::ops::RangeFrom;

use chat_core::storage::{Appended, NewMessage, StoredMessage};
use chat_protocol::{ClientId, RoomId};
use rusqlite::Connection;

use super::failure::Failure;
use super::ledger::{self, Ledger, Mark, mark_of};
use super::query::{execute, first, messages};
use super::row::message_columns;

/// Stores messages, within a transaction.
pub(super) fn append(connection: &Connection, messages: &[NewMessage]) -> Result<Vec<Appended>, Failure> {
    let mut ledger = Ledger {
        ids: new_ids(connection)?,
        last_seqs: read_last(connection, messages)?,
        known: read_known(connection, messages)?,
    };
    let outcomes = ledger.number(messages)?;
    for message in outcomes.iter().filter_map(ledger::as_new) {
        insert(connection, message)?;
    }
    Ok(outcomes)
}

/// Ids after the last of all messages that there ever were.
fn new_ids(connection: &Connection) -> Result<RangeFrom<i64>, Failure> {
    let last: Option<(i64,)> = first(
        connection,
        "SELECT max(coalesce((SELECT max(id) FROM messages), 0), coalesce((SELECT max(pruned_id) FROM rooms), 0))",
        (),
    )?;
    Ok(last.map_or(0, |(id,)| id) + 1..)
}

/// The number of the newest message that each room has, or had: a room notes those that were removed.
fn read_last(connection: &Connection, messages: &[NewMessage]) -> Result<HashMap<RoomId, i64>, Failure> {
    let mut last_seqs = HashMap::new();
    for NewMessage { room, .. } in messages {
        if last_seqs.contains_key(room) {
            continue;
        }
        let last = first(
            connection,
            "SELECT max(pruned_seq, coalesce((SELECT max(seq) FROM messages WHERE room_id = ?1), 0)) \
             FROM rooms WHERE id = ?1",
            [room.value()],
        )?;
        if let Some((last_seq,)) = last {
            last_seqs.insert(*room, last_seq);
        }
    }
    Ok(last_seqs)
}

/// The messages with the same marks that are stored already.
fn read_known(
    connection: &Connection,
    messages: &[NewMessage],
) -> Result<HashMap<Mark, StoredMessage>, Failure> {
    let mut known = HashMap::new();
    for mark in messages.iter().filter_map(mark_of) {
        if let Some(stored) = marked(connection, &mark)? {
            known.insert(mark, stored);
        }
    }
    Ok(known)
}

fn marked(
    connection: &Connection,
    (room, sender, client_id): &Mark,
) -> Result<Option<StoredMessage>, Failure> {
    let stored = messages(
        connection,
        concat!("SELECT ", message_columns!(), "WHERE m.room_id = ? AND m.sender_id = ? AND m.client_id = ?"),
        (room.value(), sender.value(), client_id.as_str()),
    );
    Ok(stored?.pop())
}

fn insert(connection: &Connection, message: &StoredMessage) -> rusqlite::Result<usize> {
    execute(
        connection,
        "INSERT INTO messages (id, room_id, seq, sender_id, text, sent_at, client_id) VALUES (?, ?, ?, ?, ?, ?, ?)",
        (
            message.id.value(),
            message.room.value(),
            message.seq.value(),
            message.sender.id.value(),
            &*message.text,
            message.sent_at.as_micros(),
            message.client_id.as_ref().map(ClientId::as_str),
        ),
    )
}
