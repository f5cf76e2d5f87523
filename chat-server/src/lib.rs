//! A chat server that speaks five dialects over WebSocket.
//!
//! As a program, `chat-server`, it runs on its own: see `--help`. As a library it gives
//!
//! * [`router`], an axum `Router` to nest into a service of one's own, or [`Gateway`] for more say in it;
//! * [`trust_proxies`], for such a service that stands behind proxies;
//! * [`Server`], the whole program;
//! * [`channel_layer`], ways between nodes for a [`ChatService`](chat_core::ChatService);
//! * [`django_channels`], a bridge to a deployment of Django Channels;
//! * [`storage`], databases for a [`ChatService`](chat_core::ChatService).

#![deny(missing_docs)]

pub mod accounts;
mod audit;
pub mod auth;
mod backoff;
pub mod channel_layer;
mod cli;
mod clock;
pub mod commands;
mod config;
mod connection;
pub mod django_channels;
mod error;
mod gateway;
mod http;
mod listener;
mod metrics;
mod query;
mod redis_link;
mod server;
pub mod storage;
mod workers;

pub use cli::Cli;
pub use clock::SystemClock;
pub use config::{
    Age, Auth, AuthMode, CommitInterval, Config, Database, DialectChoice, DjangoChannelsSettings, Entry,
    HistoryPage, Network, PostgresUrl, RedisUrl, Secret, Settings, Span, UnknownAge, UnknownChannelLayer,
    UnknownCommitInterval, UnknownDatabase, UnknownHistoryPage, UnknownNetwork,
};
pub use error::{ServerError, chain};
pub use gateway::{Gateway, GatewayConfig, OriginPattern, Refusals, UnknownOrigin, router};
pub use metrics::Metrics;
pub use server::Server;

pub use crate::http::trust_proxies;
