//! Messages and read marks.

use async_trait::async_trait;
use chat_core::StorageError;
use chat_core::storage::{Appended, FurthestReaders, MessageStorage, NewMessage, StoredMessage};
use chat_protocol::{MessageId, RoomId, Seq, UserId};
use rusqlite::Connection;

use super::failure::Failure;
use super::query::{all, execute, first, messages};
use super::row::{self, message_columns};
use super::{SqliteStorage, append};

/// The two furthest marks of a room. Which of those that are equal does not matter: to choose among them, all would have to
/// be read.
const FURTHEST: &str = "SELECT user_id, seq FROM read_marks WHERE room_id = ? ORDER BY seq DESC LIMIT 2";

#[async_trait]
impl MessageStorage for SqliteStorage {
    async fn append(&self, messages: &[NewMessage]) -> Result<Vec<Appended>, StorageError> {
        if messages.is_empty() {
            return Ok(Vec::new());
        }
        let messages = messages.to_vec();
        self.transaction(move |connection| append::append(connection, &messages)).await
    }

    async fn seq_of(&self, room: RoomId, message: MessageId) -> Result<Option<Seq>, StorageError> {
        self.read(move |connection| {
            let found: Option<(i64,)> = first(
                connection,
                "SELECT seq FROM messages WHERE id = ?1 AND room_id = ?2 \
                 UNION ALL SELECT pruned_seq FROM rooms WHERE id = ?2 AND pruned_id = ?1",
                (message.value(), room.value()),
            )?;
            Ok(found.map(|(seq,)| row::id(seq)).transpose()?)
        })
        .await
    }

    async fn newest(&self, room: RoomId) -> Result<Option<StoredMessage>, StorageError> {
        Ok(self.messages_before(room, None, 1).await?.pop())
    }

    async fn newest_places(&self, rooms: &[RoomId]) -> Result<Vec<(RoomId, Seq)>, StorageError> {
        let rooms: Vec<i64> = rooms.iter().map(|room| room.value()).collect();
        let rooms = serde_json::to_string(&rooms).map_err(StorageError::database)?;
        self.read(move |connection| {
            all(
                connection,
                "SELECT value, (SELECT max(seq) FROM messages WHERE room_id = value) AS seq \
                 FROM json_each(?) WHERE seq IS NOT NULL",
                (rooms,),
                row::place,
            )
        })
        .await
    }

    async fn messages_before(
        &self,
        room: RoomId,
        before: Option<Seq>,
        limit: u32,
    ) -> Result<Vec<StoredMessage>, StorageError> {
        self.read(move |connection| newest_before(connection, room, before, limit)).await
    }

    async fn messages_after(
        &self,
        room: RoomId,
        after: Option<Seq>,
        limit: u32,
    ) -> Result<Vec<StoredMessage>, StorageError> {
        self.read(move |connection| {
            messages(
                connection,
                concat!(
                    "SELECT ",
                    message_columns!(),
                    "WHERE m.room_id = ? AND m.seq > ? ORDER BY m.seq LIMIT ?"
                ),
                (room.value(), after.map_or(0, Seq::value), limit),
            )
        })
        .await
    }

    async fn mark_read(&self, room: RoomId, user: UserId, up_to: Seq) -> Result<(), StorageError> {
        self.write(move |connection| {
            execute(
                connection,
                "INSERT INTO read_marks (room_id, user_id, seq) VALUES (?, ?, ?) \
                 ON CONFLICT (room_id, user_id) DO UPDATE SET seq = excluded.seq WHERE excluded.seq > seq",
                (room.value(), user.value(), up_to.value()),
            )?;
            Ok(())
        })
        .await
    }

    async fn furthest_readers(&self, room: RoomId) -> Result<FurthestReaders, StorageError> {
        self.read(move |connection| furthest(connection, room)).await
    }

    async fn page_before(
        &self,
        room: RoomId,
        before: Option<Seq>,
        limit: u32,
    ) -> Result<(Vec<StoredMessage>, FurthestReaders), StorageError> {
        self.read(move |connection| {
            Ok((newest_before(connection, room, before, limit)?, furthest(connection, room)?))
        })
        .await
    }
}

fn newest_before(
    connection: &Connection,
    room: RoomId,
    before: Option<Seq>,
    limit: u32,
) -> Result<Vec<StoredMessage>, Failure> {
    messages(
        connection,
        concat!(
            "SELECT ",
            message_columns!(),
            "WHERE m.room_id = ? AND m.seq < ? ORDER BY m.seq DESC LIMIT ?"
        ),
        (room.value(), before.map_or(i64::MAX, Seq::value), limit),
    )
}

fn furthest(connection: &Connection, room: RoomId) -> Result<FurthestReaders, Failure> {
    let marks = all(connection, FURTHEST, [room.value()], Ok)?;
    Ok(row::furthest(marks)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::sqlite::migrate::migrate;

    #[test]
    fn the_furthest_marks_are_found_without_sorting_all() {
        let mut connection = Connection::open_in_memory().unwrap();
        migrate(&mut connection).unwrap();
        let mut statement = connection.prepare(&format!("EXPLAIN QUERY PLAN {FURTHEST}")).unwrap();
        let steps = statement.query_map([1], |row| row.get::<_, String>("detail")).unwrap();
        let steps: Vec<_> = steps.map(Result::unwrap).collect();
        assert_eq!(steps.len(), 1, "{steps:?}");
        assert!(steps[0].contains("read_marks_by_seq"), "{steps:?}");
    }
}
