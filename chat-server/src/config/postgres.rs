//! The URL of a PostgreSQL database, which is a secret in parts.

use std::fmt;
use std::str::FromStr;

use sqlx::postgres::PgConnectOptions;

use super::values::UnknownDatabase;

/// Where a PostgreSQL database is, and who one is there: `postgres://user:password@host:5432/name`, or `postgresql://`.
///
/// What shows it leaves out the password. Parts that are not given are taken from `PGHOST`, `PGUSER`, `PGPASSWORD` and so
/// on, and from `~/.pgpass`, as `psql` does it.
#[derive(Clone)]
pub struct PostgresUrl {
    text: Box<str>,
    options: Box<PgConnectOptions>,
}

impl PostgresUrl {
    /// What it says, to the driver.
    pub(crate) const fn options(&self) -> &PgConnectOptions {
        &self.options
    }
}

impl FromStr for PostgresUrl {
    type Err = UnknownDatabase;

    fn from_str(text: &str) -> Result<Self, UnknownDatabase> {
        if !(text.starts_with("postgres://") || text.starts_with("postgresql://")) {
            return Err(UnknownDatabase);
        }
        // What the driver says is wrong with it may quote it.
        let options = text.parse().map_err(|_: sqlx::Error| UnknownDatabase)?;
        Ok(Self { text: text.into(), options: Box::new(options) })
    }
}

impl PartialEq for PostgresUrl {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for PostgresUrl {}

impl fmt::Display for PostgresUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let options = &self.options;
        let (user, host, port) = (options.get_username(), options.get_host(), options.get_port());
        let name = options.get_database().unwrap_or(user);
        match options.get_socket() {
            Some(socket) => write!(f, "postgres://{user}@/{name}?host={}", socket.display()),
            None => write!(f, "postgres://{user}@{host}:{port}/{name}"),
        }
    }
}

impl fmt::Debug for PostgresUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PostgresUrl({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_shown_without_their_secrets() {
        for (text, shown) in [
            ("postgres://amy:hush@db:5433/chat", "postgres://amy@db:5433/chat"),
            ("postgresql://amy:hush@db/chat", "postgres://amy@db:5432/chat"),
            ("postgres://amy:h%40ush@db", "postgres://amy@db:5432/amy"),
            ("postgres://amy@db/chat?password=hush", "postgres://amy@db:5432/chat"),
            ("postgres://amy@db/chat?host=/run/hush-free", "postgres://amy@/chat?host=/run/hush-free"),
        ] {
            let url: PostgresUrl = text.parse().unwrap();
            assert_eq!(url.to_string(), shown);
            assert_eq!(format!("{url:?}"), format!("PostgresUrl({shown})"));
        }
    }

    #[test]
    fn what_is_no_url_is_refused_without_being_told_again() {
        for text in
            ["", "postgres:", "postgres:/x", "mysql://amy:hush@db/chat", "postgres://amy:hush@db:port/chat"]
        {
            let refused = text.parse::<PostgresUrl>().unwrap_err();
            assert!(!refused.to_string().contains("hush"), "{text}");
        }
    }
}
