//! Signing up, in and out.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use chat_core::storage::User;
use chat_core::{Clock, StorageError};
use chat_protocol::{Timestamp, Username};
use parking_lot::Mutex;

use super::error::{Failure, LogInError, SignUpError};
use super::hasher::{HashCost, Hasher, Verdict};
use super::name::{account_name, new_account_name};
use super::password;
use super::session::{NewSession, Session, SessionHash, SessionToken};
use super::storage::{Account, AccountChange, AccountStorage, Claim};
use super::throttle::{Attempt, Throttle, ThrottleLimits};
use super::time::{between, later};

const DAY: Duration = Duration::from_hours(24);

/// How accounts are kept.
#[derive(Debug, Clone)]
pub struct AccountsConfig {
    /// How long a session lasts when it is not used. Default two weeks.
    pub session_lasts: Duration,
    /// How much work it is to hash a password. Passwords hashed at another cost are hashed anew when they are next given;
    /// until then, the time that a wrong password takes shows that there is such an account.
    pub hash_cost: HashCost,
    /// How much guessing at passwords is allowed.
    pub throttle: ThrottleLimits,
    /// How much signing up is allowed from one address, whether or not it succeeds; accounts do not matter here. Default:
    /// 20 at once, then one a minute.
    pub sign_ups: ThrottleLimits,
}

impl Default for AccountsConfig {
    fn default() -> Self {
        Self {
            session_lasts: 14 * DAY,
            hash_cost: HashCost::default(),
            throttle: ThrottleLimits::default(),
            sign_ups: ThrottleLimits::of_sign_ups(),
        }
    }
}

/// The accounts of a server. A handle: clones are the same.
#[derive(Clone)]
pub struct Accounts(pub(super) Arc<Inner>);

pub(super) struct Inner {
    pub(super) storage: Arc<dyn AccountStorage>,
    clock: Box<dyn Clock>,
    pub(super) hasher: Hasher,
    throttle: Mutex<Throttle>,
    sign_ups: Mutex<Throttle>,
    session_lasts: Duration,
}

impl fmt::Debug for Accounts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Accounts").field("storage", &self.0.storage).finish_non_exhaustive()
    }
}

/// Somebody who has just signed in.
#[derive(Debug, Clone)]
pub struct SignedIn {
    /// Who it is.
    pub user: User,
    /// What proves it from now on.
    pub token: SessionToken,
}

impl Accounts {
    /// Accounts in a storage.
    pub fn new(storage: impl AccountStorage, clock: impl Clock, config: AccountsConfig) -> Self {
        Self::with_shared_storage(Arc::new(storage), clock, config)
    }

    /// As [`new`](Self::new), in a storage that others use as well.
    pub fn with_shared_storage(
        storage: Arc<dyn AccountStorage>,
        clock: impl Clock,
        config: AccountsConfig,
    ) -> Self {
        Self(Arc::new(Inner {
            storage,
            clock: Box::new(clock),
            hasher: Hasher::new(config.hash_cost),
            throttle: Mutex::new(Throttle::new(config.throttle)),
            sign_ups: Mutex::new(Throttle::new(config.sign_ups)),
            session_lasts: config.session_lasts,
        }))
    }

    /// How long a session lasts when it is not used.
    #[must_use]
    pub fn session_lasts(&self) -> Duration {
        self.0.session_lasts
    }

    /// Makes an account for whoever asks, and signs them in, in place of the session that they had.
    ///
    /// A name that a user without an account has is not to be had: it may be that of somebody whom another system signed
    /// in, with rooms and notifications that are nobody else's. [`create`](Self::create) gives it away.
    ///
    /// # Errors
    ///
    /// [`SignUpError`] says what is wrong with name or password, or with the server, or that too many have signed up from
    /// this address.
    pub async fn sign_up(
        &self,
        name: &str,
        password: &str,
        address: Option<IpAddr>,
        in_place_of: Option<&SessionToken>,
    ) -> Result<SignedIn, SignUpError> {
        let name = checked(name, password)?;
        let attempt = Attempt::new(None, address);
        let begun = self.0.sign_ups.lock().begin(&attempt, self.0.clock.now());
        begun.map_err(|wait| SignUpError::Throttled { wait })?;

        let created = self.create_account(&name, password, Claim::New).await;
        // What succeeds counts, and so does a name that is taken: to find out which are is not what this is for.
        if let Err(SignUpError::Failed(_)) = &created {
            self.0.sign_ups.lock().withdrawn(&attempt);
        }
        Ok(self.begin_session(created?, in_place_of).await?)
    }

