//! From a handshake to an identity, or a refusal.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

use async_trait::async_trait;
use chat_protocol::{NameError, Timestamp, Username};
use thiserror::Error;

use crate::StorageError;
use crate::storage::User;

/// Who is at the other end of a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Identity {
    /// Nobody in particular: the name is believed, so is a name in a frame, and rooms are made on first use.
    Guest {
        /// The name that the handshake gave. [`Username::ANONYMOUS`] counts as none.
        name: Option<Username>,
    },
    /// Somebody who has proved it. Names in frames are not looked at.
    User(User),
}

/// An identity, and how long it holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Admission {
    /// Who it is.
    pub identity: Identity,
    /// When it ends by itself; the connection is closed then.
    pub expires_at: Option<Timestamp>,
    /// What it was proven by, where that can be taken back.
    pub credential: Option<Credential>,
}

impl From<Identity> for Admission {
    /// An identity that holds as long as the connection.
    fn from(identity: Identity) -> Self {
        Self { identity, expires_at: None, credential: None }
    }
}

/// Names what an identity was proven by, such as a session, without giving it away: a hash of it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Credential(
    /// Any bytes that are the same for the same session, and of no use to who reads them.
    pub Arc<[u8]>,
);

/// What an [`Authenticator`] has to go by.
#[derive(Debug)]
pub struct Handshake<'a> {
    /// The request that asks for the connection: path, query, headers.
    pub request: &'a http::request::Parts,
    /// The address at the other end, where it is known; that of the client, where a trusted proxy stands between. Port 0
    /// is one that is not known.
    pub peer: Option<SocketAddr>,
}

/// Why a handshake is refused.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Refused {
    /// It gives a name that cannot be one. The caller's fault: HTTP 400.
    #[error("field `{field}`: {reason}")]
    InvalidName {
        /// The part of the query that gives the name.
        field: &'static str,
        /// Why it is none.
        reason: NameError,
    },
    /// It proves no identity where one is needed: HTTP 403.
    #[error("not signed in")]
    NotSignedIn,
    /// Identities cannot be looked up now: HTTP 503.
    #[error("identities cannot be looked up")]
    Unavailable(#[from] StorageError),
}

/// Finds out who asks for a connection.
///
/// It is asked before the connection is accepted; a refusal is answered over HTTP. It may be asked for many handshakes
/// at once, and is dropped without harm when a handshake is given up.
#[async_trait]
pub trait Authenticator: fmt::Debug + Send + Sync + 'static {
    /// Tells who is asking.
    ///
    /// # Errors
    ///
    /// [`Refused`] says why the handshake must not go on.
    async fn authenticate(&self, handshake: &Handshake<'_>) -> Result<Admission, Refused>;

    /// Which of these credentials hold no longer; their connections are closed. Asked every few seconds with those of
    /// all open connections.
    ///
    /// # Errors
    ///
    /// [`StorageError`] where that cannot be found out now: connections stay until it can.
    async fn revoked(&self, credentials: &[Credential]) -> Result<Vec<Credential>, StorageError> {
        let _ = credentials;
        Ok(Vec::new())
    }
}
