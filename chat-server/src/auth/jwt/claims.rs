//! What a token says about its user.

use std::time::Duration;

use chat_protocol::{Timestamp, UserId, Username};
use serde::Deserialize;

use super::error::BadToken;

/// The claims that are read; `nbf`, `aud` and `iss` are checked by the library.
///
/// It is not `Debug`: what a token says is nobody's business.
#[derive(Deserialize)]
pub(super) struct Claims {
    /// In seconds. RFC 7519 allows a fraction.
    exp: f64,
    user_id: Option<Subject>,
    sub: Option<Subject>,
    username: Option<String>,
    preferred_username: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Subject {
    Number(i64),
    Text(String),
}

/// How a token names its user.
pub(super) enum Account {
    /// By an id that the issuer gives out, and by the name it has now.
    Numbered(UserId, Username),
    /// By name only.
    Named(Username),
}

impl Claims {
    /// When the token ends.
    pub(super) fn expires_at(&self) -> Result<Timestamp, BadToken> {
        let since_1970 = Duration::try_from_secs_f64(self.exp).map_err(|_| BadToken::Claims)?;
        let micros = i64::try_from(since_1970.as_micros()).map_err(|_| BadToken::Claims)?;
        Timestamp::from_micros(micros).map_err(|_| BadToken::Claims)
    }

    /// Whose token it is.
    pub(super) fn into_account(self) -> Result<Account, BadToken> {
        let id = [&self.user_id, &self.sub].into_iter().flatten().find_map(Subject::as_id);
        let name = self.username.or(self.preferred_username);
        if let Some(id) = id {
            let name = name.unwrap_or_else(|| id.to_string());
            return Ok(Account::Numbered(id, username(&name)?));
        }
        let name = name.or_else(|| self.sub.and_then(Subject::into_text)).ok_or(BadToken::NoUser)?;
        Ok(Account::Named(username(&name)?))
    }
}

impl Subject {
    fn as_id(&self) -> Option<UserId> {
        match self {
            Self::Number(number) => UserId::new(*number).ok(),
            Self::Text(text) => text.parse().ok(),
        }
    }

    fn into_text(self) -> Option<String> {
        match self {
            Self::Number(_) => None,
            Self::Text(text) => Some(text),
        }
    }
}

fn username(text: &str) -> Result<Username, BadToken> {
    Username::new(text).map_err(|_| BadToken::Name)
}
