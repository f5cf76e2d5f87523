//! What a bridge is told.

use std::str::FromStr;
use std::time::Duration;

use chat_protocol::{Limits, Username};
use thiserror::Error;

use super::group::GroupPattern;
use crate::config::RedisUrl;
use crate::metrics::Metrics;

/// How to take part in a Channels deployment. Start from [`BridgeConfig::new`].
///
/// What the `CONFIG` of the project's `CHANNEL_LAYERS` says must be said here as well.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct BridgeConfig {
    /// The `hosts`, in their order.
    pub hosts: Vec<RedisUrl>,
    /// The `BACKEND`. Default: `RedisChannelLayer`.
    pub layer: LayerKind,
    /// The `prefix`. Default `asgi`.
    pub prefix: String,
    /// Which group belongs to which room. Default `chat_{room}`.
    pub groups: GroupPattern,
    /// The handler of the project's consumers that takes messages: the `type` of what is sent, and of what is taken in.
    /// Default `chat_message`.
    pub message_type: String,
    /// Most messages that wait in an inbox. Default 100.
    pub capacity: u32,
    /// How long a message waits to be taken. Default 1 minute.
    pub expiry: Duration,
    /// How long somebody is a member of a group who does not say so again. Default 1 day.
    pub group_expiry: Duration,
    /// Who counts as the sender of a message that names none. Default `Anonymous`.
    pub unnamed: Username,
    /// What the texts of messages may be.
    pub limits: Limits,
    /// The name of this deployment of the server in the layer: that of all its nodes. Default `chat`.
    pub name: String,
    /// Most messages that wait to be sent; past it the oldest are dropped. Default 4,096.
    pub queued: usize,
    /// After how long another node takes over from one that has died. Default 10 seconds.
    pub takeover: Duration,
    /// Where is counted what does not come over. Default: figures of its own, which nobody sees.
    pub metrics: Metrics,
}

impl BridgeConfig {
    /// The layer at these hosts, and everything else at its default.
    #[must_use]
    pub fn new(hosts: Vec<RedisUrl>) -> Self {
        Self {
            hosts,
            layer: LayerKind::default(),
            prefix: "asgi".to_owned(),
            groups: GroupPattern::default(),
            message_type: "chat_message".to_owned(),
            capacity: 100,
            expiry: Duration::from_mins(1),
            group_expiry: Duration::from_hours(24),
            unnamed: Username::anonymous(),
            limits: Limits::default(),
            name: "chat".to_owned(),
            queued: 4096,
            takeover: Duration::from_secs(10),
            metrics: Metrics::default(),
        }
    }
}

/// The layers of `channels_redis`. They have nothing in common on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum LayerKind {
    /// `channels_redis.core.RedisChannelLayer`.
    #[default]
    Core,
    /// `channels_redis.pubsub.RedisPubSubChannelLayer`.
    PubSub,
}

/// No such layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("no such layer; there are core (RedisChannelLayer) and pubsub (RedisPubSubChannelLayer)")]
pub struct UnknownLayer;

impl FromStr for LayerKind {
    type Err = UnknownLayer;

    fn from_str(text: &str) -> Result<Self, UnknownLayer> {
        match text {
            "core" => Ok(Self::Core),
            "pubsub" => Ok(Self::PubSub),
            _ => Err(UnknownLayer),
        }
    }
}
