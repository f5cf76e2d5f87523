//! From where a request says that it comes.

use axum::http::header::{HOST, ORIGIN, REFERER};
use axum::http::request::Parts;
use axum::http::uri::{Authority, Uri};

use super::{CsrfError, Scheme};

/// Checks `Origin` where there is one, else over TLS `Referer`, which must be there: a page in the clear that somebody on
/// the way has forged cannot do without.
pub(super) fn verify(request: &Parts, scheme: Scheme) -> Result<(), CsrfError> {
    // Of two values, the one that is looked at may not be the one that is meant.
    let is_ours = |header| {
        let mut values = request.headers.get_all(header).iter();
        let only = values.next().filter(|_| values.next().is_none());
        only.is_some_and(|value| is_of_this_site(request, value.as_bytes(), scheme))
    };
    if request.headers.contains_key(ORIGIN) {
        return if is_ours(ORIGIN) { Ok(()) } else { Err(CsrfError::Origin) };
    }
    if scheme == Scheme::Https && !is_ours(REFERER) {
        return Err(CsrfError::Referer);
    }
    Ok(())
}

/// Whether a URL has the host and port of this request, and a scheme that this site has: where it has HTTP here, it may
/// have TLS in a proxy before.
fn is_of_this_site(request: &Parts, url: &[u8], scheme: Scheme) -> bool {
    let host = request.headers.get(HOST).and_then(|host| host.to_str().ok());
    let host = host.or_else(|| request.uri.authority().map(Authority::as_str));
    let Ok(url) = Uri::try_from(url) else { return false };
    let has_scheme = match url.scheme_str() {
        Some("https") => true,
        Some("http") => scheme == Scheme::Http,
        _ => false,
    };
    let named = url.authority().map(Authority::as_str);
    has_scheme && named.zip(host).is_some_and(|(named, host)| named.eq_ignore_ascii_case(host))
}
