//! Accounts and sessions.

use async_trait::async_trait;
use chat_core::StorageError;
use chat_core::storage::User;
use chat_protocol::{Timestamp, UserId, Username};
use sqlx::PgConnection;

use super::row::{AccountRow, SessionRow, UserRow, account_columns};
use super::{PostgresStorage, failed};
use crate::accounts::{
    Account, AccountChange, AccountStorage, Claim, NewSession, PasswordHash, Session, SessionHash,
};
use crate::storage::SESSIONS_PER_USER;

#[async_trait]
impl AccountStorage for PostgresStorage {
    async fn create_account(
        &self,
        name: &Username,
        password: &PasswordHash,
        claim: Claim,
        at: Timestamp,
    ) -> Result<Option<Account>, StorageError> {
        self.pool
            .transaction(async |connection| {
                let Some(user) = claim_user(connection, name, claim).await? else { return Ok(None) };
                let created: Option<i64> = sqlx::query_scalar(
                    "INSERT INTO accounts (user_id, password_hash, created_at) VALUES ($1, $2, $3) \
                     ON CONFLICT (user_id) DO NOTHING RETURNING generation",
                )
                .bind(user.id.value())
                .bind(password.as_str())
                .bind(at.as_micros())
                .fetch_optional(connection)
                .await
                .map_err(failed)?;
                let password_hash = password.clone();
                Ok(created.map(|generation| Account {
                    user,
                    password_hash,
                    is_active: true,
                    generation,
                    created_at: at,
                }))
            })
            .await
    }

    async fn account_named(&self, name: &Username) -> Result<Option<Account>, StorageError> {
        let found: Option<AccountRow> = self
            .pool
            .first(
                sqlx::query_as(concat!("SELECT ", account_columns!(), "WHERE u.name = $1"))
                    .bind(name.as_str()),
            )
            .await?;
        found.map(AccountRow::read).transpose()
    }

    async fn accounts(&self) -> Result<Vec<Account>, StorageError> {
        let found: Vec<AccountRow> =
            self.pool.all(sqlx::query_as(concat!("SELECT ", account_columns!(), "ORDER BY u.name"))).await?;
        found.into_iter().map(AccountRow::read).collect()
    }

    async fn change_account(&self, user: UserId, change: &AccountChange) -> Result<(), StorageError> {
        let id = user.value();
        let query = match change {
            AccountChange::Rehashed { hash, generation } => {
                sqlx::query("UPDATE accounts SET password_hash = $2 WHERE user_id = $1 AND generation = $3")
                    .bind(id)
                    .bind(hash.as_str())
                    .bind(generation)
            }
            AccountChange::Password(hash) => sqlx::query(
                "UPDATE accounts SET password_hash = $2, generation = generation + 1 WHERE user_id = $1",
            )
            .bind(id)
            .bind(hash.as_str()),
            AccountChange::Active(active) => sqlx::query(
                "UPDATE accounts SET is_active = $2, generation = generation + 1 WHERE user_id = $1",
            )
            .bind(id)
            .bind(active),
        };
        self.pool.run(async |connection| query.execute(connection).await.map_err(failed)).await?;
        Ok(())
    }

    async fn begin_session(
        &self,
        session: &NewSession,
        in_place_of: Option<SessionHash>,
    ) -> Result<(), StorageError> {
        self.pool
            .transaction(async |connection| {
                // One at a time for each account, so that two that begin at once do not end the same old ones.
                sqlx::query("SELECT FROM accounts WHERE user_id = $1 FOR NO KEY UPDATE")
                    .bind(session.user.value())
                    .execute(&mut *connection)
                    .await
                    .map_err(failed)?;
                forget_sessions(connection, session, in_place_of).await?;
                sqlx::query(
                    "INSERT INTO sessions (hash, user_id, generation, created_at, expires_at) \
                     VALUES ($1, $2, $3, $4, $5)",
                )
                .bind(session.hash.0.as_slice())
                .bind(session.user.value())
                .bind(session.generation)
                .bind(session.created_at.as_micros())
                .bind(session.expires_at.as_micros())
                .execute(&mut *connection)
                .await
                .map_err(failed)?;
                sqlx::query(
                    "DELETE FROM sessions WHERE hash IN \
                     (SELECT hash FROM sessions WHERE user_id = $1 ORDER BY created_at DESC OFFSET $2)",
                )
                .bind(session.user.value())
                .bind(i64::from(SESSIONS_PER_USER))
                .execute(connection)
                .await
                .map_err(failed)?;
                Ok(())
            })
            .await
    }

    async fn sessions(&self, hashes: &[SessionHash], now: Timestamp) -> Result<Vec<Session>, StorageError> {
        let rows: Vec<SessionRow> = self
            .pool
            .all(sqlx::query_as(
                    "SELECT s.hash, s.user_id, u.name, s.expires_at FROM sessions AS s \
                     JOIN accounts AS a ON a.user_id = s.user_id AND a.generation = s.generation AND a.is_active \
                     JOIN users AS u ON u.id = s.user_id WHERE s.expires_at > $1 AND s.hash = ANY ($2)",
                )
                .bind(now.as_micros())
                .bind(hashes.iter().map(|hash| hash.0.as_slice()).collect::<Vec<_>>()))
            .await?;
        rows.into_iter().map(SessionRow::read).collect()
    }

    async fn extend_session(&self, hash: SessionHash, expires_at: Timestamp) -> Result<(), StorageError> {
        self.pool
            .execute(
                sqlx::query("UPDATE sessions SET expires_at = $1 WHERE hash = $2")
                    .bind(expires_at.as_micros())
                    .bind(hash.0.as_slice()),
            )
            .await?;
        Ok(())
    }

    async fn end_session(&self, hash: SessionHash) -> Result<(), StorageError> {
        self.pool
            .execute(sqlx::query("DELETE FROM sessions WHERE hash = $1").bind(hash.0.as_slice()))
            .await?;
        Ok(())
    }
}

/// Forgets the session that another takes the place of, and those that have expired by then.
async fn forget_sessions(
    connection: &mut PgConnection,
    session: &NewSession,
    in_place_of: Option<SessionHash>,
) -> Result<(), StorageError> {
    if let Some(hash) = in_place_of {
        sqlx::query("DELETE FROM sessions WHERE hash = $1")
            .bind(hash.0.as_slice())
            .execute(&mut *connection)
            .await
            .map_err(failed)?;
    }
    // Those that somebody else is about to end are left to them: waiting for each other would be a deadlock.
    sqlx::query(
        "DELETE FROM sessions WHERE hash IN \
         (SELECT hash FROM sessions WHERE expires_at <= $1 FOR UPDATE SKIP LOCKED)",
    )
    .bind(session.created_at.as_micros())
    .execute(connection)
    .await
    .map_err(failed)?;
    Ok(())
}

/// The user of an account that is to be made, where the name is to be had.
async fn claim_user(
    connection: &mut PgConnection,
    name: &Username,
    claim: Claim,
) -> Result<Option<User>, StorageError> {
    let query = match claim {
        Claim::New => "INSERT INTO users (name) VALUES ($1) ON CONFLICT (name) DO NOTHING RETURNING id, name",
        // The update changes nothing; it makes the row that is there be returned, too.
        Claim::Ownerless => {
            "INSERT INTO users (name) VALUES ($1) ON CONFLICT (name) DO UPDATE SET name = excluded.name \
             RETURNING id, name"
        }
    };
    let user: Option<UserRow> =
        sqlx::query_as(query).bind(name.as_str()).fetch_optional(connection).await.map_err(failed)?;
    user.map(UserRow::read).transpose()
}
