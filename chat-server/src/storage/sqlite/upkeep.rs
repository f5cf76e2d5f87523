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
                "UPDATE rooms SET (pruned_id, pruned_seq) = \
                 (SELECT id, seq FROM messages WHERE room_id = ?1 AND seq <= ?2 ORDER BY seq DESC LIMIT 1) \
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

/// The number of the last message to be removed now.
fn surplus_end(
    connection: &Connection,
    room: RoomId,
    keep: &Keep,
    at_most: u32,
) -> Result<Option<i64>, Failure> {
    let surplus: Option<SurplusRow> = first(
        connection,
        "SELECT r.pruned_seq AS pruned, r.last_seq - ?2 AS too_many, \
         CASE WHEN ?3 IS NULL THEN NULL ELSE coalesce( \
             (SELECT seq - 1 FROM messages WHERE room_id = ?1 AND sent_at >= ?3 ORDER BY seq LIMIT 1), r.last_seq) END AS too_old \
         FROM rooms AS r WHERE r.id = ?1",
        (room.value(), keep.newest, keep.since.map(Timestamp::as_micros)),
    )?;
    Ok(surplus.ok_or(StorageError::Missing { what: "room" })?.end(at_most))
}
