//! Which web pages may connect.

use std::convert::Infallible;
use std::net::Ipv6Addr;
use std::str::FromStr;

use http::Uri;
use http::header::{HOST, ORIGIN};
use http::request::Parts;

/// A host from which pages may connect: `chat.example`, `[::1]`, `.chat.example` (it and all below it), or `*`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OriginPattern {
    /// Every page.
    Any,
    /// The pages of this host, in small letters; an IPv6 address is in brackets.
    Host(String),
    /// The pages of this host and of those below it.
    Domain(String),
}

impl FromStr for OriginPattern {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        // Written as an origin, `https://chat.example:443`, it means the host.
        let rest = text.split_once("://").map_or(text, |(_, rest)| rest);
        let text = host_name(rest.split('/').next().unwrap_or_default());
        Ok(match text.strip_prefix('.') {
            Some(domain) => Self::Domain(domain.to_owned()),
            None if text == "*" => Self::Any,
            None => Self::Host(text),
        })
    }
}

impl OriginPattern {
    fn matches(&self, host: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Host(own) => own == host,
            Self::Domain(domain) => {
                host.strip_suffix(domain.as_str()).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
            }
        }
    }
}

/// What becomes of who does not say where they come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum UnknownOrigin {
    /// They may connect: they are no browser.
    #[default]
    Allowed,
    /// They may not: where cookies prove who one is, nothing but a page has a reason to bring them.
    Refused,
}

/// Whether a page that asks for a connection may have it.
///
/// A browser says where a page comes from; other programs may say nothing. As in Django, the name of the host decides,
/// and neither scheme nor port. Without patterns, a page must come from the host that it connects to.
pub(crate) fn is_allowed(request: &Parts, patterns: &[OriginPattern], unknown: UnknownOrigin) -> bool {
    let mut origins = request.headers.get_all(ORIGIN).iter();
    let Some(origin) = origins.next() else { return unknown == UnknownOrigin::Allowed };
    if origins.next().is_some() {
        return false;
    }
    if patterns.contains(&OriginPattern::Any) {
        return true;
    }
    let Some(host) = origin.to_str().ok().and_then(host_of_url) else { return false };
    if patterns.is_empty() {
        own_host(request).as_deref() == Some(&*host)
    } else {
        patterns.iter().any(|pattern| pattern.matches(&host))
    }
}

fn host_of_url(url: &str) -> Option<String> {
    let uri: Uri = url.parse().ok()?;
    // An origin has a scheme and a host, and nothing else.
    uri.scheme()?;
    uri.host().map(host_name)
}

fn own_host(request: &Parts) -> Option<String> {
    let named = request.headers.get(HOST).and_then(|host| host.to_str().ok());
    let authority: http::uri::Authority =
        named.or_else(|| request.uri.authority().map(http::uri::Authority::as_str))?.parse().ok()?;
    Some(host_name(authority.host()))
}

/// The host of a host and port, written in one way only: in small letters, and an IPv6 address as short as can be and in
/// brackets. By itself, such an address needs none.
fn host_name(authority: &str) -> String {
    let bracketed = authority.strip_prefix('[').and_then(|rest| rest.split_once(']'));
    let address = bracketed.map_or(authority, |(address, _)| address);
    if let Ok(address) = address.parse::<Ipv6Addr>() {
        return format!("[{address}]");
    }
    authority.split(':').next().unwrap_or_default().to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::Request;

    fn check(origin: Option<&str>, patterns: &[&str]) -> bool {
        let mut request = Request::builder().uri("/ws/chat/hall/").header(HOST, "chat.example:8000");
        if let Some(origin) = origin {
            request = request.header(ORIGIN, origin);
        }
        let patterns: Vec<OriginPattern> = patterns.iter().map(|pattern| pattern.parse().unwrap()).collect();
        is_allowed(&request.body(()).unwrap().into_parts().0, &patterns, UnknownOrigin::Allowed)
    }

    #[test]
    fn pages_come_from_the_host_they_connect_to() {
        for origin in ["http://chat.example:8000", "https://chat.example", "HTTP://CHAT.example:1"] {
            assert!(check(Some(origin), &[]), "{origin}");
        }
        assert!(check(None, &[]), "not a browser");
        let silent = Request::new(()).into_parts().0;
        assert!(!is_allowed(&silent, &[OriginPattern::Any], UnknownOrigin::Refused));
        for origin in [
            "https://evil.example",
            "https://chat.example.evil",
            "https://evilchat.example",
            "https://chat.example@evil.example",
            "null",
            "file://",
            "chat.example",
            "",
        ] {
            assert!(!check(Some(origin), &[]), "{origin}");
        }
    }

    #[test]
    fn patterns_replace_the_own_host() {
        let patterns = ["https://app.example:443/", ".front.example"];
        for origin in ["https://app.example", "https://front.example", "https://a.b.front.example:444"] {
            assert!(check(Some(origin), &patterns), "{origin}");
        }
        for origin in ["https://chat.example", "https://x.app.example", "https://evilfront.example", "null"] {
            assert!(!check(Some(origin), &patterns), "{origin}");
        }
        assert!(check(Some("null"), &["*"]));
    }

    #[test]
    fn an_address_is_a_host() {
        for pattern in ["http://[::1]:8000", "https://[0:0:0:0:0:0:0:1]/", "[::1]:80", "[::1]", "::1"] {
            for origin in ["http://[::1]:8000", "https://[::1]"] {
                assert!(check(Some(origin), &[pattern]), "{pattern}: {origin}");
            }
            for origin in ["http://[::2]:8000", "http://127.0.0.1:8000", "http://chat.example", "null"] {
                assert!(!check(Some(origin), &[pattern]), "{pattern}: {origin}");
            }
        }
        assert!(check(Some("http://[2001:db8::a]"), &["HTTP://[2001:DB8::A]:8000"]));
        assert!(check(Some("http://127.0.0.1:8000"), &["http://127.0.0.1:9000"]));
    }
}
