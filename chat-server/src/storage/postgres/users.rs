//! People.

use async_trait::async_trait;
use chat_core::StorageError;
use chat_core::storage::{User, UserStorage};
use chat_protocol::{Timestamp, UserId, Username};
use sqlx::PgConnection;

use super::row::{self, UserRow};
use super::{PostgresStorage, failed};

#[async_trait]
impl UserStorage for PostgresStorage {
    async fn ensure_user(&self, name: &Username) -> Result<User, StorageError> {
        if let Some(user) = self.user_named(name).await? {
            return Ok(user);
        }
        self.pool
            .execute(
                sqlx::query("INSERT INTO users (name) VALUES ($1) ON CONFLICT (name) DO NOTHING")
                    .bind(name.as_str()),
            )
            .await?;
        self.user_named(name).await?.ok_or(StorageError::Corrupt { what: "a user" })
    }

    async fn adopt_user(&self, id: UserId, name: &Username) -> Result<User, StorageError> {
        let user = User { id, name: name.clone() };
        if self.user_named(name).await?.as_ref() == Some(&user) {
            return Ok(user);
        }
        self.pool
            .transaction(async |connection| {
                // One at a time, and beside no other change to users: two rows change here, in whichever order, which
                // would be a deadlock with whoever has locked them in the other.
                lock(connection).await?;
                let holder: Option<UserRow> =
                    sqlx::query_as("SELECT id, name FROM users WHERE name = $1 AND id <> $2")
                        .bind(name.as_str())
                        .bind(id.value())
                        .fetch_optional(&mut *connection)
                        .await
                        .map_err(failed)?;
                if let Some(holder) = holder.map(UserRow::read).transpose()? {
                    sqlx::query("UPDATE users SET name = $1 WHERE id = $2")
                        .bind(holder.displaced_name()?.as_str())
                        .bind(holder.id.value())
                        .execute(&mut *connection)
                        .await
                        .map_err(failed)?;
                }
                sqlx::query(
                    "INSERT INTO users (id, name) VALUES ($1, $2) \
                     ON CONFLICT (id) DO UPDATE SET name = excluded.name",
                )
                .bind(id.value())
                .bind(name.as_str())
                .execute(&mut *connection)
                .await
                .map_err(failed)?;
                give_out_after(connection, id).await
            })
            .await?;
        Ok(user)
    }

    async fn reserve_user_ids(&self, up_to: UserId) -> Result<(), StorageError> {
        let behind: Option<(i64,)> = self
            .pool
            .first(
                sqlx::query_as("SELECT last_value FROM users_id_seq WHERE last_value <= $1")
                    .bind(up_to.value()),
            )
            .await?;
        // Mostly it is ahead already, and nobody has to wait.
        if behind.is_none() {
            return Ok(());
        }
        self.pool
            .transaction(async |connection| {
                // Where another node sets the sequence as well, ids that were taken after it must not be given out again.
                lock(connection).await?;
                give_out_after(connection, up_to).await
            })
            .await?;
        Ok(())
    }

    async fn user_named(&self, name: &Username) -> Result<Option<User>, StorageError> {
        let found: Option<UserRow> = self
            .pool
            .first(sqlx::query_as("SELECT id, name FROM users WHERE name = $1").bind(name.as_str()))
            .await?;
        found.map(UserRow::read).transpose()
    }

    async fn user(&self, id: UserId) -> Result<Option<User>, StorageError> {
        let found: Option<UserRow> = self
            .pool
            .first(sqlx::query_as("SELECT id, name FROM users WHERE id = $1").bind(id.value()))
            .await?;
        found.map(UserRow::read).transpose()
    }

    async fn users(&self, limit: u32) -> Result<Vec<User>, StorageError> {
        let rows: Vec<UserRow> = self
            .pool
            .all(sqlx::query_as("SELECT id, name FROM users ORDER BY id LIMIT $1").bind(i64::from(limit)))
            .await?;
        rows.into_iter().map(UserRow::read).collect()
    }

    async fn record_last_seen(&self, user: UserId, at: Timestamp) -> Result<(), StorageError> {
        self.pool
            .execute(
                sqlx::query(
                    "UPDATE users SET last_seen = $2 WHERE id = $1 AND (last_seen IS NULL OR last_seen < $2)",
                )
                .bind(user.value())
                .bind(at.as_micros()),
            )
            .await?;
        Ok(())
    }

    async fn last_seen(&self, user: UserId) -> Result<Option<Timestamp>, StorageError> {
        let seen: Option<Option<i64>> = self
            .pool
            .run(async |connection| {
                sqlx::query_scalar("SELECT last_seen FROM users WHERE id = $1")
                    .bind(user.value())
                    .fetch_optional(connection)
                    .await
                    .map_err(failed)
            })
            .await?;
        seen.flatten().map(row::timestamp).transpose()
    }
}

/// Lets nobody else change users, or take an id, until the transaction is over.
async fn lock(connection: &mut PgConnection) -> Result<(), StorageError> {
    sqlx::query("LOCK TABLE users IN EXCLUSIVE MODE").execute(connection).await.map_err(failed)?;
    Ok(())
}

/// Has the ids that are given out here go on after this one, where they are not there yet. To be called under the lock.
async fn give_out_after(connection: &mut PgConnection, id: UserId) -> Result<(), StorageError> {
    sqlx::query("SELECT setval('users_id_seq', $1) FROM users_id_seq WHERE last_value <= $1")
        .bind(id.value())
        .execute(connection)
        .await
        .map_err(failed)?;
    Ok(())
}
