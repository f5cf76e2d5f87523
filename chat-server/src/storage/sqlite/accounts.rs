//! Accounts and sessions.

use async_trait::async_trait;
use chat_core::StorageError;
use chat_core::storage::User;
use chat_protocol::{Timestamp, UserId, Username};
use sqlx::{QueryBuilder, Sqlite, SqliteConnection};

use super::row::{AccountRow, SessionRow, UserRow, account_columns};
use super::{SqliteStorage, failed};
use crate::accounts::{
    Account, AccountChange, AccountStorage, Claim, NewSession, PasswordHash, Session, SessionHash,
};
use crate::storage::SESSIONS_PER_USER;

/// Most hashes in one statement, well under SQLite's 32,766 parameters.
const HASHES_PER_STATEMENT: usize = 10_000;

#[async_trait]
impl AccountStorage for SqliteStorage {
    async fn create_account(
        &self,
        name: &Username,
        password: &PasswordHash,
        claim: Claim,
        at: Timestamp,
    ) -> Result<Option<Account>, StorageError> {
        let mut transaction = self.writer.begin_with("BEGIN IMMEDIATE").await.map_err(failed)?;
        let Some(user) = claim_user(&mut transaction, name, claim).await? else { return Ok(None) };
        let created: Option<i64> = sqlx::query_scalar(
            "INSERT INTO accounts (user_id, password_hash, created_at) VALUES (?, ?, ?) \
             ON CONFLICT (user_id) DO NOTHING RETURNING generation",
        )
        .bind(user.id.value())
        .bind(password.as_str())
        .bind(at.as_micros())
        .fetch_optional(&mut *transaction)
        .await
        .map_err(failed)?;
        let Some(generation) = created else { return Ok(None) };
        transaction.commit().await.map_err(failed)?;
        let password_hash = password.clone();
        Ok(Some(Account { user, password_hash, is_active: true, generation, created_at: at }))
    }

    async fn account_named(&self, name: &Username) -> Result<Option<Account>, StorageError> {
        let found: Option<AccountRow> =
            sqlx::query_as(concat!("SELECT ", account_columns!(), "WHERE u.name = ?"))
                .bind(name.as_str())
                .fetch_optional(&self.readers)
                .await
                .map_err(failed)?;
        found.map(AccountRow::read).transpose()
    }

    async fn accounts(&self) -> Result<Vec<Account>, StorageError> {
        let found: Vec<AccountRow> =
            sqlx::query_as(concat!("SELECT ", account_columns!(), "ORDER BY u.name"))
                .fetch_all(&self.readers)
                .await
                .map_err(failed)?;
        found.into_iter().map(AccountRow::read).collect()
    }

    async fn change_account(&self, user: UserId, change: &AccountChange) -> Result<(), StorageError> {
        let id = user.value();
        let query = match change {
            AccountChange::Rehashed { hash, generation } => {
                sqlx::query("UPDATE accounts SET password_hash = ?2 WHERE user_id = ?1 AND generation = ?3")
                    .bind(id)
                    .bind(hash.as_str())
                    .bind(generation)
            }
            AccountChange::Password(hash) => sqlx::query(
                "UPDATE accounts SET password_hash = ?2, generation = generation + 1 WHERE user_id = ?1",
            )
            .bind(id)
            .bind(hash.as_str()),
            AccountChange::Active(active) => sqlx::query(
                "UPDATE accounts SET is_active = ?2, generation = generation + 1 WHERE user_id = ?1",
            )
            .bind(id)
            .bind(active),
        };
        query.execute(&self.writer).await.map_err(failed)?;
        Ok(())
    }

    async fn begin_session(
        &self,
        session: &NewSession,
        in_place_of: Option<SessionHash>,
    ) -> Result<(), StorageError> {
        let mut transaction = self.writer.begin_with("BEGIN IMMEDIATE").await.map_err(failed)?;
        sqlx::query("DELETE FROM sessions WHERE expires_at <= ? OR hash = ?")
            .bind(session.created_at.as_micros())
            .bind(in_place_of.map(|hash| hash.0.to_vec()))
            .execute(&mut *transaction)
            .await
            .map_err(failed)?;
        sqlx::query(
            "INSERT INTO sessions (hash, user_id, generation, created_at, expires_at) VALUES (?, ?, ?, ?, ?)",
        )
        .bind(session.hash.0.as_slice())
        .bind(session.user.value())
        .bind(session.generation)
        .bind(session.created_at.as_micros())
        .bind(session.expires_at.as_micros())
        .execute(&mut *transaction)
        .await
        .map_err(failed)?;
        sqlx::query(
            "DELETE FROM sessions WHERE hash IN \
             (SELECT hash FROM sessions WHERE user_id = ? ORDER BY created_at DESC LIMIT -1 OFFSET ?)",
        )
        .bind(session.user.value())
        .bind(SESSIONS_PER_USER)
        .execute(&mut *transaction)
        .await
        .map_err(failed)?;
        transaction.commit().await.map_err(failed)
    }

    async fn sessions(&self, hashes: &[SessionHash], now: Timestamp) -> Result<Vec<Session>, StorageError> {
        let mut sessions = Vec::with_capacity(hashes.len());
        for hashes in hashes.chunks(HASHES_PER_STATEMENT) {
            let mut query = QueryBuilder::<Sqlite>::new(
                "SELECT s.hash, s.user_id, u.name, s.expires_at FROM sessions AS s \
                 JOIN accounts AS a ON a.user_id = s.user_id AND a.generation = s.generation AND a.is_active \
                 JOIN users AS u ON u.id = s.user_id WHERE s.expires_at > ",
            );
            query.push_bind(now.as_micros()).push(" AND s.hash IN (");
            let mut list = query.separated(", ");
            for hash in hashes {
                list.push_bind(hash.0.as_slice());
            }
            query.push(")");
            let rows: Vec<SessionRow> =
                query.build_query_as().fetch_all(&self.readers).await.map_err(failed)?;
            for row in rows {
                sessions.push(row.read()?);
            }
        }
        Ok(sessions)
    }

    async fn extend_session(&self, hash: SessionHash, expires_at: Timestamp) -> Result<(), StorageError> {
        sqlx::query("UPDATE sessions SET expires_at = ? WHERE hash = ?")
            .bind(expires_at.as_micros())
            .bind(hash.0.as_slice())
            .execute(&self.writer)
            .await
            .map_err(failed)?;
        Ok(())
    }

    async fn end_session(&self, hash: SessionHash) -> Result<(), StorageError> {
        sqlx::query("DELETE FROM sessions WHERE hash = ?")
            .bind(hash.0.as_slice())
            .execute(&self.writer)
            .await
            .map_err(failed)?;
        Ok(())
    }
}

/// The user of an account that is to be made, where the name is to be had.
async fn claim_user(
    connection: &mut SqliteConnection,
    name: &Username,
    claim: Claim,
) -> Result<Option<User>, StorageError> {
    let query = match claim {
        Claim::New => "INSERT INTO users (name) VALUES (?) ON CONFLICT (name) DO NOTHING RETURNING id, name",
        // The update changes nothing; it makes the row that is there be returned, too.
        Claim::Ownerless => {
            "INSERT INTO users (name) VALUES (?) ON CONFLICT (name) DO UPDATE SET name = name RETURNING id, name"
        }
    };
    let user: Option<UserRow> =
        sqlx::query_as(query).bind(name.as_str()).fetch_optional(connection).await.map_err(failed)?;
    user.map(UserRow::read).transpose()
}
