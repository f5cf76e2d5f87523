//! What a database must do for accounts.

use std::fmt;

use async_trait::async_trait;
use chat_core::StorageError;
use chat_core::storage::User;
use chat_protocol::{Timestamp, UserId, Username};

use super::password::PasswordHash;
use super::session::{NewSession, Session, SessionHash};

/// What lets a user sign in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Whose it is.
    pub user: User,
    /// What is kept of the password.
    pub password_hash: PasswordHash,
    /// Whether one may sign in.
    pub is_active: bool,
    /// Grows whenever all sessions of the account are to end.
    pub generation: i64,
    /// Since when there is the account.
    pub created_at: Timestamp,
}

/// Which names a new account may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Claim {
    /// Names that no user has.
    New,
    /// Those, and names of users that have no account: guests, and users that another system has signed in. The account
    /// is theirs then, with their rooms and notifications.
    Ownerless,
}

/// What is to change about an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AccountChange {
    /// The same password, hashed anew. Changes nothing where the account is no longer of this generation: its password
    /// is another one by now.
    Rehashed {
        /// The new hash.
        hash: PasswordHash,
        /// The generation that the old hash was of.
        generation: i64,
    },
    /// Another password. Ends all sessions.
    Password(PasswordHash),
    /// One may sign in or not. Ends all sessions.
    Active(bool),
}

/// Accounts and sessions. The promises of [`chat_core::storage`] hold here, too.
#[async_trait]
pub trait AccountStorage: fmt::Debug + Send + Sync + 'static {
    /// Makes an account, and the user where there is none. `None` where the name is not to be had. Asked twice at once
    /// for a name, it makes one.
    ///
    /// # Errors
    ///
    /// [`StorageError`] where the database fails.
    async fn create_account(
        &self,
        name: &Username,
        password: &PasswordHash,
        claim: Claim,
        at: Timestamp,
    ) -> Result<Option<Account>, StorageError>;

    /// The account of the user of this name.
    ///
    /// # Errors
    ///
    /// [`StorageError`] where the database fails.
    async fn account_named(&self, name: &Username) -> Result<Option<Account>, StorageError>;

    /// All accounts, by name.
    ///
    /// # Errors
    ///
    /// [`StorageError`] where the database fails.
    async fn accounts(&self) -> Result<Vec<Account>, StorageError>;

    /// Changes the account of a user. Without an account, nothing happens.
    ///
    /// # Errors
    ///
    /// [`StorageError`] where the database fails.
    async fn change_account(&self, user: UserId, change: &AccountChange) -> Result<(), StorageError>;

    /// Begins a session, in place of another where one is given. Forgets what has expired by the time it begins, and the
    /// oldest of the user's where they are very many.
    ///
    /// # Errors
    ///
    /// [`StorageError`] where the database fails.
    async fn begin_session(
        &self,
        session: &NewSession,
        in_place_of: Option<SessionHash>,
    ) -> Result<(), StorageError>;

    /// Those of these sessions that hold: neither ended nor expired, and of the present generation of an active account.
    ///
    /// # Errors
    ///
    /// [`StorageError`] where the database fails.
    async fn sessions(&self, hashes: &[SessionHash], now: Timestamp) -> Result<Vec<Session>, StorageError>;

    /// Lets a session last until then. Without such a session, nothing happens.
    ///
    /// # Errors
    ///
    /// [`StorageError`] where the database fails.
    async fn extend_session(&self, hash: SessionHash, expires_at: Timestamp) -> Result<(), StorageError>;

    /// Ends a session. Without such a session, nothing happens.
    ///
    /// # Errors
    ///
    /// [`StorageError`] where the database fails.
    async fn end_session(&self, hash: SessionHash) -> Result<(), StorageError>;
}