    /// Signs somebody in, in place of the session that they had.
    ///
    /// # Errors
    ///
    /// [`LogInError`], the same for a name without an account as for a wrong password. It comes after the same time, too,
    /// unless [`hash_cost`](AccountsConfig::hash_cost) has changed and the password of the account was not given since.
    pub async fn log_in(
        &self,
        name: &str,
        password: &str,
        address: Option<IpAddr>,
        in_place_of: Option<&SessionToken>,
    ) -> Result<SignedIn, LogInError> {
        let name = account_name(name).ok();
        let attempt = Attempt::new(name.clone(), address);
        let begun = self.0.throttle.lock().begin(&attempt, self.0.clock.now());
        begun.map_err(|wait| LogInError::Throttled { wait })?;

        let verified = self.verify(name.as_ref(), password).await;
        match &verified {
            Ok(Some(_)) => self.0.throttle.lock().succeeded(&attempt),
            Ok(None) => {}
            Err(_) => self.0.throttle.lock().withdrawn(&attempt),
        }
        let account = verified?.ok_or(LogInError::WrongCredentials)?;
        Ok(self.begin_session(account, in_place_of).await?)
    }

    /// Ends a session.
    ///
    /// # Errors
    ///
    /// [`StorageError`] where the database fails.
    pub async fn log_out(&self, token: &SessionToken) -> Result<(), StorageError> {
        self.0.storage.end_session(token.hash()).await
    }

    /// The session that a token proves, where it holds.
    ///
    /// # Errors
    ///
    /// [`StorageError`] where the database fails.
    pub async fn session(&self, token: &SessionToken) -> Result<Option<Session>, StorageError> {
        Ok(self.sessions(&[token.hash()]).await?.pop())
    }

    /// Those of these sessions that hold.
    ///
    /// # Errors
    ///
    /// [`StorageError`] where the database fails.
    pub async fn sessions(&self, hashes: &[SessionHash]) -> Result<Vec<Session>, StorageError> {
        self.0.storage.sessions(hashes, self.0.clock.now()).await
    }

    /// Lets a session that is used last for its full time again, unless that was done within a day (or half of its time,
    /// where that is less). Tells whether it was done now.
    ///
    /// # Errors
    ///
    /// [`StorageError`] where the database fails.
    pub async fn extend(&self, session: &Session) -> Result<bool, StorageError> {
        let (now, lasts) = (self.0.clock.now(), self.0.session_lasts);
        let used = lasts.saturating_sub(between(now, session.expires_at));
        if used < DAY.min(lasts / 2) {
            return Ok(false);
        }
        self.0.storage.extend_session(session.hash, later(now, lasts)).await?;
        Ok(true)
    }

    /// Makes an account of what is [`checked`].
    pub(super) async fn create_account(
        &self,
        name: &Username,
        password: &str,
        claim: Claim,
    ) -> Result<Account, SignUpError> {
        // No hash for a name that somebody has. Who else may not have it, and who was faster, the storage says below.
        if self.0.storage.account_named(name).await?.is_some() {
            return Err(SignUpError::NameTaken);
        }
        let hash = self.0.hasher.hash(password).await?;
        let created = self.0.storage.create_account(name, &hash, claim, self.0.clock.now()).await?;
        created.ok_or(SignUpError::NameTaken)
    }

    /// The account of this name, where this is its password and it is open.
    async fn verify(&self, name: Option<&Username>, password: &str) -> Result<Option<Account>, Failure> {
        let account = match name {
            Some(name) => self.0.storage.account_named(name).await?,
            None => None,
        };
        let account = account.filter(|account| account.is_active && password::is_bounded(password));
        let hash = account.as_ref().map(|account| &account.password_hash);
        match (self.0.hasher.verify(password, hash).await?, account) {
            (Verdict::Wrong, _) | (_, None) => Ok(None),
            (Verdict::Right, Some(account)) => Ok(Some(account)),
            (Verdict::RightWithNewHash(hash), Some(account)) => {
                let change = AccountChange::Rehashed { hash, generation: account.generation };
                self.0.storage.change_account(account.user.id, &change).await?;
                Ok(Some(account))
            }
        }
    }

    /// Begins a session of the account as it was when the password was checked: where that has changed since, the session
    /// never holds.
    async fn begin_session(
        &self,
        account: Account,
        in_place_of: Option<&SessionToken>,
    ) -> Result<SignedIn, Failure> {
        let now: Timestamp = self.0.clock.now();
        let token = SessionToken::random()?;
        let session = NewSession {
            hash: token.hash(),
            user: account.user.id,
            generation: account.generation,
            created_at: now,
            expires_at: later(now, self.0.session_lasts),
        };
        self.0.storage.begin_session(&session, in_place_of.map(SessionToken::hash)).await?;
        Ok(SignedIn { user: account.user, token })
    }
}

/// The name of a new account, where it may have that name and that password.
pub(super) fn checked(name: &str, password: &str) -> Result<Username, SignUpError> {
    let name = new_account_name(name)?;
    password::check(password, &name)?;
    Ok(name)
}

#[cfg(test)]
mod tests;
