//! The values that settings take, read from text in the same way wherever they are given.

use std::convert::Infallible;
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use chat_protocol::{Dialect, UnknownDialect};
use thiserror::Error;

use super::postgres::PostgresUrl;

/// Who may connect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum AuthMode {
    /// Everybody, under any name: for trying out, demonstrations and trusted networks.
    #[default]
    Guest,
    /// Who is signed in to an account of this server.
    Session,
    /// Who is logged in to a Django project.
    Django,
    /// Who brings a signed JSON Web Token.
    Jwt,
}

/// No such mode.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("no such mode; there are guest, session, django and jwt")]
pub struct UnknownAuthMode;

impl FromStr for AuthMode {
    type Err = UnknownAuthMode;

    fn from_str(text: &str) -> Result<Self, UnknownAuthMode> {
        match text {
            "guest" => Ok(Self::Guest),
            "session" => Ok(Self::Session),
            "django" => Ok(Self::Django),
            "jwt" => Ok(Self::Jwt),
            _ => Err(UnknownAuthMode),
        }
    }
}

/// The dialect that all connections speak; `None`, written `auto`, for one that is found out for each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DialectChoice(
    /// The dialect.
    pub Option<Dialect>,
);

impl FromStr for DialectChoice {
    type Err = UnknownDialect;

    fn from_str(text: &str) -> Result<Self, UnknownDialect> {
        match text {
            "auto" => Ok(Self(None)),
            name => name.parse().map(|dialect| Self(Some(dialect))),
        }
    }
}

/// Where everything is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Database {
    /// An SQLite database in a file, `sqlite:chat.db`.
    SqliteFile(PathBuf),
    /// An SQLite database that ends with the server, `sqlite::memory:`.
    SqliteMemory,
    /// No database, `memory`: everything is forgotten when the server ends.
    Memory,
    /// A PostgreSQL database, `postgres://user:password@host:5432/name`.
    Postgres(PostgresUrl),
}

/// No such database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error(
    "no such database; there are sqlite:FILE, sqlite::memory:, memory and postgres://USER:PASSWORD@HOST/NAME"
)]
pub struct UnknownDatabase;

impl Default for Database {
    fn default() -> Self {
        Self::SqliteFile("chat.db".into())
    }
}

impl FromStr for Database {
    type Err = UnknownDatabase;

    fn from_str(text: &str) -> Result<Self, UnknownDatabase> {
        if text == "memory" {
            return Ok(Self::Memory);
        }
        let Some(rest) = text.strip_prefix("sqlite:") else {
            return text.parse().map(Self::Postgres);
        };
        match rest.strip_prefix("//").unwrap_or(rest) {
            "" => Err(UnknownDatabase),
            ":memory:" => Ok(Self::SqliteMemory),
            path => Ok(Self::SqliteFile(path.into())),
        }
    }
}

impl fmt::Display for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SqliteFile(path) => write!(f, "sqlite:{}", path.display()),
            Self::SqliteMemory => f.write_str("sqlite::memory:"),
            Self::Memory => f.write_str("memory"),
            Self::Postgres(url) => url.fmt(f),
        }
    }
}

/// Something that must not be shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Box<str>);

impl Secret {
    /// The secret itself.
    #[must_use]
    pub const fn reveal(&self) -> &str {
        &self.0
    }
}

impl FromStr for Secret {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(Self(text.into()))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// An entry of a list, or none where it is empty: to clap, `CHAT_TRUSTED_PROXIES=` is a list of one empty entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry<T>(
    /// The entry.
    pub Option<T>,
);

impl<T: FromStr> FromStr for Entry<T> {
    type Err = T::Err;

    fn from_str(text: &str) -> Result<Self, T::Err> {
        if text.is_empty() { Ok(Self(None)) } else { text.parse().map(|entry| Self(Some(entry))) }
    }
}

/// A list without its blank entries; `None` where there are no others: such a list says nothing.
pub(super) fn without_blanks<T>(list: Option<Vec<T>>, is_blank: impl Fn(&T) -> bool) -> Option<Vec<T>> {
    let mut entries = list?;
    entries.retain(|entry| !is_blank(entry));
    (!entries.is_empty()).then_some(entries)
}

