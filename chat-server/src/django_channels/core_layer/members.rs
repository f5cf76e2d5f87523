//! Keeps the bridge a member of the groups of all rooms.

use std::convert::Infallible;
use std::time::Duration;

use chat_core::storage::Room;
use chat_core::{Storage, StorageError};
use futures::future::{join_all, pending};
use redis::aio::MultiplexedConnection;
use redis::{Pipeline, RedisError, RedisResult, cmd, pipe};
use thiserror::Error;
use tokio::time::{Instant, sleep};

use super::{CoreLayer, outbox};
use crate::backoff::Backoff;
use crate::django_channels::hosts::shard;
use crate::django_channels::random_name;

/// Groups are joined again so many times in the span after which one is no member any more.
const JOINED_PER_SPAN: u32 = 24;

/// Rooms whose groups are joined together.
pub(super) const ROOMS_AT_ONCE: usize = 500;

/// How often to look whether a server still knows.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// Why groups could not be joined.
#[derive(Debug, Error)]
enum NotJoined {
    #[error("the rooms are not known")]
    Rooms(#[from] StorageError),
    #[error("Redis does not do as it is told")]
    Groups(#[from] RedisError),
}

impl CoreLayer {
    /// Joins the groups of all rooms, again before that is forgotten, and where a server has lost what it knew. Django
    /// would send to nobody otherwise, and nobody would know.
    pub(super) async fn stay_member(&self, storage: &dyn Storage) -> Infallible {
        // None waits for another one, which may be away.
        join_all((0..self.hosts.len()).map(|shard| self.stay_member_on(shard, storage))).await;
        pending().await
    }

    /// What joins groups, for each of so many servers.
    pub(super) fn joins(&self, rooms: &[Room], shards: usize) -> Vec<Pipeline> {
        let now = outbox::seconds(outbox::now());
        let mut pipes = vec![pipe(); shards];
        for room in rooms {
            let Some(group) = self.names.group(&room.name) else { continue };
            let Some(pipe) = pipes.get_mut(shard(&group, shards)) else { continue };
            let key = self.names.group_key(&group);
            pipe.cmd("ZADD").arg(&key).arg(&now).arg(self.names.channel(room.id)).ignore();
            pipe.cmd("EXPIRE").arg(&key).arg(self.group_expiry.as_secs()).ignore();
        }
        pipes
    }

    async fn stay_member_on(&self, shard: usize, storage: &dyn Storage) -> Infallible {
        let mut backoff = Backoff::new();
        loop {
            let Err(error) = self.join_all_on(shard, storage, &mut backoff).await;
            tracing::warn!(error = &error as &dyn std::error::Error, "groups are not joined");
            backoff.wait().await;
        }
    }

    async fn join_all_on(
        &self,
        shard: usize,
        storage: &dyn Storage,
        backoff: &mut Backoff,
    ) -> Result<Infallible, NotJoined> {
        let mut connection = self.hosts.connect_to(shard).await?;
        loop {
            // First, so that a server that loses what it knows meanwhile does not keep it.
            let mark = random_name();
            self.set_mark(&mut connection, &mark).await?;
            for rooms in storage.rooms().await?.chunks(ROOMS_AT_ONCE) {
                let pipes = self.joins(rooms, self.hosts.len());
                if let Some(pipe) = pipes.get(shard).filter(|pipe| !pipe.is_empty()) {
                    pipe.exec_async(&mut connection).await?;
                }
            }
            backoff.reset();
            self.until_to_be_repeated(&mut connection, &mark).await?;
        }
    }

    async fn until_to_be_repeated(
        &self,
        connection: &mut MultiplexedConnection,
        mark: &str,
    ) -> RedisResult<()> {
        let joined = Instant::now();
        loop {
            sleep(LOOK_EVERY).await;
            let found: Option<String> = cmd("GET").arg(self.names.mark_key()).query_async(connection).await?;
            if found.as_deref() != Some(mark) || joined.elapsed() >= self.group_expiry / JOINED_PER_SPAN {
                return Ok(());
            }
        }
    }

    async fn set_mark(&self, connection: &mut MultiplexedConnection, mark: &str) -> RedisResult<()> {
        let lasting = self.group_expiry.as_secs().max(1);
        cmd("SET").arg(self.names.mark_key()).arg(mark).arg("EX").arg(lasting).exec_async(connection).await
    }
}
