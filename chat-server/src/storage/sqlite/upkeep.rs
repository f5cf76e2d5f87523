//! What keeps the database in order.

use async_trait::async_trait;
use chat_core::StorageError;
use chat_core::storage::{Keep, UpkeepStorage};
use chat_protocol::{RoomId, Timestamp};
use rusqlite::Connection;

use super::SqliteStorage;
use super::failure::Failure;
use super::query::{execute, first};
use super::row::SurplusRow;

#[async_trait]
impl UpkeepStorage for SqliteStorage {
    async fn check(&self) -> Result<(), StorageError> {
        self.write(|connection| {
            execute(connection, "UPDATE checks SET count = count + 1", ())?;
            Ok(())
        })
        .await
    }

    async fn prune(&self, room: RoomId, keep: &Keep, at_most: u32) -> Result<u64, StorageError> {
        // Looked up beside the writer: most rooms have nothing to remove, most of the time.
        let keep = *keep;
        let end = self.read(move |connection| surplus_end(connection, room, &keep, at_most)).await?;
        let Some(end) = end else { return Ok(0) };
        let removed = self.transaction(move |connection| {
            execute(
                connection,
                "UPDATE rooms SET pruned_seq = ?2, pruned_id = coalesce( \
                 (SELECT id FROM messages WHERE room_id = ?1 AND seq <= ?2 ORDER BY seq DESC LIMIT 1), pruned_id) \
                 WHERE id = ?1 AND pruned_seq < ?2",
                (room.value(), end),
            )?;
            Ok(execute(
                connection,
                "DELETE FROM messages WHERE room_id = ? AND seq <= ?",
                (room.value(), end),
            )?)
        });
        u64::try_from(removed.await?).map_err(StorageError::database)
    }
}

/// The number of the last message to be removed now. No more are looked at than are removed at once.
fn surplus_end(
    connection: &Connection,
    room: RoomId,
    keep: &Keep,
    at_most: u32,
) -> Result<Option<i64>, Failure> {
    let surplus: Option<SurplusRow> = first(
        connection,
        "WITH r AS MATERIALIZED (SELECT last_seq, max(pruned_seq, coalesce( \
             (SELECT seq - 1 FROM messages WHERE room_id = ?1 ORDER BY seq LIMIT 1), last_seq)) AS base \
         FROM rooms WHERE id = ?1) \
         SELECT r.base, r.last_seq - ?2 AS too_many, \
         CASE WHEN ?3 IS NULL THEN NULL ELSE coalesce( \
             (SELECT seq - 1 FROM messages \
              WHERE room_id = ?1 AND seq <= r.base + ?4 AND sent_at >= ?3 ORDER BY seq LIMIT 1), \
             min(r.last_seq, r.base + ?4)) END AS too_old \
         FROM r",
        (room.value(), keep.newest, keep.since.map(Timestamp::as_micros), at_most),
    )?;
    Ok(surplus.ok_or(StorageError::Missing { what: "room" })?.end(at_most))
}
