//! Messages and read marks.

use async_trait::async_trait;
use chat_core::StorageError;
use chat_core::storage::{Appended, FurthestReaders, MessageStorage, NewMessage, StoredMessage};
use chat_protocol::{MessageId, RoomId, Seq, UserId};

use super::append;
use super::row::{self, MessageRow, message_columns};
use super::{PostgresStorage, failed};

#[async_trait]
impl MessageStorage for PostgresStorage {
    async fn append(&self, messages: &[NewMessage]) -> Result<Vec<Appended>, StorageError> {
        if messages.is_empty() {
            return Ok(Vec::new());
        }
        self.pool.transaction(async |connection| append::append(connection, messages).await).await
    }

    async fn seq_of(&self, room: RoomId, message: MessageId) -> Result<Option<Seq>, StorageError> {
        let seq: Option<i64> = self
            .pool
            .run(async |connection| {
                sqlx::query_scalar(
                    "SELECT seq FROM messages WHERE id = $1 AND room_id = $2 \
                     UNION ALL SELECT pruned_seq FROM rooms WHERE id = $2 AND pruned_id = $1",
                )
                .bind(message.value())
                .bind(room.value())
                .fetch_optional(connection)
                .await
                .map_err(failed)
            })
            .await?;
        seq.map(row::id).transpose()
    }

    async fn newest(&self, room: RoomId) -> Result<Option<StoredMessage>, StorageError> {
        Ok(self.messages_before(room, None, 1).await?.pop())
    }

    async fn newest_places(&self, rooms: &[RoomId]) -> Result<Vec<(RoomId, Seq)>, StorageError> {
        let rooms: Vec<i64> = rooms.iter().map(|room| room.value()).collect();
        let newest: Vec<(i64, i64)> = self
            .pool
            .all(
                sqlx::query_as(
                    "SELECT r.id, newest.seq FROM unnest($1) AS r (id) CROSS JOIN LATERAL \
                     (SELECT seq FROM messages WHERE room_id = r.id ORDER BY seq DESC LIMIT 1) AS newest",
                )
                .bind(rooms),
            )
            .await?;
        newest.into_iter().map(row::place).collect()
    }

    async fn messages_before(
        &self,
        room: RoomId,
        before: Option<Seq>,
        limit: u32,
    ) -> Result<Vec<StoredMessage>, StorageError> {
        let rows: Vec<MessageRow<String>> = self
            .pool
            .all(
                sqlx::query_as(concat!(
                    "SELECT ",
                    message_columns!(),
                    "WHERE m.room_id = $1 AND m.seq < $2 ORDER BY m.seq DESC LIMIT $3"
                ))
                .bind(room.value())
                .bind(before.map_or(i64::MAX, Seq::value))
                .bind(i64::from(limit)),
            )
            .await?;
        rows.into_iter().map(MessageRow::read).collect()
    }

    async fn messages_after(
        &self,
        room: RoomId,
        after: Option<Seq>,
        limit: u32,
    ) -> Result<Vec<StoredMessage>, StorageError> {
        let rows: Vec<MessageRow<String>> = self
            .pool
            .all(
                sqlx::query_as(concat!(
                    "SELECT ",
                    message_columns!(),
                    "WHERE m.room_id = $1 AND m.seq > $2 ORDER BY m.seq LIMIT $3"
                ))
                .bind(room.value())
                .bind(after.map_or(0, Seq::value))
                .bind(i64::from(limit)),
            )
            .await?;
        rows.into_iter().map(MessageRow::read).collect()
    }

    async fn mark_read(&self, room: RoomId, user: UserId, up_to: Seq) -> Result<(), StorageError> {
        self.pool
            .execute(
                sqlx::query(
                    "INSERT INTO read_marks AS known (room_id, user_id, seq) VALUES ($1, $2, $3) \
                     ON CONFLICT (room_id, user_id) DO UPDATE SET seq = excluded.seq \
                     WHERE excluded.seq > known.seq",
                )
                .bind(room.value())
                .bind(user.value())
                .bind(up_to.value()),
            )
            .await?;
        Ok(())
    }

    async fn furthest_readers(&self, room: RoomId) -> Result<FurthestReaders, StorageError> {
        let marks: Vec<(i64, i64)> = self
            .pool
            .all(
                sqlx::query_as(
                    "SELECT user_id, seq FROM read_marks WHERE room_id = $1 \
                     ORDER BY seq DESC LIMIT 2",
                )
                .bind(room.value()),
            )
            .await?;
        row::furthest(marks)
    }
}
