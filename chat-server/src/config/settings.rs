//! The settings, as they are given: on the command line, in the environment, in a file.

use std::net::SocketAddr;
use std::num::{NonZeroU32, NonZeroUsize};
use std::path::PathBuf;

use chat_protocol::Language;
use clap::Args;
use serde::Deserialize;

use crate::auth::DjangoDatabase;
use crate::gateway::OriginPattern;

use super::django_channels::DjangoChannelsSettings;
use super::file::{from_bool, from_number, from_table, from_text, list_from_text};
use super::history_page::HistoryPage;
use super::network::Network;
use super::redis::RedisUrl;
use super::untold::Untold;
use super::values::{
    Age, AuthMode, CommitInterval, Database, DialectChoice, Entry, Secret, Span, without_blanks,
};

/// What was given; what was not is left open.
///
/// In a file the names have `_` where flags have `-`: `max_text_chars = 2000`.
#[derive(Debug, Clone, Default, Args, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// Address and port to listen on; port 0 takes a free one [default: 127.0.0.1:8000]
    #[arg(long, env = "CHAT_LISTEN", value_name = "ADDRESS:PORT")]
    #[serde(deserialize_with = "from_text")]
    pub listen: Option<SocketAddr>,

    /// Threads that serve connections [default: one for each core]
    #[arg(long, env = "CHAT_THREADS", value_name = "COUNT")]
    #[serde(deserialize_with = "from_number")]
    pub threads: Option<NonZeroUsize>,

    /// Who may connect: guest, session, django or jwt [default: guest]
    #[arg(long, env = "CHAT_AUTH", value_name = "MODE")]
    #[serde(deserialize_with = "from_text")]
    pub auth: Option<AuthMode>,

    /// Which dialect connections speak: command, plain, group, remetente, typed, or auto, which finds out
    /// [default: auto]
    #[arg(long, env = "CHAT_DIALECT", value_name = "DIALECT")]
    #[serde(deserialize_with = "from_text")]
    pub dialect: Option<DialectChoice>,

    /// Where everything is kept: sqlite:FILE, `sqlite::memory:`, memory or `postgres://USER:PASSWORD@HOST/NAME` [default: sqlite:chat.db]
    #[arg(
        long,
        global = true,
        env = "CHAT_DATABASE",
        hide_env_values = true,
        value_parser = Untold::<Database>::new(),
        value_name = "URL"
    )]
    #[serde(deserialize_with = "from_text")]
    pub database: Option<Database>,

    /// How this server and others on the same database hear of each other: `redis://USER:PASSWORD@HOST:PORT`, or
    /// `rediss://` for TLS [default: there are no others]
    #[arg(
        long,
        env = "CHAT_CHANNEL_LAYER",
        hide_env_values = true,
        value_parser = Untold::<RedisUrl>::new(),
        value_name = "URL"
    )]
    #[serde(deserialize_with = "from_text")]
    pub channel_layer: Option<RedisUrl>,

    /// What all names in that Redis begin with; another one for each group of servers that share it [default: chat]
    #[arg(long, env = "CHAT_CHANNEL_PREFIX", value_name = "TEXT")]
    #[serde(deserialize_with = "from_text")]
    pub channel_prefix: Option<String>,

    /// How long somebody may be without a connection before others are told that they are offline [default: with a
    /// channel layer 2s, else they are told at once]
    #[arg(long, env = "CHAT_PRESENCE_GRACE", value_name = "TIME")]
    #[serde(deserialize_with = "from_text")]
    pub presence_grace: Option<Span>,

    /// After how long without a sign of life another server counts as dead, and its people as offline [default: 12s]
    #[arg(long, env = "CHAT_NODE_LASTS", value_name = "TIME")]
    #[serde(deserialize_with = "from_text")]
    pub node_lasts: Option<Span>,

    /// Language of what the server itself says: en, ru, pt, zh-Hant, fa [default: en]
    #[arg(long, env = "CHAT_LANGUAGE", value_name = "TAG")]
    #[serde(deserialize_with = "from_text")]
    pub language: Option<Language>,

    /// Messages in a page of history, 1 to 10000 [default: 50]
    #[arg(long, env = "CHAT_HISTORY_PAGE", value_name = "COUNT")]
    #[serde(deserialize_with = "from_number")]
    pub history_page: Option<HistoryPage>,

    /// Most characters of a message [default: 4096]
    #[arg(long, global = true, env = "CHAT_MAX_TEXT_CHARS", value_name = "COUNT")]
    #[serde(deserialize_with = "from_number")]
    pub max_text_chars: Option<NonZeroUsize>,

    /// Most bytes of a frame; a larger one ends the connection with 1009 [default: 262144]
    #[arg(long, env = "CHAT_MAX_FRAME_BYTES", value_name = "BYTES")]
    #[serde(deserialize_with = "from_number")]
    pub max_frame_bytes: Option<NonZeroUsize>,

    /// Most bytes that wait for a client; one who reads more slowly is cut off [default: 1048576]
    #[arg(long, env = "CHAT_MAX_QUEUE_BYTES", value_name = "BYTES")]
    #[serde(deserialize_with = "from_number")]
    pub max_queue_bytes: Option<NonZeroUsize>,

    /// How long somebody counts as typing after saying so [default: 6s]
    #[arg(long, env = "CHAT_TYPING_LASTS", value_name = "TIME")]
    #[serde(deserialize_with = "from_text")]
    pub typing_lasts: Option<Span>,

    /// Least time between two commits while several people talk; who talks alone does not wait [default: 2ms, in memory 0s]
    #[arg(long, env = "CHAT_COMMIT_INTERVAL", value_name = "TIME")]
    #[serde(deserialize_with = "from_text")]
    pub commit_interval: Option<CommitInterval>,

    /// So many of the newest messages of each room are kept [default: all]
    #[arg(long, env = "CHAT_KEEP_MESSAGES", value_name = "COUNT")]
    #[serde(deserialize_with = "from_number")]
    pub keep_messages: Option<NonZeroU32>,

    /// For how long messages are kept: 12h, 90days, 10years [default: for ever]
    #[arg(long, env = "CHAT_KEEP_FOR", value_name = "TIME")]
    #[serde(deserialize_with = "from_text")]
    pub keep_for: Option<Age>,

    /// How often a connection is pinged; less than --mute-for [default: 20s]
    #[arg(long, env = "CHAT_PING_EVERY", value_name = "TIME")]
    #[serde(deserialize_with = "from_text")]
    pub ping_every: Option<Span>,

    /// After how long without a sign of life a connection is cut off [default: 45s]
    #[arg(long, env = "CHAT_MUTE_FOR", value_name = "TIME")]
    #[serde(deserialize_with = "from_text")]
    pub mute_for: Option<Span>,

    /// The database of the Django project whose sessions count: sqlite:FILE or `postgres://USER:PASSWORD@HOST/NAME`
    #[arg(long, env = "CHAT_DJANGO_DATABASE", hide_env_values = true, value_parser = Untold::<DjangoDatabase>::new(), value_name = "URL")]
    #[serde(deserialize_with = "from_text")]
    pub django_database: Option<DjangoDatabase>,

    /// `SECRET_KEY` of the Django project; better given in the environment or the file
    #[arg(long, env = "CHAT_DJANGO_SECRET_KEY", hide_env_values = true, value_name = "KEY")]
    #[serde(deserialize_with = "from_text")]
    pub django_secret_key: Option<Secret>,

    /// `SECRET_KEY_FALLBACKS` of the Django project, separated by commas
    #[arg(
        long,
        env = "CHAT_DJANGO_SECRET_KEY_FALLBACKS",
        hide_env_values = true,
        value_delimiter = ',',
        value_name = "KEYS"
    )]
    #[serde(deserialize_with = "list_from_text")]
    pub django_secret_key_fallbacks: Option<Vec<Secret>>,

    /// The Channels deployment that the server takes part in.
    #[command(flatten)]
    #[serde(deserialize_with = "from_table")]
    pub django_channels: DjangoChannelsSettings,

    /// What proves tokens: a set of keys (.json, .jwks), a public key (.pem, .pub), or a secret (any other file)
    #[arg(long, env = "CHAT_JWT_KEY_FILE", value_name = "FILE")]
    #[serde(deserialize_with = "from_text")]
    pub jwt_key_file: Option<PathBuf>,

    /// The secret that proves tokens signed with HS256, at least 32 bytes; better given in the environment or a file
    #[arg(long, env = "CHAT_JWT_SECRET", hide_env_values = true, value_name = "SECRET")]
    #[serde(deserialize_with = "from_text")]
    pub jwt_secret: Option<Secret>,

    /// Whom tokens must be for
    #[arg(long, env = "CHAT_JWT_AUDIENCE", value_name = "TEXT")]
    #[serde(deserialize_with = "from_text")]
    pub jwt_audience: Option<String>,

    /// Who must have issued tokens
    #[arg(long, env = "CHAT_JWT_ISSUER", value_name = "TEXT")]
    #[serde(deserialize_with = "from_text")]
    pub jwt_issuer: Option<String>,

    /// Browsers reach the server over HTTPS, by a proxy in front of it: cookies are for HTTPS only
    #[arg(long, env = "CHAT_BEHIND_HTTPS", num_args = 0..=1, default_missing_value = "true", value_name = "BOOL")]
    #[serde(deserialize_with = "from_bool")]
    pub behind_https: Option<bool>,

    /// Proxies before the server, separated by commas: addresses or networks (10.0.0.0/8). Where one of them connects, what
    /// it says in `X-Forwarded-For` counts as the address of the client [default: none]
    #[arg(long, env = "CHAT_TRUSTED_PROXIES", value_name = "ADDRESSES", value_delimiter = ',')]
    #[serde(deserialize_with = "list_from_text")]
    pub trusted_proxies: Option<Vec<Entry<Network>>>,

    /// Log who connects, is refused, enters, writes and signs in, without what they write [default: true, for guests false]
    #[arg(long, env = "CHAT_AUDIT_LOG", num_args = 0..=1, default_missing_value = "true", value_name = "BOOL")]
    #[serde(deserialize_with = "from_bool")]
    pub audit_log: Option<bool>,

    /// Hosts whose pages may connect, separated by commas: HOST, .DOMAIN with all below it, or * [default: the host that
    /// they connect to]
    #[arg(long, env = "CHAT_ALLOWED_ORIGINS", value_name = "HOSTS", value_delimiter = ',')]
    #[serde(deserialize_with = "list_from_text")]
    pub allowed_origins: Option<Vec<OriginPattern>>,

    /// Refuse connections that do not say where they come from [default: true where cookies say who one is]
    #[arg(long, env = "CHAT_REQUIRE_ORIGIN", num_args = 0..=1, default_missing_value = "true", value_name = "BOOL")]
    #[serde(deserialize_with = "from_bool")]
    pub require_origin: Option<bool>,

    /// Accept connections that may not be, and close them with 4401 or 4403, for front ends that want to know
    #[arg(long, env = "CHAT_REFUSE_AFTER_UPGRADE", num_args = 0..=1, default_missing_value = "true", value_name = "BOOL")]
    #[serde(deserialize_with = "from_bool")]
    pub refuse_after_upgrade: Option<bool>,

    /// How long a stop may take before what is left is cut off [default: 10s]
    #[arg(long, env = "CHAT_STOP_WITHIN", value_name = "TIME")]
    #[serde(deserialize_with = "from_text")]
    pub stop_within: Option<Span>,
}

