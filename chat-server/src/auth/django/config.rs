//! What a Django project has to be known by.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use sqlx::postgres::PgConnectOptions;
use thiserror::Error;

use super::signing::SecretKey;

/// What [`DjangoAuthenticator`](super::DjangoAuthenticator) needs to know of a Django project.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct DjangoConfig {
    /// The project's database.
    pub database: DjangoDatabase,
    /// `SECRET_KEY`.
    pub secret_key: SecretKey,
    /// `SECRET_KEY_FALLBACKS`.
    pub fallbacks: Vec<SecretKey>,
    /// `SESSION_COOKIE_NAME`.
    pub cookie_name: String,
    /// Where the project keeps its sessions.
    pub store: SessionStore,
    /// `SESSION_COOKIE_AGE`. Counts for sessions in cookies only; those in the database say themselves when they end.
    pub cookie_age: Duration,
    /// `AUTHENTICATION_BACKENDS`: sessions that another one has begun are refused. Empty where any will do.
    pub backends: Vec<String>,
    /// The table of `AUTH_USER_MODEL`. Its key must be a whole number named `id`.
    pub user_table: String,
    /// The column that `USERNAME_FIELD` names.
    pub username_column: String,
}

impl DjangoConfig {
    /// A project that leaves everything else as Django has it.
    #[must_use]
    pub fn new(database: DjangoDatabase, secret_key: SecretKey) -> Self {
        Self {
            database,
            secret_key,
            fallbacks: Vec::new(),
            cookie_name: "sessionid".to_owned(),
            store: SessionStore::default(),
            cookie_age: Duration::from_hours(14 * 24),
            backends: Vec::new(),
            user_table: "auth_user".to_owned(),
            username_column: "username".to_owned(),
        }
    }
}

/// Where a Django project keeps its sessions (`SESSION_ENGINE`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum SessionStore {
    /// In the database: the engines `db` and `cached_db`.
    Database,
    /// In the cookie itself: the engine `signed_cookies`. It knows no way to take a session back other than a new
    /// password; a logout only takes the cookie from the browser.
    SignedCookies,
    /// Wherever the cookie at hand says.
    #[default]
    Either,
}

/// The database of a Django project. What shows it leaves out how to log in there.
#[derive(Clone)]
#[non_exhaustive]
pub enum DjangoDatabase {
    /// An SQLite database in a file, `sqlite:db.sqlite3`. The project must have `USE_TZ` on, as it is by default: else
    /// the times in it are of no known time zone.
    Sqlite(PathBuf),
    /// PostgreSQL, `postgres://user:password@host:5432/name`. Without TLS.
    Postgres(Box<PgConnectOptions>),
}

impl FromStr for DjangoDatabase {
    type Err = DjangoError;

    fn from_str(text: &str) -> Result<Self, DjangoError> {
        if let Some(rest) = text.strip_prefix("sqlite:") {
            // With two slashes it is a URL; a third one begins an absolute path.
            let path = rest.strip_prefix("//").unwrap_or(rest);
            return if path.is_empty() {
                Err(DjangoError::UnknownDatabase)
            } else {
                Ok(Self::Sqlite(path.into()))
            };
        }
        if !(text.starts_with("postgres://") || text.starts_with("postgresql://")) {
            return Err(DjangoError::UnknownDatabase);
        }
        text.parse().map(|options| Self::Postgres(Box::new(options))).map_err(DjangoError::InvalidUrl)
    }
}

impl fmt::Display for DjangoDatabase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => write!(f, "sqlite:{}", path.display()),
            Self::Postgres(options) => {
                let name = options.get_database().unwrap_or_default();
                write!(f, "postgres://{}:{}/{name}", options.get_host(), options.get_port())
            }
        }
    }
}

impl fmt::Debug for DjangoDatabase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DjangoDatabase({self})")
    }
}

/// What is wrong with a [`DjangoConfig`].
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum DjangoError {
    /// A key that anybody knows.
    #[error("the secret key of the Django project is empty")]
    EmptySecretKey,
    /// Not a database that can be read here.
    #[error("no such Django database; there are sqlite:FILE and postgres://USER:PASSWORD@HOST/NAME")]
    UnknownDatabase,
    /// Not the URL of a PostgreSQL database.
    #[error("not the URL of a PostgreSQL database")]
    InvalidUrl(#[source] sqlx::Error),
    /// Not the name of a table or column.
    #[error("setting `{setting}`: names of tables and columns here have 1 to 63 of a-z, A-Z, 0-9 and _")]
    InvalidIdentifier {
        /// The setting that gives it.
        setting: &'static str,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn databases_as_they_are_written_and_shown() {
        for (text, shown) in [
            ("sqlite:db.sqlite3", "sqlite:db.sqlite3"),
            ("sqlite:///srv/db.sqlite3", "sqlite:/srv/db.sqlite3"),
            ("postgres://amy:hush@db:5433/shop", "postgres://db:5433/shop"),
            ("postgresql://amy:hush@db/shop", "postgres://db:5432/shop"),
        ] {
            let database: DjangoDatabase = text.parse().unwrap();
            assert_eq!(database.to_string(), shown);
            assert!(!format!("{database:?}").contains("hush"));
        }
    }

    #[test]
    fn what_is_no_database() {
        for text in ["", "sqlite:", "sqlite://", "db.sqlite3", "mysql://db/shop"] {
            assert!(matches!(text.parse::<DjangoDatabase>(), Err(DjangoError::UnknownDatabase)), "{text}");
        }
        let error = "postgres://amy:hush@db:port/shop".parse::<DjangoDatabase>().unwrap_err();
        assert!(!crate::chain(&error).contains("hush"));
    }
}
