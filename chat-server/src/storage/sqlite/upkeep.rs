//! What keeps the database in order.

use async_trait::async_trait;
use chat_core::StorageError;
use chat_core::storage::{Keep, UpkeepStorage};
use chat_protocol::RoomId;
use sqlx::SqliteConnection;

use super::row::SurplusRow;
use super::{SqliteStorage, failed};

#[async_trait]
impl UpkeepStorage for SqliteStorage {
    async fn check(&self) -> Result<(), StorageError> {
        sqlx::query("UPDATE checks SET count = count + 1").execute(&self.writer).await.map_err(failed)?;
        Ok(())
    }

    async fn prune(&self, room: RoomId, keep: &Keep, at_most: u32) -> Result<u64, StorageError> {
        // Looked up beside the writer: most rooms have nothing to remove, most of the time.
        let mut reader = self.readers.acquire().await.map_err(failed)?;
        let Some(end) = surplus_end(&mut reader, room, keep, at_most).await? else { return Ok(0) };
        drop(reader);
        let mut transaction = self.writer.begin_with("BEGIN IMMEDIATE").await.map_err(failed)?;
        sqlx::query(
            "UPDATE rooms SET (pruned_id, pruned_seq) = \
             (SELECT id, seq FROM messages WHERE room_id = ?1 AND seq <= ?2 ORDER BY seq DESC LIMIT 1) \
             WHERE id = ?1 AND pruned_seq < ?2",
        )
        .bind(room.value())
        .bind(end)
        .execute(&mut *transaction)
        .await
        .map_err(failed)?;
        let removed = sqlx::query("DELETE FROM messages WHERE room_id = ? AND seq <= ?")
            .bind(room.value())
            .bind(end)
            .execute(&mut *transaction)
            .await
            .map_err(failed)?;
        transaction.commit().await.map_err(failed)?;
        Ok(removed.rows_affected())
    }
}

/// The number of the last message to be removed now.
async fn surplus_end(
    connection: &mut SqliteConnection,
    room: RoomId,
    keep: &Keep,
    at_most: u32,
) -> Result<Option<i64>, StorageError> {
    let surplus: SurplusRow = sqlx::query_as(
        "SELECT r.pruned_seq AS pruned, r.last_seq - ?2 AS too_many, \
         CASE WHEN ?3 IS NULL THEN NULL ELSE coalesce( \
             (SELECT seq - 1 FROM messages WHERE room_id = ?1 AND sent_at >= ?3 ORDER BY seq LIMIT 1), r.last_seq) END AS too_old \
         FROM rooms AS r WHERE r.id = ?1",
    )
    .bind(room.value())
    .bind(keep.newest)
    .bind(keep.since.map(chat_protocol::Timestamp::as_micros))
    .fetch_optional(connection)
    .await
    .map_err(failed)?
    .ok_or(StorageError::Missing { what: "room" })?;
    Ok(surplus.end(at_most))
}
