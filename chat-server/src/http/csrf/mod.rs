//! Tells forms and scripts of this site from those of others, as Django does.
//!
//! The cookie `csrftoken` holds a secret that other sites cannot read; what changes something must repeat it, in the
//! field [`FIELD`] or the header `X-CSRFToken`. Besides, `Origin` (or over TLS, in its absence, `Referer`) must name this
//! site.

mod origin;
mod secret;

use std::time::Duration;

use axum::http::request::Parts;
use thiserror::Error;

use super::cookie::{self, Scheme, Scripts, SetCookie};
use secret::Secret;

/// The field of a form that holds the token.
pub(crate) const FIELD: &str = "csrfmiddlewaretoken";

const COOKIE: &str = "csrftoken";
const HEADER: &str = "x-csrftoken";
const COOKIE_LASTS: Duration = Duration::from_hours(52 * 7 * 24);

/// Why a request is not believed to come from this site: HTTP 403. The texts are Django's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub(crate) enum CsrfError {
    #[error("CSRF Failed: Origin checking failed.")]
    Origin,
    #[error("CSRF Failed: Referer checking failed.")]
    Referer,
    #[error("CSRF Failed: CSRF cookie not set.")]
    NoCookie,
    #[error("CSRF Failed: CSRF token missing.")]
    NoToken,
    #[error("CSRF Failed: CSRF token incorrect.")]
    WrongToken,
}

/// A token for a form of the page that answers a request, and the cookie to set with it where there is none.
///
/// The token is the secret under a mask of its own, so that it is another one on every page.
///
/// # Errors
///
/// [`getrandom::Error`] where the system gives no randomness.
pub(crate) fn token(
    request: &Parts,
    scheme: Scheme,
) -> Result<(String, Option<SetCookie>), getrandom::Error> {
    if let Some(secret) = secret(request) {
        return Ok((secret.masked()?, None));
    }
    let secret = Secret::random()?;
    Ok((secret.masked()?, Some(set_cookie(&secret, scheme))))
}

/// A cookie with a new secret. To be set when somebody signs in, whom the old one may have been planted on.
///
/// # Errors
///
/// [`getrandom::Error`] where the system gives no randomness.
pub(crate) fn rotated(scheme: Scheme) -> Result<SetCookie, getrandom::Error> {
    Ok(set_cookie(&Secret::random()?, scheme))
}

/// Checks that a request which changes something comes from a page of this site. `form_token` is what its form, where it
/// is one, has in [`FIELD`].
///
/// # Errors
///
/// [`CsrfError`] says what it lacks.
pub(crate) fn verify(request: &Parts, form_token: Option<&str>, scheme: Scheme) -> Result<(), CsrfError> {
    origin::verify(request, scheme)?;
    let secret = secret(request).ok_or(CsrfError::NoCookie)?;
    let header = || request.headers.get(HEADER).and_then(|value| value.to_str().ok());
    let token = form_token.filter(|token| !token.is_empty()).or_else(header).ok_or(CsrfError::NoToken)?;
    let matches = Secret::parse(token).is_some_and(|token| token.is_same(&secret));
    if matches { Ok(()) } else { Err(CsrfError::WrongToken) }
}

fn secret(request: &Parts) -> Option<Secret> {
    cookie::value(&request.headers, COOKIE).and_then(Secret::parse)
}

fn set_cookie(secret: &Secret, scheme: Scheme) -> SetCookie {
    SetCookie::new(COOKIE, &secret.reveal(), COOKIE_LASTS, Scripts::MayRead, scheme)
}

#[cfg(test)]
mod tests;
