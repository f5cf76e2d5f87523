//! What keeps the database in order.

use async_trait::async_trait;
use chat_core::StorageError;
use chat_core::storage::{Keep, UpkeepStorage};
use chat_protocol::{RoomId, Timestamp};

use super::row::SurplusRow;
use super::{PostgresStorage, failed};

#[async_trait]
impl UpkeepStorage for PostgresStorage {
    async fn check(&self) -> Result<(), StorageError> {
        self.pool.execute(sqlx::query("UPDATE checks SET count = count + 1")).await?;
        Ok(())
    }

    async fn prune(&self, room: RoomId, keep: &Keep, at_most: u32) -> Result<u64, StorageError> {
        // Looked up without a lock: most rooms have nothing to remove, most of the time.
        let Some(end) = self.surplus_end(room, keep, at_most).await? else { return Ok(0) };
        self.pool
            .transaction(async |connection| {
                // Locks the room as a batch of messages does.
                sqlx::query(
                    "UPDATE rooms SET pruned_seq = $2, pruned_id = coalesce( \
                     (SELECT id FROM messages WHERE room_id = $1 AND seq <= $2 ORDER BY seq DESC LIMIT 1), pruned_id) \
                     WHERE id = $1 AND pruned_seq < $2",
                )
                .bind(room.value())
                .bind(end)
                .execute(&mut *connection)
                .await
                .map_err(failed)?;
                let removed = sqlx::query("DELETE FROM messages WHERE room_id = $1 AND seq <= $2")
                    .bind(room.value())
                    .bind(end)
                    .execute(connection)
                    .await
                    .map_err(failed)?;
                Ok(removed.rows_affected())
            })
            .await
    }
}

impl PostgresStorage {
    /// The number of the last message to be removed now. No more are looked at than are removed at once.
    async fn surplus_end(
        &self,
        room: RoomId,
        keep: &Keep,
        at_most: u32,
    ) -> Result<Option<i64>, StorageError> {
        let surplus: Option<SurplusRow> = self
            .pool
            .first(sqlx::query_as(
                    "WITH r AS MATERIALIZED (SELECT last_seq, greatest(pruned_seq, coalesce( \
                         (SELECT seq - 1 FROM messages WHERE room_id = $1 ORDER BY seq LIMIT 1), last_seq)) AS base \
                     FROM rooms WHERE id = $1) \
                     SELECT r.base, r.last_seq - $2 AS too_many, \
                     CASE WHEN $3 IS NULL THEN NULL ELSE coalesce( \
                         (SELECT seq - 1 FROM messages \
                          WHERE room_id = $1 AND seq <= r.base + $4 AND sent_at >= $3 ORDER BY seq LIMIT 1), \
                         least(r.last_seq, r.base + $4)) END AS too_old \
                     FROM r",
                )
                .bind(room.value())
                .bind(keep.newest.map(i64::from))
                .bind(keep.since.map(Timestamp::as_micros))
                .bind(i64::from(at_most)))
            .await?;
        Ok(surplus.ok_or(StorageError::Missing { what: "room" })?.end(at_most))
    }
}
