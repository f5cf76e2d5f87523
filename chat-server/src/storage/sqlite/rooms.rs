//! Rooms and their members.

use std::sync::atomic::Ordering;

use async_trait::async_trait;
use chat_core::StorageError;
use chat_core::storage::{Joining, Leaving, NewRoom, Purpose, Room, RoomStorage, User};
use chat_protocol::{RoomId, RoomName, UserId};
use rusqlite::Connection;

use super::SqliteStorage;
use super::failure::Failure;
use super::query::{all, execute, first};
use super::row::{self, RoomRow, UserRow, access_text, room_columns};

#[async_trait]
impl RoomStorage for SqliteStorage {
    async fn ensure_room(&self, name: &RoomName) -> Result<Room, StorageError> {
        if let Some(room) = self.room_named(name).await? {
            return Ok(room);
        }
        let name = name.clone();
        self.write(move |connection| {
            execute(
                connection,
                "INSERT INTO rooms (name) VALUES (?) ON CONFLICT (name) DO NOTHING",
                [name.as_str()],
            )?;
            Ok(named(connection, &name)?.ok_or(StorageError::Corrupt { what: "a room" })?)
        })
        .await
    }

    async fn create_room(&self, room: &NewRoom) -> Result<Option<Room>, StorageError> {
        let room = room.clone();
        self.transaction(move |connection| insert(connection, room, None)).await
    }

    async fn room_for(&self, purpose: Purpose, room: &NewRoom) -> Result<Room, StorageError> {
        let (former, purpose, room) = (purpose.former_text(), purpose.to_string(), room.clone());
        self.transaction(move |connection| {
            let mut known: Option<RoomRow> = first(
                connection,
                concat!("SELECT ", room_columns!(), " FROM rooms WHERE purpose = ?"),
                [&purpose],
            )?;
            if known.is_none()
                && let Some((former, owner)) = former
            {
                known = first(
                    connection,
                    concat!(
                        "SELECT ",
                        room_columns!(),
                        " FROM rooms WHERE purpose = ? \
                         AND EXISTS (SELECT 1 FROM members WHERE room_id = rooms.id AND user_id = ?)"
                    ),
                    (former.as_str(), owner.value()),
                )?;
            }
            match known {
                Some(row) => Ok(row.read()?),
                None => Ok(insert(connection, room, Some(&purpose))?
                    .ok_or(StorageError::Taken { what: "the name of the room" })?),
            }
        })
        .await
    }

    async fn rooms(&self) -> Result<Vec<Room>, StorageError> {
        self.read(|connection| {
            let query = concat!("SELECT ", room_columns!(), " FROM rooms ORDER BY id");
            all(connection, query, (), RoomRow::read)
        })
        .await
    }

    async fn leave(&self, room: RoomId, user: UserId) -> Result<Leaving, StorageError> {
        self.write(move |connection| {
            let removed = execute(
                connection,
                "DELETE FROM members WHERE room_id = ? AND user_id = ?",
                (room.value(), user.value()),
            )?;
            Ok(if removed == 1 { Leaving::Left } else { Leaving::NotAMember })
        })
        .await
    }

    async fn room_named(&self, name: &RoomName) -> Result<Option<Room>, StorageError> {
        let name = name.clone();
        self.read(move |connection| named(connection, &name)).await
    }

    async fn room(&self, id: RoomId) -> Result<Option<Room>, StorageError> {
        self.read(move |connection| {
            let query = concat!("SELECT ", room_columns!(), " FROM rooms WHERE id = ?");
            let found: Option<RoomRow> = first(connection, query, [id.value()])?;
            Ok(found.map(RoomRow::read).transpose()?)
        })
        .await
    }

    async fn join(&self, room: RoomId, user: UserId) -> Result<Joining, StorageError> {
        // Whoever comes back, as nearly everybody does, costs no write.
        if self.is_member(room, user).await? {
            return Ok(Joining::AlreadyMember);
        }
        self.write(move |connection| {
            let added = add_member(connection, room, user)?;
            Ok(if added == 1 { Joining::Joined } else { Joining::AlreadyMember })
        })
        .await
    }

    async fn changed_elsewhere(&self) -> Result<bool, StorageError> {
        // Counts what other connections commit. All writes of this process go through this one.
        let version = self.write(|connection| Ok(first(connection, "PRAGMA data_version", ())?)).await?;
        let (version,) = version.ok_or(StorageError::Corrupt { what: "the version of the data" })?;
        Ok(self.last_version.swap(version, Ordering::Relaxed) != version)
    }

    async fn is_member(&self, room: RoomId, user: UserId) -> Result<bool, StorageError> {
        self.read(move |connection| {
            let found: Option<(i64,)> = first(
                connection,
                "SELECT 1 FROM members WHERE room_id = ? AND user_id = ?",
                (room.value(), user.value()),
            )?;
            Ok(found.is_some())
        })
        .await
    }

    async fn members(&self, room: RoomId) -> Result<Vec<User>, StorageError> {
        self.read(move |connection| {
            all(
                connection,
                "SELECT u.id, u.name FROM members AS m JOIN users AS u ON u.id = m.user_id \
                 WHERE m.room_id = ? ORDER BY m.id",
                [room.value()],
                UserRow::read,
            )
        })
        .await
    }

    async fn rooms_of(&self, user: UserId, limit: Option<u32>) -> Result<Vec<Room>, StorageError> {
        // To SQLite, a limit below zero is none.
        let limit = limit.map_or(-1, i64::from);
        self.read(move |connection| {
            all(
                connection,
                "SELECT r.id, r.name, r.display_name, r.access, r.owner_id \
                 FROM members AS m JOIN rooms AS r ON r.id = m.room_id \
                 WHERE m.user_id = ? ORDER BY m.room_id LIMIT ?",
                (user.value(), limit),
                RoomRow::read,
            )
        })
        .await
    }
}

/// The room of this name.
fn named(connection: &Connection, name: &RoomName) -> Result<Option<Room>, Failure> {
    let query = concat!("SELECT ", room_columns!(), " FROM rooms WHERE name = ?");
    let found: Option<RoomRow> = first(connection, query, [name.as_str()])?;
    Ok(found.map(RoomRow::read).transpose()?)
}

/// Adds a room with its members, within a transaction; `None` where there is one of this name.
fn insert(connection: &Connection, room: NewRoom, purpose: Option<&str>) -> Result<Option<Room>, Failure> {
    let NewRoom { name, display_name, access, owner, members } = room;
    let added = execute(
        connection,
        "INSERT INTO rooms (name, display_name, access, owner_id, purpose) VALUES (?, ?, ?, ?, ?) \
         ON CONFLICT (name) DO NOTHING",
        (name.as_str(), display_name.as_deref(), access_text(access), owner.map(UserId::value), purpose),
    )?;
    if added == 0 {
        return Ok(None);
    }
    let id = row::id(connection.last_insert_rowid())?;
    for member in members {
        add_member(connection, id, member)?;
    }
    Ok(Some(Room { id, name, display_name, access, owner }))
}

/// Makes a user a member of a room; tells how many have become one.
fn add_member(connection: &Connection, room: RoomId, user: UserId) -> rusqlite::Result<usize> {
    execute(
        connection,
        "INSERT INTO members (room_id, user_id) VALUES (?, ?) ON CONFLICT DO NOTHING",
        (room.value(), user.value()),
    )
}
