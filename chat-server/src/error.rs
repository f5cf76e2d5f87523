//! What can keep a server from running.

use std::error::Error;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use chat_core::StorageError;
use thiserror::Error;

use crate::auth::{DjangoError, JwtConfigError};
use crate::config::Database;

/// Why a server could not start, or could not go on.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ServerError {
    /// The file of settings cannot be read.
    #[error("cannot read the settings in {}", path.display())]
    ReadConfig {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file of settings says something that is no setting.
    #[error("{} is not a file of settings, by its line {line}", path.display())]
    ParseConfig {
        /// The file.
        path: PathBuf,
        /// The line.
        line: usize,
        /// Why.
        source: toml::de::Error,
    },
    /// The database cannot be opened.
    #[error("cannot open the database {database}")]
    OpenDatabase {
        /// The database.
        database: Database,
        /// Why.
        source: StorageError,
    },
    /// There is no database for a command to work on.
    #[error("--database memory ends with the server that keeps it: no command can work on it")]
    NoDatabase,
    /// The address is not to be had.
    #[error("cannot listen on {address}; another one can be given with --listen")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// A way to sign in needs a setting that is not there.
    #[error("--auth {mode} needs the setting {setting}")]
    MissingSetting {
        /// What is missing.
        setting: &'static str,
        /// For which mode.
        mode: &'static str,
    },
    /// Two settings say different things.
    #[error("only one of {settings} can be given")]
    ConflictingSettings {
        /// Which.
        settings: &'static str,
    },
    /// Whoever is idle would be cut off before the answer to a ping can be there.
    #[error(
        "ping_every is {}, and must be less than mute_for, which is {}",
        humantime::format_duration(*ping_every),
        humantime::format_duration(*mute_for)
    )]
    MuteBeforePing {
        /// How often a connection is to be pinged.
        ping_every: Duration,
        /// After how long without a sign of life it is to be cut off.
        mute_for: Duration,
    },
    /// Something is said about a bridge to Django Channels, but not where it leads.
    #[error("a bridge to Django Channels needs the setting django_channels.hosts")]
    MissingChannelsHosts,
    /// The key for tokens cannot be used.
    #[error("tokens cannot be checked")]
    Jwt(#[source] JwtConfigError),
    /// The Django project cannot be used.
    #[error("sessions of the Django project cannot be checked")]
    Django(#[source] DjangoError),
    /// The signals of the system cannot be heard.
    #[error("cannot wait for signals")]
    Signals(#[source] io::Error),
}

/// An error and all its causes, on one line. A cause that the error before it has told already is left out.
#[must_use]
pub fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let told = error.to_string();
        if !text.ends_with(&told) {
            text.push_str(": ");
            text.push_str(&told);
        }
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cause_is_told_once() {
        let refused = || io::Error::other("connection refused");
        let path = PathBuf::from("chat.toml");
        let error = ServerError::ReadConfig { path, source: io::Error::other(refused()) };
        assert_eq!(chain(&error), "cannot read the settings in chat.toml: connection refused");
        assert_eq!(chain(&ServerError::Signals(refused())), "cannot wait for signals: connection refused");
    }
}
