//! A Django project: what its sessions are worth.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use chat_core::{Clock, StorageError};
use chat_protocol::UserId;

use super::database::{Account, Database};
use super::login::{Login, LoginReader};
use super::{DjangoConfig, DjangoError, SessionStore};

/// Django takes a shorter key for none.
const SHORTEST_KEY: usize = 8;
/// The width of the column; no key is longer.
const LONGEST_KEY: usize = 40;

/// What a cookie holds.
#[derive(Clone)]
pub(super) enum Proof {
    /// The key of a session in the database.
    Key(Arc<str>),
    /// The session itself.
    Session(Login),
}

impl fmt::Debug for Proof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Key(_) => "Key(..)",
            Self::Session(_) => "Session(..)",
        })
    }
}

/// Who a proof proves to be there.
#[derive(Debug)]
pub(super) struct Proven {
    pub(super) user: UserId,
    pub(super) username: String,
}

pub(super) struct Project {
    store: SessionStore,
    reader: LoginReader,
    database: Database,
    clock: Arc<dyn Clock>,
}

impl Project {
    pub(super) fn new(config: &DjangoConfig, clock: Arc<dyn Clock>) -> Result<Self, DjangoError> {
        let database = Database::new(config)?;
        Ok(Self { store: config.store, reader: LoginReader::new(config), database, clock })
    }

    /// Whether the tables can be read.
    pub(super) async fn probe(&self) -> Result<(), StorageError> {
        self.database.sessions(&[], drop).await?;
        self.database.accounts(&[], drop).await
    }

    /// What a cookie holds, where it can be anything at all.
    pub(super) fn proof(&self, cookie: &str) -> Option<Proof> {
        let signed = match self.store {
            SessionStore::Database => false,
            SessionStore::SignedCookies => true,
            // Django's keys have no colon, and signed texts have two.
            SessionStore::Either => cookie.contains(':'),
        };
        if signed {
            return self.reader.read_cookie(cookie).map(Proof::Session);
        }
        let length = cookie.chars().count();
        (SHORTEST_KEY..=LONGEST_KEY).contains(&length).then(|| Proof::Key(cookie.into()))
    }

    /// What proofs prove now, in their order; `None` where that is nothing. Takes two queries, however many they are.
    pub(super) async fn verify(&self, proofs: &[&Proof]) -> Result<Vec<Option<Proven>>, StorageError> {
        let now = self.clock.now();
        let sessions = self.sessions(proofs).await?;
        let logins: Vec<Option<&Login>> = proofs
            .iter()
            .map(|proof| match proof {
                Proof::Key(key) => sessions.get(&**key),
                Proof::Session(login) => Some(login),
            })
            .map(|login| login.filter(|login| now < login.expires_at))
            .collect();
        let accounts = self.accounts(logins.iter().flatten().map(|login| login.user)).await?;
        let verify = |login: &Login| {
            let account = accounts.get(&login.user)?;
            self.reader
                .is_current(login, &account.password)
                .then(|| Proven { user: login.user, username: account.username.clone() })
        };
        Ok(logins.into_iter().map(|login| login.and_then(verify)).collect())
    }

    /// The logins in the database, by their keys.
    async fn sessions(&self, proofs: &[&Proof]) -> Result<HashMap<String, Login>, StorageError> {
        let keys: Vec<&str> = proofs
            .iter()
            .filter_map(|proof| match proof {
                Proof::Key(key) => Some(&**key),
                Proof::Session(_) => None,
            })
            .collect();
        let mut logins = HashMap::new();
        if !keys.is_empty() {
            let read = |row| logins.extend(self.reader.read_row(row));
            self.database.sessions(&keys, read).await?;
        }
        Ok(logins)
    }

    /// The users who exist and are active, by their ids.
    async fn accounts(
        &self,
        users: impl Iterator<Item = UserId>,
    ) -> Result<HashMap<UserId, Account>, StorageError> {
        let ids: Vec<i64> = users.map(UserId::value).collect();
        let mut accounts = HashMap::new();
        if !ids.is_empty() {
            let read = |account: Account| {
                accounts.extend(UserId::new(account.id).map(|user| (user, account)));
            };
            self.database.accounts(&ids, read).await?;
        }
        Ok(accounts)
    }
}
