//! What proves that somebody is signed in.

use std::fmt;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chat_core::Credential;
use chat_core::storage::User;
use chat_protocol::{Timestamp, UserId};
use sha2::{Digest, Sha256};

/// 256 random bits that the browser keeps. Its `Debug` does not show them.
#[derive(Clone)]
pub struct SessionToken([u8; 32]);

impl SessionToken {
    /// A new one.
    ///
    /// # Errors
    ///
    /// [`getrandom::Error`] where the system gives no randomness.
    pub fn random() -> Result<Self, getrandom::Error> {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes)?;
        Ok(Self(bytes))
    }

    /// Reads the value of a cookie; `None` for what is no token.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut bytes = [0; 32];
        // A longer text does not fit, a shorter one does not fill it.
        let length = URL_SAFE_NO_PAD.decode_slice(text, &mut bytes).ok()?;
        (length == bytes.len()).then_some(Self(bytes))
    }

    /// The value of the cookie.
    #[must_use]
    pub fn reveal(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.0)
    }

    /// What is stored of it.
    #[must_use]
    pub fn hash(&self) -> SessionHash {
        SessionHash(Sha256::digest(self.0).into())
    }
}

impl fmt::Debug for SessionToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SessionToken(…)")
    }
}

/// What is stored of a [`SessionToken`]: its SHA-256. The token has too many bits to be found from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SessionHash(
    /// The hash itself.
    pub [u8; 32],
);

impl From<SessionHash> for Credential {
    fn from(hash: SessionHash) -> Self {
        Self(Arc::from(hash.0))
    }
}

/// A session that begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewSession {
    /// What its cookie hashes to.
    pub hash: SessionHash,
    /// Whose it is.
    pub user: UserId,
    /// The [generation](super::Account::generation) of the account when the password was checked.
    pub generation: i64,
    /// When it begins.
    pub created_at: Timestamp,
    /// When it ends by itself.
    pub expires_at: Timestamp,
}

/// A session that holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// What its cookie hashes to.
    pub hash: SessionHash,
    /// Whose it is.
    pub user: User,
    /// When it ends by itself.
    pub expires_at: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_read_as_it_was_written() {
        let token = SessionToken::random().unwrap();
        let text = token.reveal();
        assert_eq!(text.len(), 43);
        assert_eq!(SessionToken::parse(&text).unwrap().hash(), token.hash());
        assert_ne!(SessionToken::random().unwrap().hash(), token.hash());
        for other in ["", "x", &text[1..], &format!("{text}A"), &format!("{text}="), &"*".repeat(43)] {
            assert!(SessionToken::parse(other).is_none(), "{other:?}");
        }
        assert!(!format!("{token:?}").contains(&text));
    }
}
