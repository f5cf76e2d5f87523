//! `RedisChannelLayer`: a group is a set of channels, and every process has an inbox that messages wait in.
//!
//! All nodes are one process to Django: they share an inbox, and in the group of each room a channel that tells the room,
//! because messages do not tell their group. So nothing is lost while one node takes over from another.

mod members;
mod names;
mod outbox;

use std::time::Duration;

use async_trait::async_trait;
use chat_core::storage::Room;
use parking_lot::Mutex;
use redis::aio::MultiplexedConnection;
use redis::{RedisResult, cmd, pipe};
use tokio_util::sync::CancellationToken;

use super::config::BridgeConfig;
use super::event::{Event, MAX_BYTES};
use super::hosts::{Connections, Hosts};
use super::intake::{Arrived, Intake, RoomKey};
use super::layer::{Layer, Outgoing};
use super::lease::Lease;
use crate::metrics::{Dropped, Drops};
use members::ROOMS_AT_ONCE;
use names::Names;

/// Random bytes before every message, so that no two are the same.
pub(super) const SALT_LENGTH: usize = 12;

/// How long to wait for a message before looking whether there is something else to do.
const WAITING: Duration = Duration::from_secs(1);

/// Most messages that are taken out together, after the first.
const BATCH: usize = 99;

/// A message of an inbox, and its score.
type Scored = (Vec<u8>, Vec<u8>);

#[derive(Debug)]
pub(super) struct CoreLayer {
    hosts: Hosts,
    names: Names,
    message_type: String,
    name: String,
    capacity: u32,
    expiry: Duration,
    group_expiry: Duration,
    drops: Drops,
    /// The time that the last message was sent under.
    last_time: Mutex<i64>,
}

impl CoreLayer {
    pub(super) fn new(config: &BridgeConfig) -> Self {
        Self {
            hosts: Hosts::new(&config.hosts),
            names: Names::new(config),
            message_type: config.message_type.clone(),
            name: config.name.clone(),
            capacity: config.capacity,
            expiry: config.expiry,
            group_expiry: config.group_expiry,
            drops: config.metrics.bridge(),
            last_time: Mutex::default(),
        }
    }

    /// Takes messages out of the inbox, and in here; waits for a while where there are none.
    async fn receive_some(&self, connection: &mut MultiplexedConnection, intake: &Intake) -> RedisResult<()> {
        let inbox = self.names.inbox_key();
        let mut wait = cmd("BZPOPMIN");
        wait.arg(inbox).arg(WAITING.as_secs());
        let first: Option<(Vec<u8>, Vec<u8>, Vec<u8>)> = wait.query_async(connection).await?;
        let Some((_, first, _)) = first else { return Ok(()) };
        let mut arrived = self.arrived(&first);
        let mut rest = pipe();
        rest.cmd("ZCARD").arg(inbox).cmd("ZPOPMIN").arg(inbox).arg(BATCH);
        let more: RedisResult<(u32, Vec<Scored>)> = rest.query_async(connection).await;
        if let Ok((waiting, messages)) = &more {
            self.look_at(*waiting);
            arrived.extend(messages.iter().flat_map(|(message, _)| self.arrived(message)));
        }
        // What was taken out first must not be lost for it.
        intake.take(&arrived).await;
        more.map(|_| ())
    }

    /// Counts an inbox that was full. What else Django wanted to put there, it alone knows of.
    fn look_at(&self, waiting_after_the_first: u32) {
        if waiting_after_the_first.saturating_add(1) >= self.capacity {
            self.drops.own_inbox_full();
            tracing::warn!(
                self.capacity,
                "the inbox of the bridge was full: Django may have dropped messages"
            );
        }
    }

    /// A message, for each of the rooms that it is for: as a rule one.
    fn arrived(&self, message: &[u8]) -> Vec<Arrived> {
        let Some(bytes) = message.get(SALT_LENGTH..).filter(|bytes| bytes.len() <= MAX_BYTES) else {
            tracing::warn!(bytes = message.len(), "a message from Django has no possible length");
            self.drops.count(Dropped::Unreadable, 1);
            return Vec::new();
        };
        match Event::decode(bytes) {
            Ok(event) => {
                let rooms = event.channels.into_iter().filter_map(|channel| self.names.room(channel));
                rooms.map(|room| Arrived { room: RoomKey::Id(room), bytes: bytes.to_vec() }).collect()
            }
            Err(error) => {
                tracing::warn!(%error, "what comes from Django cannot be read");
                self.drops.count(Dropped::Unreadable, 1);
                Vec::new()
            }
        }
    }
}

#[async_trait]
impl Layer for CoreLayer {
    async fn join(&self, connections: &mut Connections, rooms: &[Room]) -> RedisResult<()> {
        for rooms in rooms.chunks(ROOMS_AT_ONCE) {
            let pipes = self.joins(rooms, connections.len());
            for (shard, pipe) in pipes.iter().enumerate().filter(|(_, pipe)| !pipe.is_empty()) {
                pipe.exec_async(connections.get(shard)?).await?;
            }
        }
        Ok(())
    }

    async fn send(&self, connections: &mut Connections, messages: &[Outgoing]) -> RedisResult<()> {
        self.send_to_members(connections, messages).await
    }

    async fn receive(&self, lease: &Lease, intake: &Intake, stopping: &CancellationToken) -> RedisResult<()> {
        let mut connection = self.hosts.connect_to_wait(self.names.inbox(), WAITING).await?;
        let take_out = async {
            while lease.is_held() && !stopping.is_cancelled() {
                self.receive_some(&mut connection, intake).await?;
            }
            Ok(())
        };
        tokio::select! {
            // Never given up half-way: what is taken out of the inbox is nowhere else.
            received = take_out => received,
            never = self.stay_member(&*intake.storage) => match never {},
        }
    }
}
