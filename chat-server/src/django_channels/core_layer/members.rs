//! Keeps the bridge a member of the groups of all rooms.

use std::convert::Infallible;
use std::time::Duration;

use chat_core::{Storage, StorageError};
use redis::{RedisError, RedisResult, cmd};
use thiserror::Error;
use tokio::time::{Instant, sleep};

use super::CoreLayer;
use crate::backoff::Backoff;
use crate::django_channels::hosts::Connections;
use crate::django_channels::layer::Layer;
use crate::django_channels::random_name;

/// Groups are joined again so many times in the span after which one is no member any more.
const JOINED_PER_SPAN: u32 = 24;

/// How often to look whether all servers still know.
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
        let mut backoff = Backoff::new();
        loop {
            let Err(error) = self.join_all(storage, &mut backoff).await;
            tracing::warn!(error = &error as &dyn std::error::Error, "groups are not joined");
            backoff.wait().await;
        }
    }

    async fn join_all(&self, storage: &dyn Storage, backoff: &mut Backoff) -> Result<Infallible, NotJoined> {
        let mut connections = self.hosts.connect().await?;
        loop {
            // First, so that a server that loses what it knows meanwhile does not keep it.
            let mark = random_name();
            self.set_mark(&mut connections, &mark).await?;
            self.join(&mut connections, &storage.rooms().await?).await?;
            backoff.reset();
            let joined = Instant::now();
            while joined.elapsed() < self.group_expiry / JOINED_PER_SPAN
                && self.has_mark(&mut connections, &mark).await?
            {
                sleep(LOOK_EVERY).await;
            }
        }
    }

    async fn set_mark(&self, connections: &mut Connections, mark: &str) -> RedisResult<()> {
        let mut set = cmd("SET");
        set.arg(self.names.mark_key()).arg(mark).arg("EX").arg(self.group_expiry.as_secs().max(1));
        for shard in 0..connections.len() {
            set.exec_async(connections.get(shard)?).await?;
        }
        Ok(())
    }

    /// Whether all servers have it.
    async fn has_mark(&self, connections: &mut Connections, mark: &str) -> RedisResult<bool> {
        let mut get = cmd("GET");
        get.arg(self.names.mark_key());
        for shard in 0..connections.len() {
            let found: Option<String> = get.query_async(connections.get(shard)?).await?;
            if found.as_deref() != Some(mark) {
                return Ok(false);
            }
        }
        Ok(true)
    }
}
