//! `[django_channels]`: the Channels deployment that the server takes part in.

use chat_protocol::Username;
use clap::Args;
use serde::Deserialize;

use crate::ServerError;
use crate::django_channels::{BridgeConfig, GroupPattern, LayerKind};

use super::file::{from_number, from_text, list_from_text};
use super::redis::RedisUrl;
use super::untold::Untold;
use super::values::{Entry, Span, without_blanks};

/// What was given about it; what was not is left open.
#[derive(Debug, Clone, Default, Args, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DjangoChannelsSettings {
    /// The Redis of the Django Channels project whose groups are rooms here: `redis://USER:PASSWORD@HOST:PORT/DATABASE`, or
    /// `rediss://` for TLS; several, as in its `hosts`, separated by commas
    #[arg(
        id = "django_channels_hosts",
        long = "django-channels-hosts",
        env = "CHAT_DJANGO_CHANNELS_HOSTS",
        hide_env_values = true,
        value_delimiter = ',',
        value_parser = Untold::<Entry<RedisUrl>>::new(),
        value_name = "URLS"
    )]
    #[serde(deserialize_with = "list_from_text")]
    pub hosts: Option<Vec<Entry<RedisUrl>>>,

    /// Its channel layer: core (`RedisChannelLayer`) or pubsub (`RedisPubSubChannelLayer`) [default: core]
    #[arg(
        id = "django_channels_layer",
        long = "django-channels-layer",
        env = "CHAT_DJANGO_CHANNELS_LAYER",
        value_name = "LAYER"
    )]
    #[serde(deserialize_with = "from_text")]
    pub layer: Option<LayerKind>,

    /// Its `prefix` [default: asgi]
    #[arg(
        id = "django_channels_prefix",
        long = "django-channels-prefix",
        env = "CHAT_DJANGO_CHANNELS_PREFIX",
        value_name = "TEXT"
    )]
    #[serde(deserialize_with = "from_text")]
    pub prefix: Option<String>,

    /// The group of a room [default: `chat_{room}`]
    #[arg(
        id = "django_channels_group",
        long = "django-channels-group",
        env = "CHAT_DJANGO_CHANNELS_GROUP",
        value_name = "PATTERN"
    )]
    #[serde(deserialize_with = "from_text")]
    pub group: Option<GroupPattern>,

    /// The handler of its consumers that takes messages, the `type` of what is sent [default: `chat_message`]
    #[arg(
        id = "django_channels_type",
        long = "django-channels-type",
        env = "CHAT_DJANGO_CHANNELS_TYPE",
        value_name = "HANDLER"
    )]
    #[serde(rename = "type", deserialize_with = "from_text")]
    pub message_type: Option<String>,

    /// Who counts as the sender of what names none [default: Anonymous]
    #[arg(
        id = "django_channels_unnamed",
        long = "django-channels-unnamed",
        env = "CHAT_DJANGO_CHANNELS_UNNAMED",
        value_name = "NAME"
    )]
    #[serde(deserialize_with = "from_text")]
    pub unnamed: Option<Username>,

    /// Its `capacity` [default: 100]
    #[arg(
        id = "django_channels_capacity",
        long = "django-channels-capacity",
        env = "CHAT_DJANGO_CHANNELS_CAPACITY",
        value_name = "COUNT"
    )]
    #[serde(deserialize_with = "from_number")]
    pub capacity: Option<u32>,

    /// Its `expiry` [default: 60s]
    #[arg(
        id = "django_channels_expiry",
        long = "django-channels-expiry",
        env = "CHAT_DJANGO_CHANNELS_EXPIRY",
        value_name = "TIME"
    )]
    #[serde(deserialize_with = "from_text")]
    pub expiry: Option<Span>,

    /// Its `group_expiry` [default: 1day]
    #[arg(
        id = "django_channels_group_expiry",
        long = "django-channels-group-expiry",
        env = "CHAT_DJANGO_CHANNELS_GROUP_EXPIRY",
        value_name = "TIME"
    )]
    #[serde(deserialize_with = "from_text")]
    pub group_expiry: Option<Span>,
}

impl DjangoChannelsSettings {
    /// These settings without what names nothing.
    pub(super) fn without_blanks(self) -> Self {
        Self { hosts: without_blanks(self.hosts, |Entry(host)| host.is_none()), ..self }
    }

    /// These settings, and where they leave something open, those.
    pub(super) fn or(self, other: Self) -> Self {
        Self {
            hosts: self.hosts.or(other.hosts),
            layer: self.layer.or(other.layer),
            prefix: self.prefix.or(other.prefix),
            group: self.group.or(other.group),
            message_type: self.message_type.or(other.message_type),
            unnamed: self.unnamed.or(other.unnamed),
            capacity: self.capacity.or(other.capacity),
            expiry: self.expiry.or(other.expiry),
            group_expiry: self.group_expiry.or(other.group_expiry),
        }
    }

    /// Puts together what they say; nothing said, there is no bridge.
    pub(super) fn resolve(&self) -> Result<Option<BridgeConfig>, ServerError> {
        let hosts: Vec<RedisUrl> =
            self.hosts.iter().flatten().filter_map(|Entry(host)| host.clone()).collect();
        if hosts.is_empty() {
            return if self.say_anything() { Err(ServerError::MissingChannelsHosts) } else { Ok(None) };
        }
        let given = self.clone();
        let mut config = BridgeConfig::new(hosts);
        config.layer = given.layer.unwrap_or(config.layer);
        config.prefix = given.prefix.unwrap_or(config.prefix);
        config.groups = given.group.unwrap_or(config.groups);
        config.message_type = given.message_type.unwrap_or(config.message_type);
        config.unnamed = given.unnamed.unwrap_or(config.unnamed);
        config.capacity = given.capacity.unwrap_or(config.capacity);
        config.expiry = given.expiry.map_or(config.expiry, |Span(span)| span);
        config.group_expiry = given.group_expiry.map_or(config.group_expiry, |Span(span)| span);
        Ok(Some(config))
    }

    const fn say_anything(&self) -> bool {
        self.layer.is_some()
            || self.prefix.is_some()
            || self.group.is_some()
            || self.message_type.is_some()
            || self.unnamed.is_some()
            || self.capacity.is_some()
            || self.expiry.is_some()
            || self.group_expiry.is_some()
    }
}
