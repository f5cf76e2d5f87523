//! What is posted here goes to Django.

use std::sync::Arc;
use std::time::Duration;

use chat_core::storage::Room;
use chat_core::{RelayOutlet, Relayed, Storage};
use futures::FutureExt;
use futures::future::OptionFuture;
use redis::RedisResult;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use super::hosts::{Connections, Hosts};
use super::layer::{Layer, Outgoing};
use crate::backoff::Backoff;
use crate::metrics::{Dropped, Drops};

/// Most messages that are sent together.
const BATCH: usize = 256;

/// How long to wait until it is asked again which rooms there are, where the database did not say.
const REJOIN_AFTER: Duration = Duration::from_secs(2);

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
    /// When to look for more such rooms, where there may be some.
    rejoin_at: Option<Instant>,
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
            let rejoining = OptionFuture::from(self.pending.rejoin_at.map(sleep_until));
            tokio::select! {
                heard = self.hear() => if heard == Heard::TheEnd { return Ok(()) },
                Some(()) = rejoining => {}
            }
        }
    }

    async fn send(&mut self, connections: &mut Connections) -> RedisResult<()> {
        if self.pending.rejoin_at.is_some_and(|at| at <= Instant::now()) {
            match self.storage.rooms().await {
                Ok(rooms) => {
                    self.pending.rooms = rooms;
                    self.pending.rejoin_at = None;
                }
                Err(error) => {
                    self.pending.rejoin_at = Some(Instant::now() + REJOIN_AFTER);
                    tracing::warn!(error = &error as &dyn std::error::Error, "groups are not joined");
                }
            }
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
                self.pending.rejoin_at = Some(Instant::now());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use async_trait::async_trait;
    use chat_core::memory::{LocalChannelLayer, MemoryStorage};
    use chat_core::{ChatService, ServiceConfig};
    use parking_lot::Mutex;
    use tokio::time::timeout;

    use super::*;
    use crate::SystemClock;
    use crate::django_channels::config::BridgeConfig;
    use crate::django_channels::intake::Intake;
    use crate::django_channels::lease::Lease;
    use crate::storage::{ServerStorage, SqliteStorage};

    /// Takes note of how many groups are joined each time.
    #[derive(Debug, Default)]
    struct Joined(Mutex<Vec<usize>>);

    #[async_trait]
    impl Layer for Joined {
        async fn join(&self, _: &mut Connections, rooms: &[Room]) -> RedisResult<()> {
            self.0.lock().push(rooms.len());
            Ok(())
        }

        async fn send(&self, _: &mut Connections, _: &[Outgoing]) -> RedisResult<()> {
            Ok(())
        }

        async fn receive(&self, _: &Lease, _: &Intake, _: &CancellationToken) -> RedisResult<()> {
            Ok(())
        }
    }

    #[tokio::test]
    async fn rooms_that_the_database_does_not_tell_are_asked_for_again() {
        let folder = tempfile::tempdir().unwrap();
        let away = SqliteStorage::open(&folder.path().join("chat.db")).await.unwrap();
        away.close().await;
        let (service, _driver) = ChatService::new(
            MemoryStorage::new(),
            LocalChannelLayer::new(),
            SystemClock,
            ServiceConfig::default(),
        );
        let layer = Arc::new(Joined::default());
        let joining = Arc::clone(&layer);
        let mut sender = Sender {
            hosts: Hosts::new(&[]),
            layer: joining,
            storage: Arc::new(away),
            outlet: service.relay(1).1,
            drops: BridgeConfig::new(Vec::new()).metrics.bridge(),
            pending: Pending { rejoin_at: Some(Instant::now()), ..Pending::default() },
        };
        tokio::time::pause();
        assert!(timeout(3 * REJOIN_AFTER, sender.serve(&mut Backoff::new())).await.is_err());
        assert!(layer.0.lock().len() > 2 && layer.0.lock().iter().all(|rooms| *rooms == 0));

        service.storage().ensure_room(&"hall".parse().unwrap()).await.unwrap();
        sender.storage = Arc::clone(service.storage());
        assert!(timeout(3 * REJOIN_AFTER, sender.serve(&mut Backoff::new())).await.is_err());
        assert_eq!(layer.0.lock().last(), Some(&1));
    }
}
