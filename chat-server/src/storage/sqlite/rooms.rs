//! Rooms and their members.

use async_trait::async_trait;
use chat_core::StorageError;
use chat_core::storage::{Joining, Room, RoomStorage, User};
use chat_protocol::{RoomId, RoomName, UserId};

use super::SqliteStorage;
use super::row::{RoomRow, UserRow};

#[async_trait]
impl RoomStorage for SqliteStorage {
    async fn ensure_room(&self, name: &RoomName) -> Result<Room, StorageError> {
        if let Some(room) = self.room_named(name).await? {
            return Ok(room);
        }
        // The update changes nothing; it makes a row that came in between be returned, too.
        let made: RoomRow = sqlx::query_as(
            "INSERT INTO rooms (name) VALUES (?) ON CONFLICT (name) DO UPDATE SET name = name \
             RETURNING id, name, display_name, access",
        )
        .bind(name.as_str())
        .fetch_one(&self.writer)
        .await
        .map_err(StorageError::database)?;
        made.read()
    }

    async fn room_named(&self, name: &RoomName) -> Result<Option<Room>, StorageError> {
        let found: Option<RoomRow> =
            sqlx::query_as("SELECT id, name, display_name, access FROM rooms WHERE name = ?")
                .bind(name.as_str())
                .fetch_optional(&self.readers)
                .await
                .map_err(StorageError::database)?;
        found.map(RoomRow::read).transpose()
    }

    async fn room(&self, id: RoomId) -> Result<Option<Room>, StorageError> {
        let found: Option<RoomRow> =
            sqlx::query_as("SELECT id, name, display_name, access FROM rooms WHERE id = ?")
                .bind(id.value())
                .fetch_optional(&self.readers)
                .await
                .map_err(StorageError::database)?;
        found.map(RoomRow::read).transpose()
    }

    async fn join(&self, room: RoomId, user: UserId) -> Result<Joining, StorageError> {
        // Whoever comes back, as nearly everybody does, costs no write.
        if self.is_member(room, user).await? {
            return Ok(Joining::AlreadyMember);
        }
        let outcome =
            sqlx::query("INSERT INTO members (room_id, user_id) VALUES (?, ?) ON CONFLICT DO NOTHING")
                .bind(room.value())
                .bind(user.value())
                .execute(&self.writer)
                .await
                .map_err(StorageError::database)?;
        Ok(if outcome.rows_affected() == 1 { Joining::Joined } else { Joining::AlreadyMember })
    }

    async fn is_member(&self, room: RoomId, user: UserId) -> Result<bool, StorageError> {
        sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM members WHERE room_id = ? AND user_id = ?)")
            .bind(room.value())
            .bind(user.value())
            .fetch_one(&self.readers)
            .await
            .map_err(StorageError::database)
    }

    async fn members(&self, room: RoomId) -> Result<Vec<User>, StorageError> {
        let rows: Vec<UserRow> = sqlx::query_as(
            "SELECT u.id, u.name FROM members AS m JOIN users AS u ON u.id = m.user_id \
             WHERE m.room_id = ? ORDER BY m.id",
        )
        .bind(room.value())
        .fetch_all(&self.readers)
        .await
        .map_err(StorageError::database)?;
        rows.into_iter().map(UserRow::read).collect()
    }

    async fn rooms_of(&self, user: UserId) -> Result<Vec<Room>, StorageError> {
        let rows: Vec<RoomRow> = sqlx::query_as(
            "SELECT r.id, r.name, r.display_name, r.access FROM members AS m JOIN rooms AS r ON r.id = m.room_id \
             WHERE m.user_id = ? ORDER BY r.id",
        )
        .bind(user.value())
        .fetch_all(&self.readers)
        .await
        .map_err(StorageError::database)?;
        rows.into_iter().map(RoomRow::read).collect()
    }
}
