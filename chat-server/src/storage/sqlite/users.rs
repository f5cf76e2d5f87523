//! People.

use async_trait::async_trait;
use chat_core::StorageError;
use chat_core::storage::{User, UserStorage};
use chat_protocol::{Timestamp, UserId, Username};

use super::row::{self, UserRow};
use super::{SqliteStorage, failed};

#[async_trait]
impl UserStorage for SqliteStorage {
    async fn ensure_user(&self, name: &Username) -> Result<User, StorageError> {
        if let Some(user) = self.user_named(name).await? {
            return Ok(user);
        }
        // Not `RETURNING`: whoever takes the row and no more does not hear whether it could be committed.
        sqlx::query("INSERT INTO users (name) VALUES (?) ON CONFLICT (name) DO NOTHING")
            .bind(name.as_str())
            .execute(&self.writer)
            .await
            .map_err(failed)?;
        self.user_named(name).await?.ok_or(StorageError::Corrupt { what: "a user" })
    }

    async fn adopt_user(&self, id: UserId, name: &Username) -> Result<User, StorageError> {
        let user = User { id, name: name.clone() };
        if self.user_named(name).await?.as_ref() == Some(&user) {
            return Ok(user);
        }
        let mut transaction = self.writer.begin_with("BEGIN IMMEDIATE").await.map_err(failed)?;
        let holder: Option<UserRow> = sqlx::query_as("SELECT id, name FROM users WHERE name = ? AND id <> ?")
            .bind(name.as_str())
            .bind(id.value())
            .fetch_optional(&mut *transaction)
            .await
            .map_err(failed)?;
        if let Some(holder) = holder.map(UserRow::read).transpose()? {
            sqlx::query("UPDATE users SET name = ? WHERE id = ?")
                .bind(holder.displaced_name()?.as_str())
                .bind(holder.id.value())
                .execute(&mut *transaction)
                .await
                .map_err(failed)?;
        }
        sqlx::query(
            "INSERT INTO users (id, name) VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET name = excluded.name",
        )
        .bind(id.value())
        .bind(name.as_str())
        .execute(&mut *transaction)
        .await
        .map_err(failed)?;
        transaction.commit().await.map_err(failed)?;
        Ok(user)
    }

    async fn user_named(&self, name: &Username) -> Result<Option<User>, StorageError> {
        let found: Option<UserRow> = sqlx::query_as("SELECT id, name FROM users WHERE name = ?")
            .bind(name.as_str())
            .fetch_optional(&self.readers)
            .await
            .map_err(failed)?;
        found.map(UserRow::read).transpose()
    }

    async fn user(&self, id: UserId) -> Result<Option<User>, StorageError> {
        let found: Option<UserRow> = sqlx::query_as("SELECT id, name FROM users WHERE id = ?")
            .bind(id.value())
            .fetch_optional(&self.readers)
            .await
            .map_err(failed)?;
        found.map(UserRow::read).transpose()
    }

    async fn users(&self) -> Result<Vec<User>, StorageError> {
        let rows: Vec<UserRow> = sqlx::query_as("SELECT id, name FROM users ORDER BY id")
            .fetch_all(&self.readers)
            .await
            .map_err(failed)?;
        rows.into_iter().map(UserRow::read).collect()
    }

    async fn record_last_seen(&self, user: UserId, at: Timestamp) -> Result<(), StorageError> {
        sqlx::query(
            "UPDATE users SET last_seen = ?2 WHERE id = ?1 AND (last_seen IS NULL OR last_seen < ?2)",
        )
        .bind(user.value())
        .bind(at.as_micros())
        .execute(&self.writer)
        .await
        .map_err(failed)?;
        Ok(())
    }

    async fn last_seen(&self, user: UserId) -> Result<Option<Timestamp>, StorageError> {
        let seen: Option<i64> = sqlx::query_scalar("SELECT last_seen FROM users WHERE id = ?")
            .bind(user.value())
            .fetch_optional(&self.readers)
            .await
            .map_err(failed)?
            .flatten();
        seen.map(row::timestamp).transpose()
    }
}
