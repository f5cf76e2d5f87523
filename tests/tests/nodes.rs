//! Servers on one database, which talk over Redis.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "helpers of tests fail as tests do"
)]

#[path = "nodes/conversation.rs"]
mod conversation;
#[path = "nodes/cost.rs"]
mod cost;
#[path = "nodes/sessions.rs"]
mod sessions;
#[path = "nodes/tls.rs"]
mod tls;
#[path = "nodes/trouble.rs"]
mod trouble;

use std::time::Duration;

use chat_server::channel_layer::RedisOptions;
use chat_server::storage::{PostgresOptions, PostgresStorage};
use chat_server::{Config, Database};
use chat_tests::postgres::Postgres;
use chat_tests::redis::Redis;
use chat_tests::server::TestServer;
use futures::future::join_all;
use serde_json::{Value, json};

/// What servers of a cluster share.
struct Shared {
    database: String,
    redis: String,
    prefix: String,
}

impl Shared {
    /// A database of its own, and channels of its own on the Redis of all tests.
    fn new() -> Self {
        let redis = Redis::shared();
        Self::by(&redis.url(), &redis.fresh_prefix())
    }

    /// A database of its own, and, by this URL, a Redis.
    fn by(redis: &str, prefix: &str) -> Self {
        let postgres = Postgres::shared();
        let database = postgres.url_of(&postgres.fresh_database());
        Self { database, redis: redis.to_owned(), prefix: prefix.to_owned() }
    }

    /// A server, with other settings as `set` makes them.
    async fn node(&self, set: impl FnOnce(&mut Config)) -> TestServer {
        let mut redis = RedisOptions::new(self.redis.parse().unwrap());
        redis.prefix.clone_from(&self.prefix);
        let database: Database = self.database.parse().unwrap();
        TestServer::start_with(|config| {
            config.database = database;
            config.channel_layer = Some(redis);
            config.service.rooms_checked_every = Duration::from_millis(200);
            set(config);
        })
        .await
    }

    async fn nodes<const COUNT: usize>(&self) -> [TestServer; COUNT] {
        join_all((0..COUNT).map(|_| self.node(|_| {}))).await.try_into().unwrap()
    }

    /// The database, as another process sees it.
    async fn storage(&self) -> PostgresStorage {
        PostgresStorage::open(&PostgresOptions::new(self.database.parse().unwrap())).await.unwrap()
    }
}

fn chat(text: &str) -> Value {
    json!({"type": "chat_message", "message": text})
}

fn is_message(frame: &Value) -> bool {
    frame["type"] == "chat_message"
}
