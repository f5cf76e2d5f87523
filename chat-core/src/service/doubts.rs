//! Rooms of which a transaction failed in such a way that nobody knows what became of it.
//!
//! A connection that breaks during a commit, or a database that does not answer in time, may have stored the messages
//! all the same. Their senders are told that they are not confirmed; if they are stored, they must be heard, and that
//! before any later one. Those rooms are looked into until storage answers.

use std::collections::HashSet;
use std::time::Duration;

use chat_protocol::RoomId;
use tokio::time::Instant;

use super::Inner;
use super::listeners::Posted;
use crate::StorageError;
use crate::storage::StoredMessage;

/// How long to wait before storage is asked again.
const LOOK_AFTER: Duration = Duration::from_millis(500);

#[derive(Debug, Default)]
pub(super) struct Doubts {
    rooms: HashSet<RoomId>,
    look_at: Option<Instant>,
}

impl Doubts {
    pub(super) fn add(&mut self, room: RoomId) {
        self.rooms.insert(room);
        self.look_at.get_or_insert_with(|| Instant::now() + LOOK_AFTER);
    }

    /// Waits until it is time to look; for ever where there is no doubt.
    pub(super) async fn due(&self) {
        match self.look_at {
            Some(time) => tokio::time::sleep_until(time).await,
            None => std::future::pending().await,
        }
    }

    /// Delivers what was stored after all; gives what listeners are to be told.
    pub(super) async fn settle(&mut self, inner: &Inner) -> Vec<Posted> {
        let mut posted = Vec::new();
        for room in self.rooms.clone() {
            match post_all_missing(inner, room, &mut posted).await {
                Ok(()) => self.rooms.remove(&room),
                Err(error) => {
                    tracing::warn!(
                        error = &error as &dyn std::error::Error,
                        rooms = self.rooms.len(),
                        "it is not known yet what became of the last messages"
                    );
                    break;
                }
            };
        }
        self.look_at = (!self.rooms.is_empty()).then(|| Instant::now() + LOOK_AFTER);
        posted
    }
}

async fn post_all_missing(inner: &Inner, room: RoomId, posted: &mut Vec<Posted>) -> Result<(), StorageError> {
    loop {
        let page = inner.post_missing(room, None).await?;
        let Some(known) = inner.hub.room(room).filter(|_| !page.is_empty()) else { return Ok(()) };
        let tell = |message: StoredMessage| Posted { room: known.clone(), message };
        posted.extend(page.into_iter().map(tell));
    }
}
