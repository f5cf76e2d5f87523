//! `RedisPubSubChannelLayer`: a group is a channel of Redis, and nothing is kept.

use async_trait::async_trait;
use chat_core::storage::Room;
use futures::stream::{self, FuturesUnordered, select_all};
use futures::{Stream, StreamExt};
use redis::{Msg, RedisResult, pipe};
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
use crate::metrics::{Dropped, Drops};
use crate::redis_link::{closed, in_time, ping};

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

    /// Keeps what is published until it can be taken in, as long as the lease is held: from then on another node does.
    /// Returns also when one of the servers is lost.
    async fn collect(
        &self,
        mut published: impl Stream<Item = Option<Msg>> + Unpin,
        lease: &Lease,
        queue: mpsc::Sender<Arrived>,
    ) {
        let mut dropped = 0_u64;
        while let Some(Some(message)) = published.next().await {
            if !lease.is_held() {
                return;
            }
            let Some(arrived) = self.arrived(&message) else { continue };
            match queue.try_send(arrived) {
                Ok(()) => {}
                Err(TrySendError::Closed(_)) => return,
                Err(TrySendError::Full(_)) => {
                    dropped += 1;
                    self.drops.count(Dropped::Unheard, 1);
                    if dropped.is_power_of_two() {
                        tracing::warn!(dropped, "messages from Django come faster than they can be stored");
                    }
                }
            }
        }
    }
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
        let (mut streams, mut pings) = (Vec::new(), FuturesUnordered::new());
        for listening in self.hosts.listen().await? {
            let (mut sink, published) = listening.split();
            in_time(sink.psubscribe(self.pattern())).await?;
            // The others would go on without one that ends, and nobody would know.
            streams.push(published.map(Some).chain(stream::iter([None])));
            pings.push(ping(sink));
        }
        let (queue, mut queued) = mpsc::channel(QUEUED);
        let collect = async {
            tokio::select! {
                () = self.collect(select_all(streams), lease, queue) => {}
                _ = pings.next() => {}
                () = lease.lost() => {}
                () = stopping.cancelled() => {}
            }
        };
        let take = async {
            let mut batch = Vec::new();
            while queued.recv_many(&mut batch, BATCH).await > 0 {
                intake.take(&batch).await;
                batch.clear();
            }
        };
        futures::join!(collect, take);
        if lease.is_held() && !stopping.is_cancelled() {
            return Err(closed());
        }
        Ok(())
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
