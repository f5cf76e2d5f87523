//! The URL of a Redis, which is a secret in parts.

use std::fmt;
use std::str::FromStr;

use redis::{Client, ConnectionAddr, ConnectionInfo, RedisError};
use thiserror::Error;

/// Where a Redis is, and who one is there: `redis://user:password@host:6379`, or `rediss://` for TLS.
///
/// What shows it leaves out the password.
#[derive(Clone)]
pub struct RedisUrl {
    text: Box<str>,
    client: Client,
}

/// No such URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("no such channel layer; there are redis://USER:PASSWORD@HOST:PORT and, for TLS, rediss://…")]
pub struct UnknownChannelLayer;

impl RedisUrl {
    /// What it says, to the driver.
    pub(crate) fn client(&self) -> Client {
        self.client.clone()
    }

    fn info(&self) -> &ConnectionInfo {
        self.client.get_connection_info()
    }
}

impl FromStr for RedisUrl {
    type Err = UnknownChannelLayer;

    fn from_str(text: &str) -> Result<Self, UnknownChannelLayer> {
        if !(text.starts_with("redis://") || text.starts_with("rediss://")) {
            return Err(UnknownChannelLayer);
        }
        // What the driver says is wrong with it may quote it.
        let client = Client::open(text).map_err(|_: RedisError| UnknownChannelLayer)?;
        Ok(Self { text: text.into(), client })
    }
}

impl PartialEq for RedisUrl {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for RedisUrl {}

impl fmt::Display for RedisUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let info = self.info();
        f.write_str(match info.addr() {
            ConnectionAddr::TcpTls { .. } => "rediss://",
            _ => "redis://",
        })?;
        if let Some(user) = info.redis_settings().username() {
            write!(f, "{user}@")?;
        }
        info.addr().fmt(f)
    }
}

impl fmt::Debug for RedisUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RedisUrl({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_shown_without_their_secrets() {
        for (text, shown) in [
            ("redis://db", "redis://db:6379"),
            ("redis://:hush@db:6380/2", "redis://db:6380"),
            ("rediss://amy:hush@db", "rediss://amy@db:6379"),
        ] {
            let url: RedisUrl = text.parse().unwrap();
            assert_eq!(url.to_string(), shown);
            assert_eq!(format!("{url:?}"), format!("RedisUrl({shown})"));
        }
    }

    #[test]
    fn what_is_no_url_is_refused_without_being_told_again() {
        for text in
            ["", "redis:", "http://:hush@db", "redis://:hush@db:port", "redis://:hush@db/?protocol=hush"]
        {
            let refused = text.parse::<RedisUrl>().unwrap_err();
            assert!(!refused.to_string().contains("hush"), "{text}");
        }
    }
}
