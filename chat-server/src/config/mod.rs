//! What the server is told: flags first, then the environment (`CHAT_…`), then the file of `--config`, then defaults.

mod auth;
mod django_channels;
mod file;
mod history_page;
mod network;
mod postgres;
mod redis;
mod settings;
mod untold;
mod values;

use std::net::SocketAddr;
use std::num::{NonZeroU32, NonZeroUsize};
use std::path::Path;
use std::time::Duration;

use chat_core::ServiceConfig;
use chat_protocol::{Language, Limits};

pub use auth::Auth;
pub use django_channels::DjangoChannelsSettings;
pub use history_page::{HistoryPage, UnknownHistoryPage};
pub use network::{Network, UnknownNetwork};
pub use postgres::PostgresUrl;
pub use redis::{RedisUrl, UnknownChannelLayer};
pub use settings::Settings;
pub use values::{
    Age, AuthMode, CommitInterval, Database, DialectChoice, Entry, Secret, Span, UnknownAge,
    UnknownCommitInterval, UnknownDatabase,
};

use crate::ServerError;
use crate::accounts::Scheme;
use crate::channel_layer::RedisOptions;
use crate::django_channels::BridgeConfig;
use crate::gateway::{GatewayConfig, Refusals, UnknownOrigin};

/// How long people may be without a connection where there are several servers: those of one that is restarted go to
/// another.
const GRACE_AMONG_NODES: Duration = Duration::from_secs(2);

/// How often messages of many are committed where that means to wait for a disk.
const COMMIT_INTERVAL_ON_DISK: Duration = Duration::from_millis(2);

/// Everything that a server is told, with nothing left open.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Config {
    /// Where to listen. Default `127.0.0.1:8000`; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Threads that serve connections, the one among them that runs the server. Default: one for each core.
    pub threads: NonZeroUsize,
    /// The proxies that stand before it: where one of them connects, what it says in `X-Forwarded-For` counts as the
    /// address of the client. Default: none, and nobody's word counts.
    pub trusted_proxies: Vec<Network>,
    /// Who may connect. Default: guests.
    pub auth: Auth,
    /// Whether there is an audit log. Default: for all but guests.
    pub audit_log: bool,
    /// Where everything is kept. Default: `chat.db` in the working directory.
    pub database: Database,
    /// How this server hears of others on the same database. Default `None`: there are none.
    pub channel_layer: Option<RedisOptions>,
    /// The Channels deployment that it takes part in. Default `None`.
    pub django_channels: Option<BridgeConfig>,
    /// How connections are served.
    pub gateway: GatewayConfig,
    /// How rooms behave.
    pub service: ServiceConfig,
    /// How long a stop may take before what is left is cut off. Default 10 seconds.
    pub stop_within: Duration,
}

impl Default for Config {
    fn default() -> Self {
        Settings::default().resolve_with(Auth::Guest, None)
    }
}

impl Config {
    /// Puts settings together: those given, where they leave something open those of a file, then defaults.
    ///
    /// # Errors
    ///
    /// [`ServerError`] where the file cannot be read or says something that is no setting, or a setting lacks another.
    pub fn resolve(given: Settings, file: Option<&Path>) -> Result<Self, ServerError> {
        let given = given.without_blanks();
        let settings = match file {
            Some(path) => given.or(read(path)?.without_blanks()),
            None => given,
        };
        let auth = Auth::resolve(&settings)?;
        let django_channels = settings.django_channels.resolve()?;
        Ok(settings.resolve_with(auth, django_channels))
    }
}

fn read(path: &Path) -> Result<Settings, ServerError> {
    let text = std::fs::read_to_string(path)
        .map_err(|source| ServerError::ReadConfig { path: path.to_owned(), source })?;
    toml::from_str(&text).map_err(|mut source: toml::de::Error| {
        let before = source.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
        let line = before.matches('\n').count() + 1;
        // It would quote the line, which may hold a secret.
        source.set_input(None);
        ServerError::ParseConfig { path: path.to_owned(), line, source }
    })
}

impl Settings {
    fn resolve_with(self, auth: Auth, django_channels: Option<BridgeConfig>) -> Config {
        let gateway = GatewayConfig::default();
        let by_cookie = matches!(auth, Auth::Session(_) | Auth::Django(_));
        let require_origin = self.require_origin.unwrap_or(by_cookie);
        let mut service = ServiceConfig::default();
        service.keep_newest = self.keep_messages.map(NonZeroU32::get);
        service.keep_for = self.keep_for.map(|Age(age)| age);
        let limits =
            Limits { max_text_chars: self.max_text_chars.map_or(gateway.limits.max_text_chars, usize::from) };
        let span = |given: Option<Span>, default: Duration| given.map_or(default, |Span(span)| span);
        let grace = if self.channel_layer.is_some() { GRACE_AMONG_NODES } else { service.presence_grace };
        service.presence_grace = span(self.presence_grace, grace);
        service.node_lasts = span(self.node_lasts, service.node_lasts);
        let database = self.database.unwrap_or_default();
        service.commit_interval = self
            .commit_interval
            .map_or_else(|| commit_interval_of(&database), |CommitInterval(interval)| interval);
        Config {
            listen: self.listen.unwrap_or_else(|| SocketAddr::from(([127, 0, 0, 1], 8000))),
            threads: self.threads.unwrap_or_else(one_for_each_core),
            trusted_proxies: self
                .trusted_proxies
                .into_iter()
                .flatten()
                .filter_map(|Entry(proxy)| proxy)
                .collect(),
            audit_log: self.audit_log.unwrap_or(!matches!(auth, Auth::Guest)),
            auth,
            database,
            channel_layer: self.channel_layer.map(|url| {
                let mut redis = RedisOptions::new(url);
                redis.prefix = self.channel_prefix.unwrap_or(redis.prefix);
                redis
            }),
            django_channels: django_channels.map(|bridge| BridgeConfig { limits: limits.clone(), ..bridge }),
            stop_within: span(self.stop_within, Duration::from_secs(10)),
            service: service_config(
                self.history_page.map(|HistoryPage(messages)| messages),
                span(self.typing_lasts, service.typing_lasts),
                service,
            ),
            gateway: GatewayConfig {
                scheme: if self.behind_https == Some(true) { Scheme::Https } else { Scheme::Http },
                dialect: self.dialect.map_or(gateway.dialect, |DialectChoice(dialect)| dialect),
                language: self.language.unwrap_or(Language::English),
                limits,
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

fn one_for_each_core() -> NonZeroUsize {
    std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN)
}

fn commit_interval_of(database: &Database) -> Duration {
    match database {
        Database::SqliteFile(_) | Database::Postgres(_) => COMMIT_INTERVAL_ON_DISK,
        Database::SqliteMemory | Database::Memory => Duration::ZERO,
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
