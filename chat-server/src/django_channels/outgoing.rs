//! What is posted here goes to Django.

use std::sync::Arc;

use chat_core::storage::Room;
use chat_core::{RelayOutlet, Relayed, Storage};
use futures::FutureExt;
use redis::RedisResult;
use tokio_util::sync::CancellationToken;

use super::hosts::{Connections, Hosts};
use super::layer::{Layer, Outgoing};
use crate::backoff::Backoff;
use crate::metrics::{Dropped, Drops};

/// Most messages that are sent together.
const BATCH: usize = 256;

/// Sends to Django, and comes back when the connection breaks. Meanwhile the outlet keeps what it can.
#[derive(Debug)]
pub(super) struct Sender {
    pub(super) hosts: Hosts,
    pub(super) layer: Arc<dyn Layer>,
    pub(super) storage: Arc<dyn Storage>,
    pub(super) outlet: RelayOutlet,
    pub(super) drops: Drops,
    /// What was taken out of the outlet, and is not known to be sent.
    pub(super) pending: Pending,
}

#[derive(Debug, Default)]
pub(super) struct Pending {
    messages: Vec<Outgoing>,
    /// Rooms that somebody has come into.
    rooms: Vec<Room>,
    /// Whether there may be more such rooms.
    rejoin: bool,
}

/// What there is to hear.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Heard {
    Something,
    TheEnd,
}

impl Sender {
    /// Sends until the service is closed and everything is sent, or cannot be sent once the server stops.
    pub(super) async fn run(mut self, stopping: CancellationToken) {
        let mut backoff = Backoff::new();
        while let Err(error) = self.serve(&mut backoff).await {
            tracing::warn!(error = &error as &dyn std::error::Error, "messages to Django wait");
            if stopping.is_cancelled() {
                return;
            }
            tokio::select! {
                () = backoff.wait() => {}
                () = stopping.cancelled() => {}
            }
        }
    }

    /// Sends until everything is sent, or that fails.
    async fn serve(&mut self, backoff: &mut Backoff) -> RedisResult<()> {
        let mut connections = self.hosts.connect().await?;
        loop {
            self.send(&mut connections).await?;
            backoff.reset();
            if self.hear().await == Heard::TheEnd {
                return Ok(());
            }
        }
    }

    async fn send(&mut self, connections: &mut Connections) -> RedisResult<()> {
        if self.pending.rejoin {
            match self.storage.rooms().await {
                Ok(rooms) => self.pending.rooms = rooms,
                Err(error) => {
                    tracing::warn!(error = &error as &dyn std::error::Error, "groups are not joined");
                }
            }
            self.pending.rejoin = false;
        }
        self.layer.join(connections, &self.pending.rooms).await?;
        self.pending.rooms.clear();
        if !self.pending.messages.is_empty() {
            self.layer.send(connections, &self.pending.messages).await?;
            self.pending.messages.clear();
        }
        Ok(())
    }

    /// Waits for something to send, and takes what there is.
    async fn hear(&mut self) -> Heard {
        let Some(relayed) = self.outlet.next().await else { return Heard::TheEnd };
        self.take(relayed);
        while self.pending.messages.len() < BATCH
            && let Some(Some(relayed)) = self.outlet.next().now_or_never()
        {
            self.take(relayed);
        }
        Heard::Something
    }

    fn take(&mut self, relayed: Relayed) {
        match relayed {
            Relayed::MessagePosted { room, message } => {
                self.pending.messages.push(Outgoing { room, message });
            }
            Relayed::RoomInUse(room) => self.pending.rooms.push(room),
            Relayed::Missed(count) => {
                tracing::warn!(
                    count,
                    "Django is not told of so many messages and rooms: they came while it could not be"
                );
                self.drops.count(Dropped::Unsent, count);
                self.pending.rejoin = true;
            }
        }
    }
}
