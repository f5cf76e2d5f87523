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

/// The id of the last message that there is, and of the last that was removed. Nothing that grows is gone through for them.
const LAST_IDS: &str = "SELECT (SELECT max(id) FROM messages), \
                        (SELECT max(pruned_id) FROM rooms WHERE pruned_id IS NOT NULL)";

/// The number of the newest message of a room, and of the newest that was removed.
const LAST_SEQS: &str =
    "SELECT (SELECT max(seq) FROM messages WHERE room_id = ?1), pruned_seq FROM rooms WHERE id = ?1";

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
    let last: Option<(Option<i64>, Option<i64>)> = first(connection, LAST_IDS, ())?;
    Ok(last.and_then(|(kept, pruned)| kept.max(pruned)).unwrap_or(0) + 1..)
}

/// The number of the newest message that each room has, or had: a room notes those that were removed.
fn read_last(connection: &Connection, messages: &[NewMessage]) -> Result<HashMap<RoomId, i64>, Failure> {
    let mut last_seqs = HashMap::new();
    for NewMessage { room, .. } in messages {
        if last_seqs.contains_key(room) {
            continue;
        }
        let last: Option<(Option<i64>, i64)> = first(connection, LAST_SEQS, [room.value()])?;
        if let Some((kept, pruned)) = last {
            last_seqs.insert(*room, pruned.max(kept.unwrap_or(0)));
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
    use rusqlite::{Params, StatementStatus};

    use super::super::{connect, migrate};
    use super::*;

    fn steps(connection: &Connection, query: &str, params: impl Params) -> i32 {
        let mut statement = connection.prepare(query).unwrap();
        statement.query_row(params, |_| Ok(())).unwrap();
        statement.get_status(StatementStatus::VmStep)
    }

    const NUMBERS: &str =
        "WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < ?)";

    fn add_rooms(connection: &Connection, count: i64) {
        let insert =
            "INSERT INTO rooms (name) SELECT 'r' || (SELECT count(*) FROM rooms) || '-' || n FROM numbers";
        connection.execute(&format!("{NUMBERS} {insert}"), [count]).unwrap();
    }

    fn add_messages(connection: &Connection, count: i64) {
        let insert = "INSERT INTO messages (room_id, seq, sender_id, text, sent_at) \
                      SELECT 1, n + (SELECT count(*) FROM messages), 1, '', 0 FROM numbers";
        connection.execute(&format!("{NUMBERS} {insert}"), [count]).unwrap();
    }

    #[test]
    fn what_was_last_is_found_in_as_many_steps_however_much_there_is() {
        let mut connection = connect::in_memory().unwrap();
        migrate::migrate(&mut connection).unwrap();
        connection.execute("INSERT INTO users (name) VALUES ('amy')", ()).unwrap();
        add_rooms(&connection, 1);
        add_messages(&connection, 1);
        let both = || [steps(&connection, LAST_IDS, ()), steps(&connection, LAST_SEQS, [1])];
        let of_few = both();
        add_rooms(&connection, 1000);
        add_messages(&connection, 1000);
        assert_eq!(both(), of_few);

        // Where messages were removed from all rooms, too.
        connection.execute("UPDATE rooms SET pruned_id = id", ()).unwrap();
        let of_pruned = both();
        add_rooms(&connection, 1000);
        connection.execute("UPDATE rooms SET pruned_id = id", ()).unwrap();
        assert_eq!(both(), of_pruned);
    }
}
