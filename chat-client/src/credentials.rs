//! By what a server knows who connects.

use std::fmt;

use tokio_tungstenite::tungstenite::http::{HeaderMap, HeaderName, HeaderValue, header};

use crate::error::ErrorKind;

/// What goes into the headers of the handshake.
#[derive(Clone, Default)]
pub(crate) struct Credentials {
    /// For `Authorization: Bearer`.
    pub(crate) token: Option<String>,
    /// The value of `Cookie`.
    pub(crate) cookie: Option<String>,
}

impl Credentials {
    pub(crate) fn headers(&self) -> Result<HeaderMap, ErrorKind> {
        let bearer = self.token.as_ref().map(|token| (header::AUTHORIZATION, format!("Bearer {token}")));
        let cookie = self.cookie.as_ref().map(|cookie| (header::COOKIE, cookie.clone()));
        bearer.into_iter().chain(cookie).map(secret).collect()
    }
}

fn secret((name, value): (HeaderName, String)) -> Result<(HeaderName, HeaderValue), ErrorKind> {
    let mut value = HeaderValue::try_from(value).map_err(ErrorKind::Credential)?;
    value.set_sensitive(true);
    Ok((name, value))
}

/// Tells what there is, and nothing of it.
impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { token, cookie } = self;
        f.debug_struct("Credentials")
            .field("token", &token.as_ref().map(|_| "…"))
            .field("cookie", &cookie.as_ref().map(|_| "…"))
            .finish()
    }
}
