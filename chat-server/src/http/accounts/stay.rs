//! Keeps who is signed in signed in, as long as they come by.

use axum::Router;
use axum::extract::{Request, State};
use axum::http::HeaderMap;
use axum::http::header::SET_COOKIE;
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use chat_core::StorageError;

use super::Site;
use crate::accounts::Accounts;
use crate::auth::session;
use crate::http::cookie::{SESSION, Scheme, SetCookie};

/// Makes every request to a router extend the session that it belongs to, once a day, in the database and in the browser.
/// A handshake for a WebSocket counts as well.
pub fn keep_signed_in(router: Router, accounts: Accounts, scheme: Scheme) -> Router {
    router.layer(from_fn_with_state(Site { accounts, scheme }, extend))
}

async fn extend(State(site): State<Site>, request: Request, next: Next) -> Response {
    let cookie = extended(&site, request.headers()).await.unwrap_or_else(|error| {
        tracing::warn!(%error, "a session is not extended");
        None
    });
    let response = next.run(request).await;
    // Who signs in or out meanwhile gets another cookie.
    let is_superseded = sets_session(response.headers());
    (cookie.filter(|_| !is_superseded), response).into_response()
}

async fn extended(site: &Site, headers: &HeaderMap) -> Result<Option<SetCookie>, StorageError> {
    let Some(token) = session::token(headers) else { return Ok(None) };
    let Some(session) = site.accounts.session(&token).await? else { return Ok(None) };
    let is_extended = site.accounts.extend(&session).await?;
    let lasts = site.accounts.session_lasts();
    Ok(is_extended.then(|| SetCookie::session(&token.reveal(), lasts, site.scheme)))
}

fn sets_session(headers: &HeaderMap) -> bool {
    let cookies = headers.get_all(SET_COOKIE).iter().filter_map(|value| value.to_str().ok());
    cookies.filter_map(|cookie| cookie.split_once('=')).any(|(name, _)| name == SESSION)
}
