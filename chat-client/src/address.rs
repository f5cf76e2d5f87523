//! Where to connect to, and which room that is.

use chat_protocol::{Dialect, RoomName, RoomRef, Username};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, PercentEncode, percent_decode_str, utf8_percent_encode};
use tokio_tungstenite::tungstenite::Error as WsError;
use tokio_tungstenite::tungstenite::client::uri_mode;
use tokio_tungstenite::tungstenite::error::UrlError;
use tokio_tungstenite::tungstenite::http::Uri;
use tokio_tungstenite::tungstenite::http::uri::PathAndQuery;
use tokio_tungstenite::tungstenite::stream::Mode;

use crate::error::ErrorKind;

const DEFAULT_PORT: u16 = 80;

/// Characters that a URL has only in escapes.
const NON_ASCII: &AsciiSet = &AsciiSet::EMPTY;

/// Characters that a value in a query has only in escapes: all but the unreserved ones of RFC 3986.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// A URL that has been checked, with the guest's name in its query.
#[derive(Debug, Clone)]
pub(crate) struct Address {
    pub(crate) uri: Uri,
    /// The host and the port.
    pub(crate) host: String,
    /// The room that the last segment of the path names.
    pub(crate) room: Option<RoomRef>,
}

impl Address {
    pub(crate) fn new(url: &str, dialect: Dialect, guest: Option<&Username>) -> Result<Self, ErrorKind> {
        Self::parse(url, dialect, guest).map_err(ErrorKind::Url)
    }

    fn parse(url: &str, dialect: Dialect, guest: Option<&Username>) -> Result<Self, WsError> {
        // Room names are of any script, and people paste URLs as browsers show them.
        let uri: Uri = utf8_percent_encode(url, NON_ASCII).to_string().parse()?;
        if matches!(uri_mode(&uri)?, Mode::Tls) {
            return Err(UrlError::TlsFeatureNotEnabled.into());
        }
        let host = uri.host().filter(|host| !host.is_empty()).ok_or(UrlError::NoHostName)?;
        let host = format!("{host}:{}", uri.port_u16().unwrap_or(DEFAULT_PORT));
        let room = room_of(uri.path());

        let uri = match guest {
            Some(name) => with_parameter(uri, dialect.behavior().user_parameter, name.as_str())?,
            None => uri,
        };
        Ok(Self { uri, host, room })
    }

    /// The URI that asks to go on from there.
    pub(crate) fn uri_since(&self, since: &str) -> Result<Uri, ErrorKind> {
        with_parameter(self.uri.clone(), "since", since).map_err(ErrorKind::Url)
    }
}

fn with_parameter(uri: Uri, name: &str, value: &str) -> Result<Uri, WsError> {
    let (query, joint) = uri.query().map_or(("", ""), |query| (query, "&"));
    let target = format!("{}?{query}{joint}{name}={}", uri.path(), in_query(value));
    let mut parts = uri.into_parts();
    parts.path_and_query = Some(PathAndQuery::try_from(target)?);
    Uri::from_parts(parts).map_err(|error| WsError::HttpFormat(error.into()))
}

/// A text as a value in a query.
pub(crate) fn in_query(text: &str) -> PercentEncode<'_> {
    utf8_percent_encode(text, RESERVED)
}

fn room_of(path: &str) -> Option<RoomRef> {
    let segment = path.trim_end_matches('/').rsplit('/').next()?;
    RoomName::new(&percent_decode_str(segment).decode_utf8().ok()?).ok().map(RoomRef::Name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(url: &str, dialect: Dialect, guest: &str) -> Address {
        let guest = Username::new(guest).unwrap();
        Address::new(url, dialect, Some(&guest)).unwrap()
    }

    #[test]
    fn a_guest_is_named_in_the_query() {
        let cases = [
            ("ws://h/ws/chat/r/", Dialect::Typed, "amy", "ws://h/ws/chat/r/?username=amy"),
            ("ws://h/ws/chat/r", Dialect::Remetente, "amy", "ws://h/ws/chat/r?user=amy"),
            ("ws://h/r/?since=3#top", Dialect::Plain, "amy", "ws://h/r/?since=3&username=amy"),
            ("ws://h", Dialect::Plain, "amy", "ws://h/?username=amy"),
            ("ws://h/r/", Dialect::Plain, "a&b=c d+é", "ws://h/r/?username=a%26b%3Dc%20d%2B%C3%A9"),
        ];
        for (url, dialect, guest, expected) in cases {
            assert_eq!(address(url, dialect, guest).uri.to_string(), expected);
        }
    }

    #[test]
    fn the_place_to_go_on_from_is_in_the_query() {
        let address = address("ws://h/r/", Dialect::Group, "amy");
        let uri = address.uri_since("5:41,聊:0").unwrap();
        assert_eq!(uri.to_string(), "ws://h/r/?username=amy&since=5%3A41%2C%E8%81%8A%3A0");
    }

    #[test]
    fn the_last_segment_is_the_room() {
        let cases = [
            ("ws://h/ws/chat/testroom/", Some("testroom")),
            ("ws://h/ws/chat/testroom", Some("testroom")),
            ("ws://h/ws/chat/5/?since=3", Some("5")),
            ("ws://h/ws/chat/комната/", Some("комната")),
            ("ws://h/ws/chat/%E8%81%8A/", Some("聊")),
            ("ws://h/ws/chat/listener/", None),
            ("ws://h/ws/chat/%zz/", None),
            ("ws://h/", None),
        ];
        for (url, name) in cases {
            let room = name.map(|name| RoomRef::Name(RoomName::new(name).unwrap()));
            assert_eq!(address(url, Dialect::Command, "amy").room, room, "{url}");
        }
    }

    #[test]
    fn hosts_have_a_port() {
        let cases = [("ws://h/", "h:80"), ("ws://h:8000/", "h:8000"), ("ws://[::1]:8000/", "[::1]:8000")];
        for (url, host) in cases {
            assert_eq!(address(url, Dialect::Plain, "amy").host, host);
        }
    }

    #[test]
    fn other_urls_are_refused() {
        for url in ["", "testroom", "http://h/", "wss://h/", "ws://", "ws:///r/", "ws://h/a b"] {
            let refused = Address::new(url, Dialect::Plain, None);
            assert!(matches!(refused, Err(ErrorKind::Url(_))), "{url}: {refused:?}");
        }
    }
}