/// A length of time, written `500ms`, `20s` or `5min`. Never zero, and at most a year.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span(
    /// The length.
    pub Duration,
);

/// No length of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("no length of time up to a year; write one like 500ms, 20s or 5min")]
pub struct UnknownSpan;

impl Span {
    /// The longest: a year.
    pub const MAX: Duration = Duration::from_hours(365 * 24);
}

impl FromStr for Span {
    type Err = UnknownSpan;

    fn from_str(text: &str) -> Result<Self, UnknownSpan> {
        let span = humantime::parse_duration(text).map_err(|_| UnknownSpan)?;
        if span.is_zero() || span > Self::MAX { Err(UnknownSpan) } else { Ok(Self(span)) }
    }
}

/// Least time between two commits, written `0s`, `500us` or `2ms`. At most a second: who sends waits for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CommitInterval(
    /// The length.
    pub Duration,
);

/// No interval between commits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("no length of time up to a second; write one like 0s, 500us or 2ms")]
pub struct UnknownCommitInterval;

impl CommitInterval {
    /// The longest: a second.
    pub const MAX: Duration = Duration::from_secs(1);
}

impl FromStr for CommitInterval {
    type Err = UnknownCommitInterval;

    fn from_str(text: &str) -> Result<Self, UnknownCommitInterval> {
        match humantime::parse_duration(text) {
            Ok(interval) if interval <= Self::MAX => Ok(Self(interval)),
            _ => Err(UnknownCommitInterval),
        }
    }
}

/// For how long something is kept, written `12h`, `90days` or `10years`. Never zero, and as long as one likes: nobody
/// waits for it, as they do for a [`Span`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Age(
    /// The length.
    pub Duration,
);

/// No age.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("no age; write one like 12h, 90days or 10years")]
pub struct UnknownAge;

impl FromStr for Age {
    type Err = UnknownAge;

    fn from_str(text: &str) -> Result<Self, UnknownAge> {
        match humantime::parse_duration(text) {
            Ok(age) if !age.is_zero() => Ok(Self(age)),
            _ => Err(UnknownAge),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn databases_are_told_by_their_urls() {
        let file = |path: &str| Ok(Database::SqliteFile(path.into()));
        assert_eq!("sqlite:chat.db".parse(), file("chat.db"));
        assert_eq!("sqlite:///var/lib/chat.db".parse(), file("/var/lib/chat.db"));
        assert_eq!("sqlite:/var/lib/chat.db".parse(), file("/var/lib/chat.db"));
        assert_eq!("sqlite::memory:".parse(), Ok(Database::SqliteMemory));
        assert!(matches!("postgres://db/chat".parse(), Ok(Database::Postgres(_))));
        for other in ["", "chat.db", "sqlite:", "mysql://x"] {
            assert_eq!(other.parse::<Database>(), Err(UnknownDatabase), "{other}");
        }
    }

    #[test]
    fn ages_may_be_great() {
        assert_eq!("90days".parse(), Ok(Age(Duration::from_hours(90 * 24))));
        assert!("1000years".parse::<Age>().is_ok());
        for other in ["", "0s", "-1day", "90", "for ever"] {
            assert_eq!(other.parse::<Age>(), Err(UnknownAge), "{other}");
        }
    }

    #[test]
    fn nobody_waits_long_for_a_commit() {
        assert_eq!("0s".parse(), Ok(CommitInterval(Duration::ZERO)));
        assert_eq!("1s".parse(), Ok(CommitInterval(CommitInterval::MAX)));
        for other in ["", "1001ms", "1h", "-1ms", "2"] {
            assert_eq!(other.parse::<CommitInterval>(), Err(UnknownCommitInterval), "{other}");
        }
    }

    #[test]
    fn spans_are_not_zero() {
        assert_eq!("1min 30s".parse(), Ok(Span(Duration::from_secs(90))));
        for other in ["", "0s", "-1s", "5", "2years", "500000000000years"] {
            assert_eq!(other.parse::<Span>(), Err(UnknownSpan), "{other}");
        }
    }
}
