//! Cookies, read and set.

use std::convert::Infallible;
use std::time::Duration;

use axum::http::HeaderMap;
use axum::http::header::{COOKIE, SET_COOKIE};
use axum::response::{IntoResponseParts, ResponseParts};
use http::HeaderValue;

/// The cookie that proves who is signed in.
pub(crate) const SESSION: &str = "sessionid";

/// What the browsers of a server's visitors speak.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// HTTP in the clear.
    Http,
    /// HTTP over TLS, whether it ends here or in a proxy before: cookies are `Secure`.
    Https,
}

/// The value of a cookie, read as Django does: of several `Cookie` headers the first, of several values the last. Browsers
/// send the one of the longest path first, but Django does not care.
pub(crate) fn value<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    let pairs = headers.get(COOKIE)?.as_bytes().split(|&byte| byte == b';');
    // Cookies of others need not be text.
    let texts = pairs.filter_map(|pair| std::str::from_utf8(pair).ok());
    let (_, value) = texts.filter_map(|pair| pair.split_once('=')).rfind(|(key, _)| key.trim() == name)?;
    let value = value.trim();
    Some(value.strip_prefix('"').and_then(|value| value.strip_suffix('"')).unwrap_or(value))
}

/// Whether scripts may read a cookie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scripts {
    MayRead,
    MayNotRead,
}

/// A `Set-Cookie` header.
#[derive(Debug)]
pub(crate) struct SetCookie(String);

impl SetCookie {
    /// Of the whole site, not sent along with what other sites ask for. Neither name nor value may need quoting.
    pub(crate) fn new(name: &str, value: &str, lasts: Duration, scripts: Scripts, scheme: Scheme) -> Self {
        let lasts = lasts.as_secs();
        let http_only = if scripts == Scripts::MayNotRead { "; HttpOnly" } else { "" };
        let secure = if scheme == Scheme::Https { "; Secure" } else { "" };
        Self(format!("{name}={value}; Max-Age={lasts}; Path=/; SameSite=Lax{http_only}{secure}"))
    }

    /// The cookie of a session.
    pub(crate) fn session(token: &str, lasts: Duration, scheme: Scheme) -> Self {
        Self::new(SESSION, token, lasts, Scripts::MayNotRead, scheme)
    }

    /// Lets the browser forget the cookie of its session.
    pub(crate) fn no_session(scheme: Scheme) -> Self {
        Self::session("", Duration::ZERO, scheme)
    }
}

impl IntoResponseParts for SetCookie {
    type Error = Infallible;

    fn into_response_parts(self, mut response: ResponseParts) -> Result<ResponseParts, Infallible> {
        match HeaderValue::try_from(self.0) {
            Ok(value) => {
                response.headers_mut().append(SET_COOKIE, value);
            }
            Err(error) => tracing::error!(%error, "a cookie cannot be set"),
        }
        Ok(response)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(headers: &[&[u8]], name: &str) -> Option<String> {
        let headers = headers.iter().map(|value| (COOKIE, HeaderValue::from_bytes(value).unwrap())).collect();
        value(&headers, name).map(str::to_owned)
    }

    #[test]
    fn cookies_are_read_as_django_reads_them() {
        let check = |headers: &[&[u8]], expected: Option<&str>| {
            assert_eq!(read(headers, "a").as_deref(), expected, "{headers:?}");
        };
        check(&[b"a=1"], Some("1"));
        check(&[b"b=2;a=1 ; c=3"], Some("1"));
        check(&[b"b=2; a = 1 ;c"], Some("1"));
        check(&[b"a=1; a=2"], Some("2"));
        check(&[b"a=\"1\""], Some("1"));
        check(&[b"a=1=2"], Some("1=2"));
        check(&[b"a="], Some(""));
        check(&[b"b=2", b"a=1"], None);
        check(&[b"A=1; aa=1; a"], None);
        check(&[], None);
    }

    #[test]
    fn cookies_of_others_need_not_be_text() {
        for other in ["name=Jos\u{e9}".as_bytes(), b"name=Jos\xe9", b"\xff\xfe=1", b"\x80"] {
            for header in [[other, b"; a=1"].concat(), [&b"a=1; "[..], other].concat()] {
                assert_eq!(
                    read(&[header.as_slice()], "a").as_deref(),
                    Some("1"),
                    "{}",
                    header.escape_ascii()
                );
            }
        }
        assert_eq!(read(&[b"a=\xff"], "a"), None);
        assert_eq!(read(&["a=é".as_bytes()], "a").as_deref(), Some("é"));
    }

    #[test]
    fn cookies_are_set_with_all_their_attributes() {
        let week = Duration::from_hours(7 * 24);
        let SetCookie(cookie) = SetCookie::session("x", week, Scheme::Https);
        assert_eq!(cookie, "sessionid=x; Max-Age=604800; Path=/; SameSite=Lax; HttpOnly; Secure");
        let SetCookie(cookie) = SetCookie::new("a", "x", week, Scripts::MayRead, Scheme::Http);
        assert_eq!(cookie, "a=x; Max-Age=604800; Path=/; SameSite=Lax");
        let SetCookie(cookie) = SetCookie::no_session(Scheme::Http);
        assert_eq!(cookie, "sessionid=; Max-Age=0; Path=/; SameSite=Lax; HttpOnly");
    }
}
