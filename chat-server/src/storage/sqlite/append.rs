//! Stores a batch of messages in one transaction.
//!
//! Numbers and ids are given out here, not by SQLite: the transaction holds the only write lock from its beginning, so
//! that what it reads stays true until it commits. Statements are prepared once and cost no way to another thread, so
//! that there is one for each room and each message, and none that takes many rows at once.

use std::collections::HashMap;
use std::ops::RangeFrom;

use chat_core::storage::{Appended, NewMessage, StoredMessage};
use chat_protocol::{ClientId, RoomId, Seq};
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
    let mut newest: HashMap<RoomId, Seq> = HashMap::new();
    for message in outcomes.iter().filter_map(ledger::as_new) {
        insert(connection, message)?;
        newest.insert(message.room, message.seq);
    }
    for (room, seq) in newest {
        execute(connection, "UPDATE rooms SET last_seq = ? WHERE id = ?", (seq.value(), room.value()))?;
    }
    Ok(outcomes)
}

/// Ids after the last of all messages that there ever were.
fn new_ids(connection: &Connection) -> Result<RangeFrom<i64>, Failure> {
    let last: Option<(i64,)> =
        first(connection, "SELECT seq FROM sqlite_sequence WHERE name = 'messages'", ())?;
    Ok(last.map_or(0, |(id,)| id) + 1..)
}

/// The number of the newest message of each room that there is.
fn read_last(connection: &Connection, messages: &[NewMessage]) -> Result<HashMap<RoomId, i64>, Failure> {
    let mut last_seqs = HashMap::new();
    for NewMessage { room, .. } in messages {
        if last_seqs.contains_key(room) {
            continue;
        }
        let last = first(connection, "SELECT last_seq FROM rooms WHERE id = ?", [room.value()])?;
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

#[cfg(test)]
mod tests {
    use chat_core::storage::User;
    use chat_protocol::{Timestamp, Username};

    use super::super::{connect, migrate};
    use super::*;

    fn append_one(connection: &Connection, text: &str) -> StoredMessage {
        let message = NewMessage {
            room: 1.try_into().unwrap(),
            sender: User { id: 1.try_into().unwrap(), name: Username::new("amy").unwrap() },
            text: text.into(),
            sent_at: Timestamp::from_micros(0).unwrap(),
            client_id: None,
        };
        match append(connection, &[message]).unwrap().pop() {
            Some(Appended::New(stored)) => stored,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_number_outlives_its_message_whoever_removes_that() {
        let mut connection = connect::in_memory().unwrap();
        migrate::migrate(&mut connection).unwrap();
        connection.execute_batch("INSERT INTO users (name) VALUES ('amy')").unwrap();
        connection.execute_batch("INSERT INTO rooms (name) VALUES ('lobby')").unwrap();
        append_one(&connection, "kept");
        let removed = append_one(&connection, "removed");
        // By hand, as it may be done in SQLite's shell, with nothing noted of it: who hears the room counts on.
        connection.execute("DELETE FROM messages WHERE id = ?", [removed.id.value()]).unwrap();
        let next = append_one(&connection, "next");
        assert_eq!(next.seq, removed.seq.next());
        assert!(next.id > removed.id);
    }
}
