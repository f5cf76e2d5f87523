//! Accounts and sessions in memory, beside a [`MemoryStorage`](chat_core::memory::MemoryStorage).

use std::collections::HashMap;
use std::sync::Arc;

use async_trait::async_trait;
use chat_core::{Storage, StorageError};
use chat_protocol::{Timestamp, UserId, Username};
use parking_lot::Mutex;

use super::SESSIONS_PER_USER;
use crate::accounts::{
    Account, AccountChange, AccountStorage, Claim, NewSession, PasswordHash, Session, SessionHash,
};

/// Accounts of the users of a storage, forgotten at the end of the process.
#[derive(Debug)]
pub struct MemoryAccounts {
    users: Arc<dyn Storage>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    accounts: HashMap<UserId, Account>,
    sessions: HashMap<SessionHash, NewSession>,
}

impl MemoryAccounts {
    /// No accounts yet, for users that are kept there.
    #[must_use]
    pub fn new(users: Arc<dyn Storage>) -> Self {
        Self { users, state: Mutex::default() }
    }
}

#[async_trait]
impl AccountStorage for MemoryAccounts {
    async fn create_account(
        &self,
        name: &Username,
        password: &PasswordHash,
        claim: Claim,
        at: Timestamp,
    ) -> Result<Option<Account>, StorageError> {
        if claim == Claim::New && self.users.user_named(name).await?.is_some() {
            return Ok(None);
        }
        let user = self.users.ensure_user(name).await?;
        let accounts = &mut self.state.lock().accounts;
        if accounts.contains_key(&user.id) {
            return Ok(None);
        }
        let password_hash = password.clone();
        let account = Account { user, password_hash, is_active: true, generation: 0, created_at: at };
        accounts.insert(account.user.id, account.clone());
        Ok(Some(account))
    }

    async fn account_named(&self, name: &Username) -> Result<Option<Account>, StorageError> {
        let user = self.users.user_named(name).await?;
        Ok(user.and_then(|user| self.state.lock().accounts.get(&user.id).cloned()))
    }

    async fn accounts(&self) -> Result<Vec<Account>, StorageError> {
        let mut accounts: Vec<_> = self.state.lock().accounts.values().cloned().collect();
        accounts.sort_unstable_by(|one, other| one.user.name.cmp(&other.user.name));
        Ok(accounts)
    }

    async fn change_account(&self, user: UserId, change: &AccountChange) -> Result<(), StorageError> {
        let mut state = self.state.lock();
        let Some(account) = state.accounts.get_mut(&user) else { return Ok(()) };
        match change {
            AccountChange::Rehashed { hash, generation } => {
                if account.generation == *generation {
                    account.password_hash = hash.clone();
                }
                return Ok(());
            }
            AccountChange::Password(hash) => account.password_hash = hash.clone(),
            AccountChange::Active(is_active) => account.is_active = *is_active,
        }
        account.generation += 1;
        Ok(())
    }

    async fn begin_session(
        &self,
        session: &NewSession,
        in_place_of: Option<SessionHash>,
    ) -> Result<(), StorageError> {
        let sessions = &mut self.state.lock().sessions;
        let now = session.created_at;
        sessions.retain(|hash, known| known.expires_at > now && in_place_of != Some(*hash));
        sessions.insert(session.hash, session.clone());
        let mut own: Vec<_> = sessions.values().filter(|known| known.user == session.user).collect();
        own.sort_unstable_by_key(|known| known.created_at);
        let too_many = own.len().saturating_sub(SESSIONS_PER_USER as usize);
        let oldest: Vec<_> = own.iter().take(too_many).map(|known| known.hash).collect();
        sessions.retain(|hash, _| !oldest.contains(hash));
        Ok(())
    }

    async fn sessions(&self, hashes: &[SessionHash], now: Timestamp) -> Result<Vec<Session>, StorageError> {
        let state = self.state.lock();
        let holding = hashes.iter().filter_map(|hash| state.session(*hash, now));
        Ok(holding.collect())
    }

    async fn extend_session(&self, hash: SessionHash, expires_at: Timestamp) -> Result<(), StorageError> {
        if let Some(session) = self.state.lock().sessions.get_mut(&hash) {
            session.expires_at = expires_at;
        }
        Ok(())
    }

    async fn end_session(&self, hash: SessionHash) -> Result<(), StorageError> {
        self.state.lock().sessions.remove(&hash);
        Ok(())
    }
}

impl State {
    /// The session with this hash, where it holds.
    fn session(&self, hash: SessionHash, now: Timestamp) -> Option<Session> {
        let NewSession { user, generation, expires_at, .. } = *self.sessions.get(&hash)?;
        let account = self.accounts.get(&user)?;
        let holds = account.is_active && account.generation == generation && expires_at > now;
        holds.then(|| Session { hash, user: account.user.clone(), expires_at })
    }
}
