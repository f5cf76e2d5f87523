//! Accounts and sessions.

use std::collections::HashSet;

use async_trait::async_trait;
use chat_core::StorageError;
use chat_core::storage::User;
use chat_protocol::{Timestamp, UserId, Username};
use rusqlite::Connection;

use super::failure::Failure;
use super::query::{all, execute, first};
use super::row::{self, AccountRow, SessionRow, account_columns};
use super::{SqliteStorage, users};
use crate::accounts::{
    Account, AccountChange, AccountStorage, Claim, NewSession, PasswordHash, Session, SessionHash,
};
use crate::storage::SESSIONS_PER_USER;

#[async_trait]
impl AccountStorage for SqliteStorage {
    async fn create_account(
        &self,
        name: &Username,
        password: &PasswordHash,
        claim: Claim,
        at: Timestamp,
    ) -> Result<Option<Account>, StorageError> {
        let (name, password_hash) = (name.clone(), password.clone());
        self.transaction(move |connection| {
            let Some(user) = claim_user(connection, &name, claim)? else { return Ok(None) };
            let created: Option<(i64,)> = first(
                connection,
                "INSERT INTO accounts (user_id, password_hash, created_at) VALUES (?, ?, ?) \
                 ON CONFLICT (user_id) DO NOTHING RETURNING generation",
                (user.id.value(), password_hash.as_str(), at.as_micros()),
            )?;
            let Some((generation,)) = created else { return Ok(None) };
            Ok(Some(Account { user, password_hash, is_active: true, generation, created_at: at }))
        })
        .await
    }

    async fn account_named(&self, name: &Username) -> Result<Option<Account>, StorageError> {
        let name = name.clone();
        self.read(move |connection| {
            let query = concat!("SELECT ", account_columns!(), "WHERE u.name = ?");
            let found: Option<AccountRow> = first(connection, query, [name.as_str()])?;
            Ok(found.map(AccountRow::read).transpose()?)
        })
        .await
    }

    async fn accounts(&self) -> Result<Vec<Account>, StorageError> {
        self.read(|connection| {
            let query = concat!("SELECT ", account_columns!(), "ORDER BY u.name");
            all(connection, query, (), AccountRow::read)
        })
        .await
    }

    async fn change_account(&self, user: UserId, change: &AccountChange) -> Result<(), StorageError> {
        let (id, change) = (user.value(), change.clone());
        self.write(move |connection| {
            match change {
                AccountChange::Rehashed { hash, generation } => execute(
                    connection,
                    "UPDATE accounts SET password_hash = ?2 WHERE user_id = ?1 AND generation = ?3",
                    (id, hash.as_str(), generation),
                ),
                AccountChange::Password(hash) => execute(
                    connection,
                    "UPDATE accounts SET password_hash = ?2, generation = generation + 1 WHERE user_id = ?1",
                    (id, hash.as_str()),
                ),
                AccountChange::Active(active) => execute(
                    connection,
                    "UPDATE accounts SET is_active = ?2, generation = generation + 1 WHERE user_id = ?1",
                    (id, active),
                ),
            }?;
            Ok(())
        })
        .await
    }

    async fn begin_session(
        &self,
        session: &NewSession,
        in_place_of: Option<SessionHash>,
    ) -> Result<(), StorageError> {
        let session = session.clone();
        self.transaction(move |connection| {
            execute(
                connection,
                "DELETE FROM sessions WHERE expires_at <= ? OR hash = ?",
                (session.created_at.as_micros(), in_place_of.map(|hash| hash.0)),
            )?;
            insert_session(connection, &session)?;
            execute(
                connection,
                "DELETE FROM sessions WHERE hash IN \
                 (SELECT hash FROM sessions WHERE user_id = ? ORDER BY created_at DESC LIMIT -1 OFFSET ?)",
                (session.user.value(), SESSIONS_PER_USER),
            )?;
            Ok(())
        })
        .await
    }

    async fn sessions(&self, hashes: &[SessionHash], now: Timestamp) -> Result<Vec<Session>, StorageError> {
        let hashes: HashSet<SessionHash> = hashes.iter().copied().collect();
        self.read(move |connection| {
            // Many may be asked for; all are looked up in one state of the database, which is begun and ended once.
            let state = connection.unchecked_transaction()?;
            let mut sessions = Vec::with_capacity(hashes.len());
            for hash in hashes {
                sessions.extend(session(&state, hash, now)?);
            }
            Ok(sessions)
        })
        .await
    }

    async fn extend_session(&self, hash: SessionHash, expires_at: Timestamp) -> Result<(), StorageError> {
        self.write(move |connection| {
            execute(
                connection,
                "UPDATE sessions SET expires_at = ? WHERE hash = ?",
                (expires_at.as_micros(), hash.0),
            )?;
            Ok(())
        })
        .await
    }

    async fn end_session(&self, hash: SessionHash) -> Result<(), StorageError> {
        self.write(move |connection| {
            execute(connection, "DELETE FROM sessions WHERE hash = ?", [hash.0])?;
            Ok(())
        })
        .await
    }
}

/// The user of an account that is to be made, where the name is to be had.
fn claim_user(connection: &Connection, name: &Username, claim: Claim) -> Result<Option<User>, Failure> {
    match (users::named(connection, name)?, claim) {
        (Some(_), Claim::New) => Ok(None),
        (Some(user), Claim::Ownerless) => Ok(Some(user)),
        (None, Claim::New | Claim::Ownerless) => {
            execute(connection, "INSERT INTO users (name) VALUES (?)", [name.as_str()])?;
            Ok(Some(User { id: row::id(connection.last_insert_rowid())?, name: name.clone() }))
        }
    }
}

fn insert_session(connection: &Connection, session: &NewSession) -> rusqlite::Result<usize> {
    execute(
        connection,
        "INSERT INTO sessions (hash, user_id, generation, created_at, expires_at) VALUES (?, ?, ?, ?, ?)",
        (
            session.hash.0,
            session.user.value(),
            session.generation,
            session.created_at.as_micros(),
            session.expires_at.as_micros(),
        ),
    )
}

/// The session with this hash, where it holds.
fn session(connection: &Connection, hash: SessionHash, now: Timestamp) -> Result<Option<Session>, Failure> {
    let row: Option<SessionRow> = first(
        connection,
        "SELECT s.hash, s.user_id, u.name, s.expires_at FROM sessions AS s \
         JOIN accounts AS a ON a.user_id = s.user_id AND a.generation = s.generation AND a.is_active \
         JOIN users AS u ON u.id = s.user_id WHERE s.hash = ? AND s.expires_at > ?",
        (hash.0, now.as_micros()),
    )?;
    Ok(row.map(SessionRow::read).transpose()?)
}
