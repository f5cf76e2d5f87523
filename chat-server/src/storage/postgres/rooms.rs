//! Rooms and their members.

use std::sync::atomic::Ordering;

use async_trait::async_trait;
use chat_core::StorageError;
use chat_core::storage::{Joining, Leaving, NewRoom, Purpose, Room, RoomStorage, User};
use chat_protocol::{RoomId, RoomName, UserId};
use sqlx::PgConnection;

use super::row::{RoomRow, UserRow, access_text, room_columns};
use super::{PostgresStorage, failed};

#[async_trait]
impl RoomStorage for PostgresStorage {
    async fn ensure_room(&self, name: &RoomName) -> Result<Room, StorageError> {
        if let Some(room) = self.room_named(name).await? {
            return Ok(room);
        }
        self.pool
            .execute(
                sqlx::query("INSERT INTO rooms (name) VALUES ($1) ON CONFLICT (name) DO NOTHING")
                    .bind(name.as_str()),
            )
            .await?;
        self.room_named(name).await?.ok_or(StorageError::Corrupt { what: "a room" })
    }

    async fn create_room(&self, room: &NewRoom) -> Result<Option<Room>, StorageError> {
        self.pool.transaction(async |connection| insert(connection, room, None).await).await
    }

    async fn room_for(&self, purpose: Purpose, room: &NewRoom) -> Result<Room, StorageError> {
        let (former, purpose) = (purpose.former_text(), purpose.to_string());
        self.pool
            .transaction(async |connection| {
                if let Some(known) = of_purpose(connection, &purpose).await? {
                    return Ok(known);
                }
                if let Some((former, owner)) = &former
                    && let Some(known) = of_former_purpose(connection, former, *owner).await?
                {
                    return Ok(known);
                }
                if let Some(made) = insert(connection, room, Some(&purpose)).await? {
                    return Ok(made);
                }
                // Somebody else has just made it, or one of the same name.
                let known = of_purpose(connection, &purpose).await?;
                known.ok_or(StorageError::Taken { what: "the name of the room" })
            })
            .await
    }

    async fn rooms(&self) -> Result<Vec<Room>, StorageError> {
        let rows: Vec<RoomRow> = self
            .pool
            .all(sqlx::query_as(concat!("SELECT ", room_columns!(), " FROM rooms ORDER BY id")))
            .await?;
        rows.into_iter().map(RoomRow::read).collect()
    }

    async fn leave(&self, room: RoomId, user: UserId) -> Result<Leaving, StorageError> {
        let outcome = self
            .pool
            .execute(
                sqlx::query("DELETE FROM members WHERE room_id = $1 AND user_id = $2")
                    .bind(room.value())
                    .bind(user.value()),
            )
            .await?;
        Ok(if outcome == 1 { Leaving::Left } else { Leaving::NotAMember })
    }

    async fn room_named(&self, name: &RoomName) -> Result<Option<Room>, StorageError> {
        let found: Option<RoomRow> = self
            .pool
            .first(
                sqlx::query_as(concat!("SELECT ", room_columns!(), " FROM rooms WHERE name = $1"))
                    .bind(name.as_str()),
            )
            .await?;
        found.map(RoomRow::read).transpose()
    }

    async fn room(&self, id: RoomId) -> Result<Option<Room>, StorageError> {
        let found: Option<RoomRow> = self
            .pool
            .first(
                sqlx::query_as(concat!("SELECT ", room_columns!(), " FROM rooms WHERE id = $1"))
                    .bind(id.value()),
            )
            .await?;
        found.map(RoomRow::read).transpose()
    }

    async fn join(&self, room: RoomId, user: UserId) -> Result<Joining, StorageError> {
        // Whoever comes back, as nearly everybody does, costs no write.
        if self.is_member(room, user).await? {
            return Ok(Joining::AlreadyMember);
        }
        let outcome = self
            .pool
            .execute(
                sqlx::query("INSERT INTO members (room_id, user_id) VALUES ($1, $2) ON CONFLICT DO NOTHING")
                    .bind(room.value())
                    .bind(user.value()),
            )
            .await?;
        Ok(if outcome == 1 { Joining::Joined } else { Joining::AlreadyMember })
    }

