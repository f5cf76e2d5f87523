//! Where a handshake carries its token.

use std::borrow::Cow;

use http::header::{AUTHORIZATION, HeaderMap, HeaderValue, SEC_WEBSOCKET_PROTOCOL};
use http::request::Parts;

use crate::query;

/// The token that a request presents.
///
/// The first place that has one counts, even where its token is bad: `Authorization: Bearer`, then the subprotocol
/// `bearer.<token>` for browsers, which cannot set headers, then `?token=`.
pub(super) fn presented(request: &Parts) -> Option<Cow<'_, [u8]>> {
    in_authorization(&request.headers)
        .or_else(|| in_subprotocols(&request.headers))
        .map(Cow::Borrowed)
        .or_else(|| in_query(request.uri.query().unwrap_or_default()))
}

/// Another scheme, such as `Basic`, is not looked at: a proxy in front may have asked for it.
fn in_authorization(headers: &HeaderMap) -> Option<&[u8]> {
    headers.get_all(AUTHORIZATION).iter().map(HeaderValue::as_bytes).find_map(|value| {
        let (scheme, token) = value.split_at_checked("Bearer".len())?;
        let is_bearer =
            scheme.eq_ignore_ascii_case(b"Bearer") && token.first().is_none_or(u8::is_ascii_whitespace);
        is_bearer.then(|| token.trim_ascii())
    })
}

fn in_subprotocols(headers: &HeaderMap) -> Option<&[u8]> {
    let offers = headers.get_all(SEC_WEBSOCKET_PROTOCOL).iter().map(HeaderValue::as_bytes);
    offers
        .flat_map(|list| list.split(|byte| *byte == b','))
        .find_map(|offer| offer.trim_ascii().strip_prefix(b"bearer."))
}

fn in_query(query: &str) -> Option<Cow<'_, [u8]>> {
    query::value(query, "token").map(|token| match token {
        Cow::Borrowed(text) => Cow::Borrowed(text.as_bytes()),
        Cow::Owned(text) => Cow::Owned(text.into_bytes()),
    })
}
