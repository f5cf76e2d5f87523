//! The servers of a layer, and which of them holds what.

use std::time::Duration;

use flate2::Crc;
use redis::aio::MultiplexedConnection;
use redis::{Client, RedisError, RedisResult};

use crate::config::RedisUrl;
use crate::redis_link::{ANSWER_WITHIN, connect};

/// The slots of the ring that the servers share out.
const SLOTS: usize = 4096;

/// The servers, in the order in which the project has them.
#[derive(Debug)]
pub(super) struct Hosts(Vec<Client>);

impl Hosts {
    pub(super) fn new(urls: &[RedisUrl]) -> Self {
        Self(urls.iter().map(RedisUrl::client).collect())
    }

    /// How many there are.
    pub(super) const fn len(&self) -> usize {
        self.0.len()
    }

    /// The servers, each by itself.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Client> {
        self.0.iter()
    }

    /// A connection to the server of this number.
    pub(super) async fn connect_to(&self, shard: usize) -> RedisResult<MultiplexedConnection> {
        connect(self.0.get(shard).ok_or_else(no_host)?, ANSWER_WITHIN).await
    }

    /// A connection to every server.
    pub(super) async fn connect(&self) -> RedisResult<Connections> {
        let mut connections = Vec::new();
        for client in &self.0 {
            connections.push(connect(client, ANSWER_WITHIN).await?);
        }
        Ok(Connections(connections))
    }

    /// A connection for commands that wait so long before they answer, to the server that holds something.
    pub(super) async fn connect_to_wait(
        &self,
        name: &str,
        waiting: Duration,
    ) -> RedisResult<MultiplexedConnection> {
        let client = self.0.get(shard(name, self.0.len())).ok_or_else(no_host)?;
        connect(client, waiting + ANSWER_WITHIN).await
    }
}

/// A connection to every server.
#[derive(Debug, Clone)]
pub(super) struct Connections(Vec<MultiplexedConnection>);

impl Connections {
    /// How many there are.
    pub(super) const fn len(&self) -> usize {
        self.0.len()
    }

    /// That of a server.
    pub(super) fn get(&mut self, shard: usize) -> RedisResult<&mut MultiplexedConnection> {
        self.0.get_mut(shard).ok_or_else(no_host)
    }

    /// Which server holds something.
    pub(super) fn shard(&self, name: &str) -> usize {
        shard(name, self.len())
    }
}

/// Which of so many servers holds something, as `channels_redis` shares it out.
pub(super) fn shard(name: &str, servers: usize) -> usize {
    let mut crc = Crc::new();
    crc.update(name.as_bytes());
    let slot = usize::try_from(crc.sum()).unwrap_or_default() % SLOTS;
    slot * servers / SLOTS
}

fn no_host() -> RedisError {
    std::io::Error::from(std::io::ErrorKind::NotFound).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    #[test]
    fn servers_share_as_in_channels_redis() {
        let vectors = include_str!("../../tests/vectors/channels_redis.json");
        let vectors: Value = serde_json::from_str(vectors).unwrap();
        let shards = vectors["shards"].as_array().unwrap();
        assert!(!shards.is_empty());
        for vector in shards {
            let servers = usize::try_from(vector["ring"].as_u64().unwrap()).unwrap();
            let shard = shard(vector["name"].as_str().unwrap(), servers);
            assert_eq!(Some(shard as u64), vector["index"].as_u64(), "{vector}");
        }
    }
}
