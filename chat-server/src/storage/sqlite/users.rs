//! People.

use async_trait::async_trait;
use chat_core::StorageError;
use chat_core::storage::{User, UserStorage};
use chat_protocol::{Timestamp, UserId, Username};
use rusqlite::Connection;

use super::SqliteStorage;
use super::failure::Failure;
use super::query::{all, execute, first};
use super::row::{self, UserRow};

#[async_trait]
impl UserStorage for SqliteStorage {
    async fn ensure_user(&self, name: &Username) -> Result<User, StorageError> {
        if let Some(user) = self.user_named(name).await? {
            return Ok(user);
        }
        let name = name.clone();
        self.write(move |connection| {
            execute(
                connection,
                "INSERT INTO users (name) VALUES (?) ON CONFLICT (name) DO NOTHING",
                [name.as_str()],
            )?;
            Ok(named(connection, &name)?.ok_or(StorageError::Corrupt { what: "a user" })?)
        })
        .await
    }

    async fn adopt_user(&self, id: UserId, name: &Username) -> Result<User, StorageError> {
        let user = User { id, name: name.clone() };
        if self.user_named(name).await?.as_ref() == Some(&user) {
            return Ok(user);
        }
        self.transaction(move |connection| {
            if let Some(holder) = named(connection, &user.name)?.filter(|holder| holder.id != id) {
                execute(
                    connection,
                    "UPDATE users SET name = ? WHERE id = ?",
                    (holder.displaced_name()?.as_str(), holder.id.value()),
                )?;
            }
            execute(
                connection,
                "INSERT INTO users (id, name) VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET name = excluded.name",
                (id.value(), user.name.as_str()),
            )?;
            Ok(user)
        })
        .await
    }

    async fn reserve_user_ids(&self, up_to: UserId) -> Result<(), StorageError> {
        self.transaction(move |connection| {
            // Where AUTOINCREMENT keeps the last id of a table; it goes on after whatever stands there.
            execute(
                connection,
                "INSERT INTO sqlite_sequence (name, seq) SELECT 'users', 0 \
                 WHERE NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = 'users')",
                (),
            )?;
            execute(
                connection,
                "UPDATE sqlite_sequence SET seq = ?1 WHERE name = 'users' AND seq < ?1",
                [up_to.value()],
            )?;
            Ok(())
        })
        .await
    }

    async fn user_named(&self, name: &Username) -> Result<Option<User>, StorageError> {
        let name = name.clone();
        self.read(move |connection| named(connection, &name)).await
    }

    async fn user(&self, id: UserId) -> Result<Option<User>, StorageError> {
        self.read(move |connection| {
            let found: Option<UserRow> =
                first(connection, "SELECT id, name FROM users WHERE id = ?", [id.value()])?;
            Ok(found.map(UserRow::read).transpose()?)
        })
        .await
    }

    async fn users(&self, limit: u32) -> Result<Vec<User>, StorageError> {
        self.read(move |connection| {
            all(connection, "SELECT id, name FROM users ORDER BY id LIMIT ?", [limit], UserRow::read)
        })
        .await
    }

    async fn record_last_seen(&self, user: UserId, at: Timestamp) -> Result<(), StorageError> {
        self.write(move |connection| {
            execute(
                connection,
                "UPDATE users SET last_seen = ?2 WHERE id = ?1 AND (last_seen IS NULL OR last_seen < ?2)",
                (user.value(), at.as_micros()),
            )?;
            Ok(())
        })
        .await
    }

    async fn last_seen(&self, user: UserId) -> Result<Option<Timestamp>, StorageError> {
        self.read(move |connection| {
            let seen: Option<(Option<i64>,)> =
                first(connection, "SELECT last_seen FROM users WHERE id = ?", [user.value()])?;
            Ok(seen.and_then(|(at,)| at).map(row::timestamp).transpose()?)
        })
        .await
    }
}

/// The user of this name.
pub(super) fn named(connection: &Connection, name: &Username) -> Result<Option<User>, Failure> {
    let found: Option<UserRow> =
        first(connection, "SELECT id, name FROM users WHERE name = ?", [name.as_str()])?;
    Ok(found.map(UserRow::read).transpose()?)
}
