//! What a session says about who has logged in.

use std::fmt;
use std::sync::Arc;

use chat_protocol::{Timestamp, UserId};
use serde::Deserialize;

use super::DjangoConfig;
use super::database::SessionRow;
use super::signing::{SaltedHmac, Signer};

const MICROS: i64 = 1_000_000;

/// Who has logged in, by a session whose signature is right. Whether they may still is for their account to say.
#[derive(Clone)]
pub(super) struct Login {
    pub(super) user: UserId,
    /// The first moment at which it holds no longer.
    pub(super) expires_at: Timestamp,
    /// Proves which password it was.
    auth_hash: Arc<str>,
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Login").field("user", &self.user).finish_non_exhaustive()
    }
}

/// Reads sessions with the keys of a project.
#[derive(Debug)]
pub(super) struct LoginReader {
    rows: Signer,
    cookies: Signer,
    auth_hashes: SaltedHmac,
    cookie_micros: i64,
    backends: Vec<String>,
}

impl LoginReader {
    pub(super) fn new(config: &DjangoConfig) -> Self {
        let keys: Vec<_> = std::iter::once(&config.secret_key).chain(&config.fallbacks).cloned().collect();
        Self {
            rows: Signer::new(Signer::DATABASE_SESSIONS, &keys),
            cookies: Signer::new(Signer::COOKIE_SESSIONS, &keys),
            auth_hashes: SaltedHmac::new(SaltedHmac::SESSION_AUTH_HASH, &keys),
            cookie_micros: i64::try_from(config.cookie_age.as_micros()).unwrap_or(i64::MAX),
            backends: config.backends.clone(),
        }
    }

    /// The login in a row of `django_session`, by its key.
    pub(super) fn read_row(&self, row: SessionRow) -> Option<(String, Login)> {
        let expires_at = Timestamp::from_rfc3339(&format!("{}Z", row.expire_date)).ok()?;
        let login = self.read(&self.rows.unsign(&row.data)?.json()?, expires_at)?;
        Some((row.key, login))
    }

    /// The login in a cookie.
    pub(super) fn read_cookie(&self, cookie: &str) -> Option<Login> {
        let signed = self.cookies.unsign(cookie)?;
        // A cookie of exactly this age is still good.
        let end = signed.timestamp().checked_mul(MICROS)?.checked_add(self.cookie_micros)?.checked_add(1)?;
        self.read(&signed.json()?, Timestamp::from_micros(end).ok()?)
    }

    /// Whether a login was made with the password that the user has now.
    pub(super) fn is_current(&self, login: &Login, password: &str) -> bool {
        self.auth_hashes.verifies_hex(password, &login.auth_hash)
    }

    fn read(&self, json: &str, expires_at: Timestamp) -> Option<Login> {
        // A list would be taken for the fields in their order.
        if !json.trim_start().starts_with('{') {
            return None;
        }
        let claims: Claims = serde_json::from_str(json).ok()?;
        if !(self.backends.is_empty() || self.backends.contains(&claims.backend)) {
            return None;
        }
        let user = match claims.id {
            Id::Number(number) => UserId::new(number).ok()?,
            Id::Text(text) => text.parse().ok()?,
        };
        Some(Login { user, expires_at, auth_hash: claims.hash.into() })
    }
}

#[derive(Deserialize)]
struct Claims {
    #[serde(rename = "_auth_user_id")]
    id: Id,
    #[serde(rename = "_auth_user_backend")]
    backend: String,
    #[serde(rename = "_auth_user_hash")]
    hash: String,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Id {
    Number(i64),
    Text(String),
}
