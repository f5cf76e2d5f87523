//! Believes who is signed in to an account of this server.

use std::collections::HashSet;

use async_trait::async_trait;
use axum::http::HeaderMap;
use chat_core::{Admission, Authenticator, Credential, Handshake, Identity, Refused, StorageError};

use crate::accounts::{Accounts, SessionHash, SessionToken};
use crate::http::cookie;

/// Lets in who brings the `sessionid` cookie of a session that holds.
#[derive(Debug, Clone)]
pub struct SessionAuthenticator {
    accounts: Accounts,
}

impl SessionAuthenticator {
    /// Lets in who is signed in to one of these accounts.
    #[must_use]
    pub const fn new(accounts: Accounts) -> Self {
        Self { accounts }
    }
}

/// The token that a request brings.
pub(crate) fn token(headers: &HeaderMap) -> Option<SessionToken> {
    cookie::value(headers, cookie::SESSION).and_then(SessionToken::parse)
}

#[async_trait]
impl Authenticator for SessionAuthenticator {
    /// The admission has no end of its own, for a session that is used gets longer: that it has expired is told by
    /// [`revoked`](Authenticator::revoked).
    async fn authenticate(&self, handshake: &Handshake<'_>) -> Result<Admission, Refused> {
        let token = token(&handshake.request.headers).ok_or(Refused::NotSignedIn)?;
        let session = self.accounts.session(&token).await?.ok_or(Refused::NotSignedIn)?;
        Ok(Admission {
            identity: Identity::User(session.user),
            expires_at: None,
            credential: Some(session.hash.into()),
        })
    }

    async fn revoked(&self, credentials: &[Credential]) -> Result<Vec<Credential>, StorageError> {
        let hashes: Vec<_> = credentials.iter().filter_map(hash).collect();
        let sessions = self.accounts.sessions(&hashes).await?;
        let held: HashSet<_> = sessions.into_iter().map(|session| session.hash).collect();
        let holds = |credential: &&Credential| hash(credential).is_some_and(|hash| held.contains(&hash));
        Ok(credentials.iter().filter(|credential| !holds(credential)).cloned().collect())
    }
}

fn hash(Credential(bytes): &Credential) -> Option<SessionHash> {
    Some(SessionHash(bytes.as_ref().try_into().ok()?))
}
