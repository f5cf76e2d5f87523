//! What the server is told: flags first, then the environment (`CHAT_…`), then the file of `--config`, then defaults.

mod auth;
mod settings;
mod values;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use chat_core::ServiceConfig;
use chat_protocol::{Language, Limits};
use clap::Parser;

pub use auth::Auth;
pub use settings::Settings;
pub use values::{AuthMode, Database, DialectChoice, Secret, Span, UnknownDatabase};

use crate::ServerError;
use crate::accounts::Scheme;
use crate::commands::Command;
use crate::gateway::{GatewayConfig, Refusals, UnknownOrigin};

/// The command line of the program.
#[derive(Debug, Parser)]
#[command(name = "chat-server", version, about = "A chat server that speaks five dialects over WebSocket")]
pub struct Cli {
    /// A TOML file with settings; flags and the environment come before it
    #[arg(long, env = "CHAT_CONFIG", value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// The settings themselves.
    #[command(flatten)]
    pub settings: Settings,
    /// What to do; nothing said, it serves.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// Everything that a server is told, with nothing left open.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Config {
    /// Where to listen. Default `127.0.0.1:8000`; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Who may connect. Default: guests.
    pub auth: Auth,
    /// Whether there is an audit log. Default: for all but guests.
    pub audit_log: bool,
    /// Where everything is kept. Default: `chat.db` in the working directory.
    pub database: Database,
    /// How connections are served.
    pub gateway: GatewayConfig,
    /// How rooms behave.
    pub service: ServiceConfig,
    /// How long a stop may take before what is left is cut off. Default 10 seconds.
    pub stop_within: Duration,
}

impl Default for Config {
    fn default() -> Self {
        Settings::default().resolve_with(Auth::Guest)
    }
}

impl Cli {
    /// Puts flags, environment, file and defaults together.
    ///
    /// # Errors
    ///
    /// [`ServerError`] where the file cannot be read, or says something that is no setting.
    pub fn resolve(self) -> Result<Config, ServerError> {
        let file = match &self.config {
            Some(path) => read(path)?,
            None => Settings::default(),
        };
        let settings = self.settings.or(file);
        let auth = Auth::resolve(&settings)?;
        Ok(settings.resolve_with(auth))
    }
}

fn read(path: &Path) -> Result<Settings, ServerError> {
    let text = std::fs::read_to_string(path)
        .map_err(|source| ServerError::ReadConfig { path: path.to_owned(), source })?;
    toml::from_str(&text).map_err(|source| ServerError::ParseConfig { path: path.to_owned(), source })
}

impl Settings {
    fn resolve_with(self, auth: Auth) -> Config {
        let gateway = GatewayConfig::default();
        let by_cookie = matches!(auth, Auth::Session(_) | Auth::Django(_));
        let require_origin = self.require_origin.unwrap_or(by_cookie);
        let service = ServiceConfig::default();
        let span = |given: Option<Span>, default: Duration| given.map_or(default, |Span(span)| span);
        Config {
            listen: self.listen.unwrap_or_else(|| SocketAddr::from(([127, 0, 0, 1], 8000))),
            audit_log: self.audit_log.unwrap_or(!matches!(auth, Auth::Guest)),
            auth,
            database: self.database.unwrap_or_default(),
            stop_within: span(self.stop_within, Duration::from_secs(10)),
            service: service_config(
                self.history_page,
                span(self.typing_lasts, service.typing_lasts),
                service,
            ),
            gateway: GatewayConfig {
                scheme: if self.behind_https == Some(true) { Scheme::Https } else { Scheme::Http },
                dialect: self.dialect.map_or(gateway.dialect, |DialectChoice(dialect)| dialect),
                language: self.language.unwrap_or(Language::English),
                limits: Limits {
                    max_text_chars: self.max_text_chars.map_or(gateway.limits.max_text_chars, usize::from),
                },
                max_frame_bytes: self.max_frame_bytes.map_or(gateway.max_frame_bytes, usize::from),
                max_queue_bytes: self.max_queue_bytes.map_or(gateway.max_queue_bytes, usize::from),
                ping_every: span(self.ping_every, gateway.ping_every),
                mute_for: span(self.mute_for, gateway.mute_for),
                allowed_origins: self.allowed_origins.unwrap_or_default(),
                unknown_origin: if require_origin { UnknownOrigin::Refused } else { UnknownOrigin::Allowed },
                refusals: match self.refuse_after_upgrade {
                    Some(true) => Refusals::AfterUpgrade,
                    Some(false) | None => Refusals::BeforeUpgrade,
                },
                ..gateway
            },
        }
    }
}

fn service_config(
    history_page: Option<u32>,
    typing_lasts: Duration,
    default: ServiceConfig,
) -> ServiceConfig {
    let mut config = default;
    config.typing_lasts = typing_lasts;
    if let Some(page) = history_page {
        config.history_page = page;
        config.max_history_page = config.max_history_page.max(page);
    }
    config
}

#[cfg(test)]
mod tests {
    use super::*;
    use chat_protocol::Dialect;

    fn resolve(arguments: &[&str]) -> Result<Config, ServerError> {
        Cli::try_parse_from([&["chat-server"], arguments].concat()).unwrap().resolve()
    }

    #[test]
    fn the_defaults_are_those_of_the_documents() {
        let config = resolve(&[]).unwrap();
        assert_eq!(config.listen.to_string(), "127.0.0.1:8000");
        assert_eq!(config.database, Database::SqliteFile("chat.db".into()));
        assert_eq!(config.gateway.dialect, None);
        assert_eq!(config.gateway.max_frame_bytes, 256 * 1024);
        assert_eq!(config.gateway.limits.max_text_chars, 4096);
    }

    #[test]
    fn flags_come_before_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("chat.toml");
        std::fs::write(
            &path,
            "dialect = 'typed'\nlanguage = 'ru'\nping_every = '5s'\ndatabase = 'sqlite::memory:'",
        )
        .unwrap();
        let config = resolve(&["--config", path.to_str().unwrap(), "--dialect", "group"]).unwrap();
        assert_eq!(config.gateway.dialect, Some(Dialect::Group));
        assert_eq!(config.gateway.language, Language::Russian);
        assert_eq!(config.gateway.ping_every, Duration::from_secs(5));
        assert_eq!(config.database, Database::SqliteMemory);
    }

    #[test]
    fn a_file_with_a_slip_is_refused_and_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("chat.toml");
        for (text, hint) in
            [("lisen = '127.0.0.1:1'", "lisen"), ("dialect = 'klingon'", "dialect"), ("=", "chat.toml")]
        {
            std::fs::write(&path, text).unwrap();
            let error = resolve(&["--config", path.to_str().unwrap()]).unwrap_err();
            assert!(crate::error::chain(&error).contains(hint), "{}", crate::error::chain(&error));
        }
        assert!(resolve(&["--config", "/nowhere/chat.toml"]).is_err());
    }

    #[test]
    fn slips_on_the_command_line_are_refused() {
        for arguments in [
            ["--listen", "here"],
            ["--auth", "nobody"],
            ["--dialect", "klingon"],
            ["--database", "mysql:x"],
            ["--language", "de"],
            ["--ping-every", "soon"],
            ["--max-text-chars", "0"],
        ] {
            assert!(
                Cli::try_parse_from([&["chat-server"], &arguments[..]].concat()).is_err(),
                "{arguments:?}"
            );
        }
    }
}
