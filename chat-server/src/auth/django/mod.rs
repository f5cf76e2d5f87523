//! Believes the session cookie of a Django project.
//!
//! The cookie is checked as Django does it, against the project's own tables and with its own key: the session must
//! be there and in time, its signature right, its user active, and their password the one they logged in with. Nothing
//! is ever written to those tables, not even where Django would delete a session that no longer holds.
//!
//! A session is looked at again as long as a connection depends on it, so that a logout, a new password or the end of
//! an account closes its connections, and so does the end of its time, which Django puts off while its user comes back.
//! A session that Django's signed cookies hold ends with the cookie, a new password or the account, but not with a logout,
//! of which such a project keeps no record.

mod config;
mod database;
mod login;
mod project;
pub mod signing;
mod watch;

use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use async_trait::async_trait;
use chat_core::{
    Admission, Authenticator, Clock, Credential, Handshake, Identity, Refused, Storage, StorageError,
};
use chat_protocol::Username;

pub use config::{DjangoConfig, DjangoDatabase, DjangoError, SessionStore};
pub use signing::SecretKey;

use crate::SystemClock;
use crate::http::cookie;
use project::{Project, Proof};
use watch::{Admitted, Watch};

/// Most sessions that are looked up at once.
const BATCH: usize = 1000;

/// Lets in whoever is logged in to a Django project.
pub struct DjangoAuthenticator {
    cookie_name: String,
    project: Project,
    storage: Arc<dyn Storage>,
    watch: Watch,
}

impl fmt::Debug for DjangoAuthenticator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DjangoAuthenticator").field("cookie_name", &self.cookie_name).finish_non_exhaustive()
    }
}

impl DjangoAuthenticator {
    /// Gets ready to let in the users of a project; they are made known to `storage` under the same ids and names. Ids of
    /// the project must be [reserved](chat_core::storage::UserStorage::reserve_user_ids) there, as a server does it, where
    /// others are made, too.
    ///
    /// The end of a session in the database is not told beforehand, for Django may put it off: whoever opens connections on
    /// what this lets in must ask [`revoked`](Authenticator::revoked) of them again and again, as
    /// [`Gateway::watch_sessions`](crate::Gateway::watch_sessions) does.
    ///
    /// A database that cannot be read yet is no error, only a warning in the log: it may be started after this server.
    ///
    /// # Errors
    ///
    /// [`DjangoError`] where the config makes no sense.
    pub async fn open(config: DjangoConfig, storage: Arc<dyn Storage>) -> Result<Self, DjangoError> {
        Self::open_with_clock(config, storage, Arc::new(SystemClock)).await
    }

    /// As [`open`](Self::open), by a clock of one's own.
    ///
    /// # Errors
    ///
    /// [`DjangoError`] where the config makes no sense.
    pub async fn open_with_clock(
        config: DjangoConfig,
        storage: Arc<dyn Storage>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, DjangoError> {
        let project = Project::new(&config, clock)?;
        if let Err(error) = project.probe().await {
            let error = crate::chain(&error);
            tracing::warn!(database = %config.database, error, "the Django database cannot be read yet");
        }
        Ok(Self { cookie_name: config.cookie_name, project, storage, watch: Watch::default() })
    }
}

#[async_trait]
impl Authenticator for DjangoAuthenticator {
    async fn authenticate(&self, handshake: &Handshake<'_>) -> Result<Admission, Refused> {
        let cookie =
            cookie::value(&handshake.request.headers, &self.cookie_name).ok_or(Refused::NotSignedIn)?;
        let proof = self.project.proof(cookie).ok_or(Refused::NotSignedIn)?;
        let proven = self.project.verify(&[&proof]).await?.pop().flatten().ok_or(Refused::NotSignedIn)?;
        let name = Username::new(&proven.username).map_err(|reason| {
            tracing::warn!(user = proven.user.value(), %reason, "a Django user has a name that cannot be used here");
            Refused::NotSignedIn
        })?;
        let user = self.storage.adopt_user(proven.user, &name).await?;
        let expires_at = match &proof {
            // Django may extend it. When it is over, `revoked` finds that out.
            Proof::Key(_) => None,
            Proof::Session(login) => Some(login.expires_at),
        };
        let admitted = Admitted { proof, user: proven.user };
        let credential = admitted.credential(cookie);
        self.watch.remember(credential.clone(), admitted, Instant::now());
        Ok(Admission { identity: Identity::User(user), expires_at, credential: Some(credential) })
    }

    async fn revoked(&self, credentials: &[Credential]) -> Result<Vec<Credential>, StorageError> {
        let admitted = self.watch.ask(credentials, Instant::now());
        let mut revoked = Vec::new();
        for (credentials, admitted) in credentials.chunks(BATCH).zip(admitted.chunks(BATCH)) {
            let proofs: Vec<&Proof> = admitted.iter().flatten().map(|admitted| &admitted.proof).collect();
            let mut proven = self.project.verify(&proofs).await?.into_iter();
            for (credential, admitted) in credentials.iter().zip(admitted) {
                // What is not known (any more) cannot be checked, so it does not hold.
                let holds = admitted.as_ref().is_some_and(|admitted| {
                    proven.next().flatten().is_some_and(|proven| proven.user == admitted.user)
                });
                if !holds {
                    revoked.push(credential.clone());
                }
            }
        }
        Ok(revoked)
    }
}
