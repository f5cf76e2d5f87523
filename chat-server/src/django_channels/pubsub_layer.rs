//! `RedisPubSubChannelLayer`: a group is a channel of Redis, and nothing is kept.

use std::convert::Infallible;
use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use chat_core::storage::Room;
use futures::StreamExt;
use futures::future::{join_all, pending};
use redis::{Client, Msg, RedisResult, pipe};
use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TrySendError;
use tokio_util::sync::CancellationToken;

use super::config::BridgeConfig;
use super::event::Posted;
use super::group::GroupPattern;
use super::hosts::{Connections, Hosts};
use super::intake::{Arrived, Intake, RoomKey};
use super::layer::{Layer, Outgoing};
use super::lease::Lease;
use crate::backoff::Backoff;
use crate::metrics::{Dropped, Drops};
use crate::redis_link::{self, closed, in_time, ping};

/// Most messages that wait to be taken in; past it they are dropped, as Redis itself does with who reads too slowly.
const QUEUED: usize = 4096;

/// Most messages that are taken in together.
const BATCH: usize = 256;

#[derive(Debug)]
pub(super) struct PubSubLayer {
    hosts: Hosts,
    prefix: String,
    groups: GroupPattern,
    message_type: String,
    name: String,
    drops: Drops,
}

impl PubSubLayer {
    pub(super) fn new(config: &BridgeConfig) -> Self {
        Self {
            hosts: Hosts::new(&config.hosts),
            prefix: format!("{}__group__", config.prefix),
            groups: config.groups.clone(),
            message_type: config.message_type.clone(),
            name: config.name.clone(),
            drops: config.metrics.bridge(),
        }
    }

    /// The channels of all groups that belong to rooms, as Redis takes patterns.
    fn pattern(&self) -> String {
        let (before, after) = self.groups.around();
        format!("{}{}*{}", literal(&self.prefix), literal(before), literal(after))
    }

    fn arrived(&self, message: &Msg) -> Option<Arrived> {
        let channel = str::from_utf8(message.get_channel_name().as_bytes()).ok()?;
        let room = self.groups.room(channel.strip_prefix(&self.prefix)?)?;
        Some(Arrived { room: RoomKey::Name(room), bytes: message.get_payload_bytes().to_vec() })
    }

    /// Keeps what a server publishes until it can be taken in, and comes back when that server is lost: nothing is said
    /// meanwhile of the others.
    async fn listen(&self, server: &Client, lease: &Lease, queue: &Queue) -> Infallible {
        let mut backoff = Backoff::new();
        loop {
            let Err(error) = self.collect(server, lease, queue, &mut backoff).await;
            tracing::warn!(error = &error as &dyn std::error::Error, "what Django publishes is not heard");
            backoff.wait().await;
        }
    }

    /// Keeps what a server publishes, until it is lost.
    async fn collect(
        &self,
        server: &Client,
        lease: &Lease,
        queue: &Queue,
        backoff: &mut Backoff,
    ) -> RedisResult<Infallible> {
        let (mut sink, mut published) = redis_link::listen(server).await?.split();
        in_time(sink.psubscribe(self.pattern())).await?;
        backoff.reset();
        let mut lost = pin!(ping(sink));
        loop {
            let message = tokio::select! {
                message = published.next() => message.ok_or_else(closed)?,
                error = &mut lost => return Err(error),
            };
            // Once it is lost, another node takes in.
            if let Some(arrived) = self.arrived(&message)
                && lease.is_held()
            {
                self.keep(queue, arrived);
            }
        }
    }

    fn keep(&self, queue: &Queue, arrived: Arrived) {
        if let Err(TrySendError::Full(_)) = queue.arrived.try_send(arrived) {
            self.drops.count(Dropped::Unheard, 1);
            let dropped = queue.dropped.fetch_add(1, Ordering::Relaxed) + 1;
            if dropped.is_power_of_two() {
                tracing::warn!(dropped, "messages from Django come faster than they can be stored");
            }
        }
    }
}

/// What is to be taken in.
#[derive(Debug)]
struct Queue {
    arrived: mpsc::Sender<Arrived>,
    /// How many messages did not fit.
    dropped: AtomicU64,
}

/// A text that stands for itself in a pattern of Redis.
fn literal(text: &str) -> String {
    let mut literal = String::new();
    for character in text.chars() {
        if matches!(character, '*' | '?' | '[' | ']' | '\\' | '^') {
            literal.push('\\');
        }
        literal.push(character);
    }
    literal
}

#[async_trait]
impl Layer for PubSubLayer {
    async fn join(&self, _: &mut Connections, _: &[Room]) -> RedisResult<()> {
        Ok(())
    }

    async fn send(&self, connections: &mut Connections, messages: &[Outgoing]) -> RedisResult<()> {
        let mut pipes = vec![pipe(); connections.len()];
        for Outgoing { room, message } in messages {
            let posted = Posted { kind: &self.message_type, room, message, sent_by: &self.name };
            let channel = format!("{}{}", self.prefix, self.groups.group(&room.name));
            if let Some(pipe) = pipes.get_mut(connections.shard(&channel)) {
                pipe.cmd("PUBLISH").arg(channel).arg(posted.encode(&[], Vec::new())).ignore();
            }
        }
        for (shard, pipe) in pipes.iter().enumerate().filter(|(_, pipe)| !pipe.is_empty()) {
            pipe.exec_async(connections.get(shard)?).await?;
        }
        Ok(())
    }

    async fn receive(&self, lease: &Lease, intake: &Intake, stopping: &CancellationToken) -> RedisResult<()> {
        let (arrived, mut queued) = mpsc::channel(QUEUED);
        let collect = async {
            let queue = Queue { arrived, dropped: AtomicU64::new(0) };
            let mut servers = self.hosts.iter();
            // The lease is on the first one. Where that is lost, so may be the lease, and another node takes in already.
            let first = servers.next().ok_or_else(closed)?;
            let others = async {
                join_all(servers.map(|server| self.listen(server, lease, &queue))).await;
                pending::<Infallible>().await
            };
            let mut backoff = Backoff::new();
            tokio::select! {
                lost = self.collect(first, lease, &queue, &mut backoff) => lost.map(|never| match never {}),
                never = others => match never {},
                () = lease.lost() => Ok(()),
                () = stopping.cancelled() => Ok(()),
            }
        };
        let take = async {
            let mut batch = Vec::new();
            while queued.recv_many(&mut batch, BATCH).await > 0 {
                intake.take(&batch).await;
                batch.clear();
            }
        };
        let (collected, ()) = futures::join!(collect, take);
        collected
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pattern_takes_what_it_must() {
        let mut config = BridgeConfig::new(Vec::new());
        assert_eq!(PubSubLayer::new(&config).pattern(), "asgi__group__chat_*");
        config.prefix = "a*b".to_owned();
        config.groups = "x[{room}]".parse().unwrap();
        assert_eq!(PubSubLayer::new(&config).pattern(), r"a\*b__group__x\[*\]");
    }
}