    async fn changed_elsewhere(&self) -> Result<bool, StorageError> {
        // Counted by a trigger, in the transaction that changes members: whoever sees a count sees the changes. Those of
        // this process are counted, too.
        let changes: i64 = self
            .pool
            .run(async |connection| {
                sqlx::query_scalar("SELECT sum(count)::bigint FROM member_changes")
                    .fetch_one(connection)
                    .await
                    .map_err(failed)
            })
            .await?;
        Ok(self.last_changes.swap(changes, Ordering::Relaxed) != changes)
    }

    async fn is_member(&self, room: RoomId, user: UserId) -> Result<bool, StorageError> {
        self.pool
            .run(async |connection| {
                sqlx::query_scalar(
                    "SELECT EXISTS (SELECT 1 FROM members WHERE room_id = $1 AND user_id = $2)",
                )
                .bind(room.value())
                .bind(user.value())
                .fetch_one(connection)
                .await
                .map_err(failed)
            })
            .await
    }

    async fn members(&self, room: RoomId) -> Result<Vec<User>, StorageError> {
        let rows: Vec<UserRow> = self
            .pool
            .all(
                sqlx::query_as(
                    "SELECT u.id, u.name FROM members AS m JOIN users AS u ON u.id = m.user_id \
                     WHERE m.room_id = $1 ORDER BY m.id",
                )
                .bind(room.value()),
            )
            .await?;
        rows.into_iter().map(UserRow::read).collect()
    }

    async fn rooms_of(&self, user: UserId, limit: Option<u32>) -> Result<Vec<Room>, StorageError> {
        // To PostgreSQL, a limit that is NULL is none.
        let rows: Vec<RoomRow> = self
            .pool
            .all(
                sqlx::query_as(
                    "SELECT r.id, r.name, r.display_name, r.access, r.owner_id \
                     FROM members AS m JOIN rooms AS r ON r.id = m.room_id \
                     WHERE m.user_id = $1 ORDER BY m.room_id LIMIT $2",
                )
                .bind(user.value())
                .bind(limit.map(i64::from)),
            )
            .await?;
        rows.into_iter().map(RoomRow::read).collect()
    }
}

/// The room for a purpose.
async fn of_purpose(connection: &mut PgConnection, purpose: &str) -> Result<Option<Room>, StorageError> {
    let known: Option<RoomRow> =
        sqlx::query_as(concat!("SELECT ", room_columns!(), " FROM rooms WHERE purpose = $1"))
            .bind(purpose)
            .fetch_optional(connection)
            .await
            .map_err(failed)?;
    known.map(RoomRow::read).transpose()
}

/// The room that an earlier version has made for a purpose, where this owner is a member of it.
async fn of_former_purpose(
    connection: &mut PgConnection,
    purpose: &str,
    owner: UserId,
) -> Result<Option<Room>, StorageError> {
    let known: Option<RoomRow> = sqlx::query_as(concat!(
        "SELECT ",
        room_columns!(),
        " FROM rooms WHERE purpose = $1 \
         AND EXISTS (SELECT 1 FROM members WHERE room_id = rooms.id AND user_id = $2)"
    ))
    .bind(purpose)
    .bind(owner.value())
    .fetch_optional(connection)
    .await
    .map_err(failed)?;
    known.map(RoomRow::read).transpose()
}

/// Adds a room with its members, within a transaction; `None` where there is one of this name or purpose.
async fn insert(
    connection: &mut PgConnection,
    room: &NewRoom,
    purpose: Option<&str>,
) -> Result<Option<Room>, StorageError> {
    let made: Option<RoomRow> = sqlx::query_as(concat!(
        "INSERT INTO rooms (name, display_name, access, owner_id, purpose) VALUES ($1, $2, $3, $4, $5) \
         ON CONFLICT DO NOTHING RETURNING ",
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
    sqlx::query(
        "INSERT INTO members (room_id, user_id) \
         SELECT $1, user_id FROM unnest($2::bigint[]) WITH ORDINALITY AS given (user_id, place) ORDER BY place \
         ON CONFLICT DO NOTHING",
    )
    .bind(made.id.value())
    .bind(room.members.iter().map(|member| member.value()).collect::<Vec<_>>())
    .execute(connection)
    .await
    .map_err(failed)?;
    Ok(Some(made))
}