impl Settings {
    /// These settings without what names nothing: to clap, an empty `CHAT_ALLOWED_ORIGINS=` is a list of one empty host,
    /// which no page is of.
    pub(super) fn without_blanks(self) -> Self {
        Self {
            django_secret_key_fallbacks: without_blanks(self.django_secret_key_fallbacks, |key| {
                key.reveal().is_empty()
            }),
            django_channels: self.django_channels.without_blanks(),
            trusted_proxies: without_blanks(self.trusted_proxies, |Entry(network)| network.is_none()),
            allowed_origins: without_blanks(
                self.allowed_origins,
                |origin| matches!(origin, OriginPattern::Host(host) if host.is_empty()),
            ),
            ..self
        }
    }

    /// These settings, and where they leave something open, those.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self {
            listen: self.listen.or(other.listen),
            threads: self.threads.or(other.threads),
            auth: self.auth.or(other.auth),
            dialect: self.dialect.or(other.dialect),
            database: self.database.or(other.database),
            channel_layer: self.channel_layer.or(other.channel_layer),
            channel_prefix: self.channel_prefix.or(other.channel_prefix),
            presence_grace: self.presence_grace.or(other.presence_grace),
            node_lasts: self.node_lasts.or(other.node_lasts),
            language: self.language.or(other.language),
            history_page: self.history_page.or(other.history_page),
            max_text_chars: self.max_text_chars.or(other.max_text_chars),
            max_frame_bytes: self.max_frame_bytes.or(other.max_frame_bytes),
            max_queue_bytes: self.max_queue_bytes.or(other.max_queue_bytes),
            typing_lasts: self.typing_lasts.or(other.typing_lasts),
            commit_interval: self.commit_interval.or(other.commit_interval),
            keep_messages: self.keep_messages.or(other.keep_messages),
            keep_for: self.keep_for.or(other.keep_for),
            ping_every: self.ping_every.or(other.ping_every),
            mute_for: self.mute_for.or(other.mute_for),
            django_database: self.django_database.or(other.django_database),
            django_secret_key: self.django_secret_key.or(other.django_secret_key),
            django_secret_key_fallbacks: self
                .django_secret_key_fallbacks
                .or(other.django_secret_key_fallbacks),
            django_channels: self.django_channels.or(other.django_channels),
            jwt_key_file: self.jwt_key_file.or(other.jwt_key_file),
            jwt_secret: self.jwt_secret.or(other.jwt_secret),
            jwt_audience: self.jwt_audience.or(other.jwt_audience),
            jwt_issuer: self.jwt_issuer.or(other.jwt_issuer),
            behind_https: self.behind_https.or(other.behind_https),
            trusted_proxies: self.trusted_proxies.or(other.trusted_proxies),
            audit_log: self.audit_log.or(other.audit_log),
            allowed_origins: self.allowed_origins.or(other.allowed_origins),
            require_origin: self.require_origin.or(other.require_origin),
            refuse_after_upgrade: self.refuse_after_upgrade.or(other.refuse_after_upgrade),
            stop_within: self.stop_within.or(other.stop_within),
        }
    }
}
