//! Believes signed JSON Web Tokens (RFC 7519) of another back end.

mod claims;
mod error;
mod key_set;
mod keys;
mod token;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use chat_core::{Admission, Authenticator, Handshake, Identity, Refused, Storage};
use chat_protocol::Timestamp;
use jsonwebtoken::crypto::aws_lc;
use jsonwebtoken::{Validation, decode, decode_header, get_current_timestamp};

pub use self::error::JwtConfigError;
pub use self::keys::JwtKey;

use self::claims::{Account, Claims};
use self::error::BadToken;
use self::keys::Key;

/// Which tokens are believed.
#[derive(Debug, Clone)]
pub struct JwtConfig {
    /// What checks their signatures.
    pub key: JwtKey,
    /// Whom they must be for (`aud`). Where this is `None`, a token that says whom it is for is refused, because it may
    /// be meant for another service of the same issuer.
    pub audience: Option<String>,
    /// Who must have issued them (`iss`); `None` for anybody who has the key.
    pub issuer: Option<String>,
    /// How far the issuer's clock may be off, in whole seconds.
    pub leeway: Duration,
}

impl JwtConfig {
    /// What [`leeway`](Self::leeway) is unless it is set.
    pub const DEFAULT_LEEWAY: Duration = Duration::from_secs(30);

    /// Believes tokens that this key proves, for no audience in particular and of any issuer.
    #[must_use]
    pub fn new(key: JwtKey) -> Self {
        Self { key, audience: None, issuer: None, leeway: Self::DEFAULT_LEEWAY }
    }
}

/// Lets in whoever shows a valid token, until the token expires.
///
/// The token is taken from `Authorization: Bearer`, from the subprotocol `bearer.<token>`, or from `?token=`; the first
/// of these that is there counts. It must have `exp`. A numeric `user_id` or `sub` is the user's id, `username` or
/// `preferred_username` the name. A token without a numeric id names its user by name, or by `sub` as a name.
///
/// Neither tokens nor what they say get into a log or a refusal.
pub struct JwtAuthenticator {
    config: JwtConfig,
    storage: Arc<dyn Storage>,
}

impl JwtAuthenticator {
    /// Most bytes of a token. What is longer is refused unread.
    pub const MAX_TOKEN_BYTES: usize = 8 * 1024;

    /// Believes tokens as `config` says, and keeps their users in `storage`. Numbers of tokens must be
    /// [reserved](chat_core::storage::UserStorage::reserve_user_ids) there, as a server does it, where others are made, too.
    #[must_use]
    pub fn new(config: JwtConfig, storage: Arc<dyn Storage>) -> Self {
        // The JWT library panics on its first token where some other crate of the program has switched on its other
        // cryptography too, unless one is chosen. A failure means that one is chosen already.
        let _ = aws_lc::DEFAULT_PROVIDER.install_default();
        Self { config, storage }
    }

    fn check(&self, token: &[u8]) -> Result<(Account, Timestamp), BadToken> {
        if token.len() > Self::MAX_TOKEN_BYTES {
            return Err(BadToken::TooLong);
        }
        let header = decode_header(token).map_err(|_| BadToken::Malformed)?;
        // RFC 7515 wants a token refused whose critical extensions one does not know. The library ignores them.
        if header.crit.is_some() {
            return Err(BadToken::CriticalExtension);
        }
        let key = self.config.key.find(header.kid.as_deref()).ok_or(BadToken::UnknownKey)?;
        let claims = decode::<Claims>(token, &key.decoding, &self.validation(key))?.claims;
        let expires_at = claims.expires_at()?;
        Ok((claims.into_account()?, expires_at))
    }

    fn validation(&self, key: &Key) -> Validation {
        let mut validation = Validation::new(key.algorithm);
        let mut required = vec!["exp"];
        if let Some(audience) = &self.config.audience {
            validation.set_audience(&[audience]);
            required.push("aud");
        }
        if let Some(issuer) = &self.config.issuer {
            validation.set_issuer(&[issuer]);
            required.push("iss");
        }
        validation.set_required_spec_claims(&required);
        validation.validate_nbf = true;
        // The library takes this from the time of day without a check.
        validation.leeway = self.config.leeway.as_secs().min(get_current_timestamp());
        validation
    }
}

#[async_trait]
impl Authenticator for JwtAuthenticator {
    async fn authenticate(&self, handshake: &Handshake<'_>) -> Result<Admission, Refused> {
        let token = token::presented(handshake.request).ok_or(Refused::NotSignedIn)?;
        let (account, expires_at) = self.check(&token).map_err(|reason| {
            tracing::debug!(%reason, "a token was refused");
            Refused::NotSignedIn
        })?;
        let user = match account {
            Account::Numbered(id, name) => self.storage.adopt_user(id, &name).await?,
            Account::Named(name) => self.storage.ensure_user(&name).await?,
        };
        Ok(Admission { identity: Identity::User(user), expires_at: Some(expires_at), credential: None })
    }
}

/// Without the storage, which may show what it holds.
impl fmt::Debug for JwtAuthenticator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JwtAuthenticator").field("config", &self.config).finish_non_exhaustive()
    }
}
