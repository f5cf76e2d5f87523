//! Rooms and their members.

use std::sync::atomic::Ordering;

use async_trait::async_trait;
use chat_core::StorageError;
use chat_core::storage::{Joining, Leaving, NewRoom, Purpose, Room, RoomStorage, User};
use chat_protocol::{RoomId, RoomName, UserId};
use sqlx::SqliteConnection;

use super::row::{RoomRow, UserRow, access_text, room_columns};
use super::{SqliteStorage, failed};

#[async_trait]
impl RoomStorage for SqliteStorage {
    async fn ensure_room(&self, name: &RoomName) -> Result<Room, StorageError> {
        if let Some(room) = self.room_named(name).await? {
            return Ok(room);
        }
        // Not `RETURNING`: whoever takes the row and no more does not hear whether it could be committed.
        sqlx::query("INSERT INTO rooms (name) VALUES (?) ON CONFLICT (name) DO NOTHING")
            .bind(name.as_str())
            .execute(&self.writer)
            .await
            .map_err(failed)?;
        self.room_named(name).await?.ok_or(StorageError::Corrupt { what: "a room" })
    }

    async fn create_room(&self, room: &NewRoom) -> Result<Option<Room>, StorageError> {
        let mut transaction = self.writer.begin_with("BEGIN IMMEDIATE").await.map_err(failed)?;
        let made = insert(&mut transaction, room, None).await?;
        transaction.commit().await.map_err(failed)?;
        Ok(made)
    }

    async fn room_for(&self, purpose: Purpose, room: &NewRoom) -> Result<Room, StorageError> {
        let purpose = purpose.to_string();
        let mut transaction = self.writer.begin_with("BEGIN IMMEDIATE").await.map_err(failed)?;
        let known: Option<RoomRow> =
            sqlx::query_as(concat!("SELECT ", room_columns!(), " FROM rooms WHERE purpose = ?"))
                .bind(&purpose)
                .fetch_optional(&mut *transaction)
                .await
                .map_err(failed)?;
        let found = match known {
            Some(row) => row.read()?,
            None => insert(&mut transaction, room, Some(&purpose))
                .await?
                .ok_or(StorageError::Taken { what: "the name of the room" })?,
        };
        transaction.commit().await.map_err(failed)?;
        Ok(found)
    }

    async fn rooms(&self) -> Result<Vec<Room>, StorageError> {
        let rows: Vec<RoomRow> =
            sqlx::query_as(concat!("SELECT ", room_columns!(), " FROM rooms ORDER BY id"))
                .fetch_all(&self.readers)
                .await
                .map_err(failed)?;
        rows.into_iter().map(RoomRow::read).collect()
    }

    async fn leave(&self, room: RoomId, user: UserId) -> Result<Leaving, StorageError> {
        let outcome = sqlx::query("DELETE FROM members WHERE room_id = ? AND user_id = ?")
            .bind(room.value())
            .bind(user.value())
            .execute(&self.writer)
            .await
            .map_err(failed)?;
        Ok(if outcome.rows_affected() == 1 { Leaving::Left } else { Leaving::NotAMember })
    }

    async fn room_named(&self, name: &RoomName) -> Result<Option<Room>, StorageError> {
        let found: Option<RoomRow> =
            sqlx::query_as(concat!("SELECT ", room_columns!(), " FROM rooms WHERE name = ?"))
                .bind(name.as_str())
                .fetch_optional(&self.readers)
                .await
                .map_err(failed)?;
        found.map(RoomRow::read).transpose()
    }

    async fn room(&self, id: RoomId) -> Result<Option<Room>, StorageError> {
        let found: Option<RoomRow> =
            sqlx::query_as(concat!("SELECT ", room_columns!(), " FROM rooms WHERE id = ?"))
                .bind(id.value())
                .fetch_optional(&self.readers)
                .await
                .map_err(failed)?;
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
                .map_err(failed)?;
        Ok(if outcome.rows_affected() == 1 { Joining::Joined } else { Joining::AlreadyMember })
    }

    async fn changed_elsewhere(&self) -> Result<bool, StorageError> {
        // Counts what other connections commit. All writes of this process go through this one.
        let version: i64 =
            sqlx::query_scalar("PRAGMA data_version").fetch_one(&self.writer).await.map_err(failed)?;
        Ok(self.last_version.swap(version, Ordering::Relaxed) != version)
    }

    async fn is_member(&self, room: RoomId, user: UserId) -> Result<bool, StorageError> {
        sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM members WHERE room_id = ? AND user_id = ?)")
            .bind(room.value())
            .bind(user.value())
            .fetch_one(&self.readers)
            .await
            .map_err(failed)
    }

    async fn members(&self, room: RoomId) -> Result<Vec<User>, StorageError> {
        let rows: Vec<UserRow> = sqlx::query_as(
            "SELECT u.id, u.name FROM members AS m JOIN users AS u ON u.id = m.user_id \
             WHERE m.room_id = ? ORDER BY m.id",
        )
        .bind(room.value())
        .fetch_all(&self.readers)
        .await
        .map_err(failed)?;
        rows.into_iter().map(UserRow::read).collect()
    }

    async fn rooms_of(&self, user: UserId) -> Result<Vec<Room>, StorageError> {
        let rows: Vec<RoomRow> = sqlx::query_as(
            "SELECT r.id, r.name, r.display_name, r.access, r.owner_id FROM members AS m JOIN rooms AS r ON r.id = m.room_id \
             WHERE m.user_id = ? ORDER BY r.id",
        )
        .bind(user.value())
        .fetch_all(&self.readers)
        .await
        .map_err(failed)?;
        rows.into_iter().map(RoomRow::read).collect()
    }
}

/// Adds a room with its members; `None` where there is one of this name.
async fn insert(
    connection: &mut SqliteConnection,
    room: &NewRoom,
    purpose: Option<&str>,
) -> Result<Option<Room>, StorageError> {
    let made: Option<RoomRow> = sqlx::query_as(concat!(
        "INSERT INTO rooms (name, display_name, access, owner_id, purpose) VALUES (?, ?, ?, ?, ?) \
         ON CONFLICT (name) DO NOTHING RETURNING ",
        room_columns!()
    ))
    .bind(room.name.as_str())
    .bind(room.display_name.as_deref())
    .bind(access_text(room.access))
    .bind(room.owner.map(UserId::value))
    .bind(purpose)
    .fetch_optional(&mut *connection)
    .await
    .map_err(failed)?;
    let Some(made) = made.map(RoomRow::read).transpose()? else { return Ok(None) };
    for member in &room.members {
        sqlx::query("INSERT INTO members (room_id, user_id) VALUES (?, ?) ON CONFLICT DO NOTHING")
            .bind(made.id.value())
            .bind(member.value())
            .execute(&mut *connection)
            .await
            .map_err(failed)?;
    }
    Ok(Some(made))
}
