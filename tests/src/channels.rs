//! A real Django project that chats over Channels, with `channels_redis`.
//!
//! Needs what [`django`](crate::django) needs.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use chat_server::django_channels::{BridgeConfig, LayerKind};
use futures::future::join_all;
use http::StatusCode;
use redis::{Client, FromRedisValue, cmd};
use serde_json::Value;
use tokio::time::timeout;

use crate::PATIENCE;
use crate::django::{SiteServer, install};
use crate::http::Visitor;
use crate::redis::Redis;
use crate::server::TestServer;
use crate::socket::Socket;

/// The prefix of the layers.
pub const PREFIX: &str = "site";

/// Which figure of the chat server counts the messages in this direction that were dropped for this reason.
#[must_use]
pub fn dropped(direction: &str, reason: &str) -> String {
    format!(r#"chat_django_channels_dropped_total{{direction="{direction}",reason="{reason}"}}"#)
}

/// A running project. Dropped, it ends.
#[derive(Debug)]
pub struct Project(SiteServer);

impl Project {
    /// Starts a project with the layer of this `BACKEND`, in a Redis, with this prefix. What it needs is installed into
    /// `scratch`, once.
    pub async fn start(scratch: &Path, backend: &str, redis: &str, prefix: &str) -> Self {
        let python = install(scratch);
        let settings = BTreeMap::from([
            ("SITE_LAYER", backend.to_owned()),
            ("SITE_REDIS", redis.to_owned()),
            ("SITE_PREFIX", prefix.to_owned()),
        ]);
        Self(SiteServer::start(&python, "channels", &settings).await)
    }

    /// Opens a socket to one of its consumers; once this returns, it is in its group.
    pub async fn connect(&self, path: &str) -> Socket {
        Socket::open(&format!("ws://{}{path}", self.0.address)).await
    }

    /// Has its view send events to the group of a room.
    pub async fn say(&self, room: &str, events: &Value) {
        let mut visitor = Visitor::new(self.0.address);
        let answer = visitor.send_json("POST", &format!("/say/{room}/"), events).await;
        assert_eq!(answer.status, StatusCode::NO_CONTENT, "{answer:?}");
    }
}

/// A channel layer of `channels_redis`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Backend {
    /// `RedisChannelLayer`.
    Core,
    /// `RedisPubSubChannelLayer`.
    PubSub,
}

impl Backend {
    const fn class(self) -> &'static str {
        match self {
            Self::Core => "channels_redis.core.RedisChannelLayer",
            Self::PubSub => "channels_redis.pubsub.RedisPubSubChannelLayer",
        }
    }

    const fn kind(self) -> LayerKind {
        match self {
            Self::Core => LayerKind::Core,
            Self::PubSub => LayerKind::PubSub,
        }
    }
}

/// What receives for the chat server: one inbox for all nodes, or the connection of one that has subscribed.
#[derive(Debug, PartialEq, Eq)]
pub enum Receiver {
    /// The inbox that all nodes share.
    Inbox,
    /// A connection, by its id in Redis.
    Connection(String),
}

/// A deployment: a Redis or several, and a project on them.
#[derive(Debug)]
pub struct Deployment {
    /// The layer of the project.
    pub backend: Backend,
    /// The project.
    pub project: Project,
    /// The Redis, the first of them.
    pub redis: Redis,
    /// Further ones, which share with it.
    others: Vec<Redis>,
    scratch: PathBuf,
}

impl Deployment {
    /// Starts one. What it needs is installed into `scratch`, once.
    pub async fn start(scratch: &Path, backend: Backend) -> Self {
        Self::start_on(scratch, backend, 1).await
    }

    /// As [`start`](Self::start), with so many Redis servers.
    pub async fn start_on(scratch: &Path, backend: Backend, servers: usize) -> Self {
        let redis = Redis::start();
        let others: Vec<Redis> = (1..servers).map(|_| Redis::start()).collect();
        let urls = urls(&redis, &others).join(" ");
        let project = Project::start(scratch, backend.class(), &urls, PREFIX).await;
        Self { backend, redis, others, project, scratch: scratch.to_owned() }
    }

