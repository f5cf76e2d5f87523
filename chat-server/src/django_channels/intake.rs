//! What comes from Django becomes messages of rooms.

use std::collections::HashMap;
use std::sync::Arc;

use chat_core::storage::{Room, User};
use chat_core::{CommandError, ForeignMessage, RelayInlet, Storage, StorageError};
use chat_protocol::{ClientId, Limits, MessageText, RoomId, RoomName, Username};
use futures::future::join_all;
use tokio_util::sync::CancellationToken;

use super::config::BridgeConfig;
use super::event::{Event, MAX_BYTES};
use super::random_name;
use crate::backoff::Backoff;
use crate::metrics::{Dropped, Drops};

/// Something that was sent to the group of a room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Arrived {
    pub(super) room: RoomKey,
    /// Its dictionary.
    pub(super) bytes: Vec<u8>,
}

/// How a layer tells the room.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum RoomKey {
    Id(RoomId),
    Name(RoomName),
}

/// Takes in what has arrived.
#[derive(Debug)]
pub(super) struct Intake {
    pub(super) inlet: RelayInlet,
    pub(super) storage: Arc<dyn Storage>,
    pub(super) message_type: String,
    pub(super) unnamed: Username,
    pub(super) limits: Limits,
    /// The name of this bridge.
    pub(super) name: String,
    pub(super) drops: Drops,
    /// The server stops: what cannot be stored now is given up.
    pub(super) stopping: CancellationToken,
}

/// What an arrival says.
#[derive(Debug, Clone)]
struct Said {
    room: RoomKey,
    sender: Username,
    text: MessageText,
    mark: Option<ClientId>,
}

impl Intake {
    pub(super) fn new(
        inlet: RelayInlet,
        storage: Arc<dyn Storage>,
        config: &BridgeConfig,
        stopping: CancellationToken,
    ) -> Self {
        Self {
            inlet,
            storage,
            message_type: config.message_type.clone(),
            unnamed: config.unnamed.clone(),
            limits: config.limits.clone(),
            name: config.name.clone(),
            drops: config.metrics.bridge(),
            stopping,
        }
    }

    /// Has messages stored and heard, in their order. Returns when they are; waits for a database that is away.
    pub(super) async fn take(&self, arrived: &[Arrived]) {
        let mut left: Vec<Said> = arrived.iter().filter_map(|arrived| self.read(arrived)).collect();
        let mut backoff = Backoff::new();
        loop {
            left = self.post(left).await;
            if left.is_empty() {
                return;
            }
            tokio::select! {
                () = backoff.wait() => {}
                () = self.stopping.cancelled() => {
                    tracing::warn!(count = left.len(), "messages from Django are lost: the server stops");
                    self.drops.count(Dropped::Stopped, left.len() as u64);
                    return;
                }
            }
        }
    }

    /// What is said; `None` where it is not for the room, or nothing that can be said.
    fn read(&self, Arrived { room, bytes }: &Arrived) -> Option<Said> {
        if bytes.len() > MAX_BYTES {
            tracing::warn!(?room, bytes = bytes.len(), "a message from Django is too large");
            self.drops.count(Dropped::Unreadable, 1);
            return None;
        }
        let event = match Event::decode(bytes) {
            Ok(event) => event,
            Err(error) => {
                tracing::warn!(?room, %error, "what comes from Django cannot be read");
                self.drops.count(Dropped::Unreadable, 1);
                return None;
            }
        };
        if event.sent_by == Some(&*self.name) {
            return None;
        }
        if !event.is_for(&self.message_type) {
            tracing::debug!(?room, "something from Django is for another handler");
            return None;
        }
        self.said(room, &event)
    }

    fn said(&self, room: &RoomKey, event: &Event<'_>) -> Option<Said> {
        let Some(message) = event.message else {
            tracing::debug!(?room, "a message from Django says nothing");
            return None;
        };
        let text = match MessageText::new(message, &self.limits) {
            Ok(text) => text,
            Err(error) => {
                tracing::warn!(?room, %error, "a message from Django is refused");
                self.drops.count(Dropped::NotStored, 1);
                return None;
            }
        };
        let named = event.name().map(Username::new);
        if let Some(Err(error)) = &named {
            tracing::debug!(?room, %error, "a message from Django has a sender whose name is none");
        }
        let sender = named.and_then(Result::ok).unwrap_or_else(|| self.unnamed.clone());
        // Where storing it fails, nobody may know whether it was stored; with its mark, it is stored once.
        let mark = ClientId::new(&random_name()).ok();
        Some(Said { room: room.clone(), sender, text, mark })
    }

    /// Has messages stored; gives back those that may be stored later.
    async fn post(&self, said: Vec<Said>) -> Vec<Said> {
        let messages = match self.resolve(&said).await {
            Ok(messages) => messages,
            Err(error) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "messages from Django wait");
                return said;
            }
        };
        // Handed in one after the other, and stored together.
        let outcomes = join_all(messages.into_iter().map(|message| async {
            match message {
                Some(message) => self.inlet.post(message).await.map(|_| ()),
                None => Ok(()),
            }
        }));
        let failed = said.into_iter().zip(outcomes.await).filter_map(|(said, outcome)| match outcome {
            Err(CommandError::Storage(error)) if matches!(*error, StorageError::Database(_)) => Some(said),
            Err(error) => {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "a message from Django is not stored"
                );
                self.drops.count(Dropped::NotStored, 1);
                None
            }
            Ok(()) => None,
        });
        failed.collect()
    }

    /// Finds rooms and senders; `None` for what goes to a room that is not there.
    async fn resolve(&self, said: &[Said]) -> Result<Vec<Option<ForeignMessage>>, StorageError> {
        let mut rooms: HashMap<&RoomKey, Option<Room>> = HashMap::new();
        let mut senders: HashMap<&str, User> = HashMap::new();
        let mut messages = Vec::new();
        for Said { room: key, sender: name, text, mark } in said {
            let room = match rooms.get(key) {
                Some(room) => room.clone(),
                None => rooms.entry(key).or_insert(self.room(key).await?).clone(),
            };
            let Some(room) = room else {
                messages.push(None);
                continue;
            };
            let sender = match senders.get(name.as_str()) {
                Some(sender) => sender.clone(),
                None => senders.entry(name.as_str()).or_insert(self.storage.ensure_user(name).await?).clone(),
            };
            messages.push(Some(ForeignMessage { room, sender, text: text.clone(), mark: mark.clone() }));
        }
        Ok(messages)
    }

    async fn room(&self, key: &RoomKey) -> Result<Option<Room>, StorageError> {
        let room = match key {
            RoomKey::Id(id) => self.storage.room(*id).await?,
            RoomKey::Name(name) => self.storage.room_named(name).await?,
        };
        if room.is_none() {
            tracing::debug!(room = ?key, "a message from Django is for a room that is not there");
        }
        Ok(room)
    }
}