    /// The URLs of all Redis servers.
    #[must_use]
    pub fn urls(&self) -> Vec<String> {
        urls(&self.redis, &self.others)
    }

    /// Starts the project anew.
    pub async fn restart_project(&mut self) {
        let urls = self.urls().join(" ");
        self.project = Project::start(&self.scratch, self.backend.class(), &urls, PREFIX).await;
    }

    /// How the chat server takes part in it.
    #[must_use]
    pub fn bridge(&self) -> BridgeConfig {
        let urls = self.urls().into_iter().map(|url| url.parse().expect("a URL"));
        let mut config = BridgeConfig::new(urls.collect());
        config.layer = self.backend.kind();
        PREFIX.clone_into(&mut config.prefix);
        config
    }

    /// A chat server that takes part in it, with a database in memory.
    pub async fn server(&self) -> TestServer {
        TestServer::start_with(|config| config.django_channels = Some(self.bridge())).await
    }

    /// Waits until what Django sends to the group of a room reaches the chat server.
    pub async fn joined(&self, room: &str) -> Receiver {
        self.joined_after(room, None).await
    }

    /// As [`joined`](Self::joined), when another node is to take in what one did before.
    pub async fn joined_after(&self, room: &str, before: Option<&Receiver>) -> Receiver {
        let joined = async {
            loop {
                match self.receiver(room).await {
                    Some(Receiver::Connection(id)) if before == Some(&Receiver::Connection(id.clone())) => {}
                    Some(receiver) => return receiver,
                    None => {}
                }
                tokio::task::yield_now().await;
            }
        };
        timeout(PATIENCE, joined).await.expect("the chat server joins")
    }

    async fn receiver(&self, room: &str) -> Option<Receiver> {
        match self.backend {
            Backend::Core => {
                let ask = ["ZCARD", &format!("{PREFIX}:group:chat_{room}")];
                let members: Vec<u32> = self.ask_all(&ask).await;
                members.iter().any(|members| *members > 0).then_some(Receiver::Inbox)
            }
            Backend::PubSub => {
                let clients: Vec<String> = self.ask_all(&["CLIENT", "LIST", "TYPE", "pubsub"]).await;
                let listen =
                    clients.iter().map(|clients| clients.lines().find(|line| line.contains(" psub=1 ")));
                let listen: Option<Vec<&str>> = listen.collect();
                let id = listen?.first()?.split(' ').next()?;
                Some(Receiver::Connection(id.to_owned()))
            }
        }
    }

    /// Gives Redis a command, and its answer.
    pub async fn ask<T: FromRedisValue>(&self, command: &[&str]) -> T {
        ask(&self.redis.url(), command).await
    }

    /// The second Redis, where there are several.
    #[must_use]
    pub fn second(&self) -> &Redis {
        self.others.first().expect("there are several")
    }

    /// Gives the second Redis a command, and its answer.
    pub async fn ask_second<T: FromRedisValue>(&self, command: &[&str]) -> T {
        ask(&self.second().url(), command).await
    }

    /// Gives every Redis a command, and their answers.
    pub async fn ask_all<T: FromRedisValue>(&self, command: &[&str]) -> Vec<T> {
        join_all(self.urls().iter().map(|url| ask(url, command))).await
    }
}

fn urls(redis: &Redis, others: &[Redis]) -> Vec<String> {
    [redis].into_iter().chain(others).map(Redis::url).collect()
}

async fn ask<T: FromRedisValue>(url: &str, command: &[&str]) -> T {
    let [name, arguments @ ..] = command else { panic!("a command has a name") };
    let client = Client::open(url).expect("a URL");
    let mut connection = client.get_multiplexed_async_connection().await.expect("Redis is there");
    cmd(name).arg(arguments).query_async(&mut connection).await.expect("Redis answers")
}
