//! Brings the messages of a room to its subscribers: each once, in the order of their numbers, none left out.

use chat_protocol::{Event, RoomId, Seq};

use super::Inner;
use crate::StorageError;
use crate::hub::{Connection, Posting};
use crate::room::view;
use crate::storage::StoredMessage;

/// Messages that are read at once where some are missing.
const PAGE: u32 = 100;

impl Inner {
    /// Delivers a message; before it, what is stored and has not been delivered. To be flushed.
    pub(super) async fn post(
        &self,
        room: RoomId,
        seq: Seq,
        event: &Event,
        hears: impl Fn(&Connection) -> bool,
    ) -> Result<(), StorageError> {
        while self.hub.post(room, seq, event, &hears) == Posting::Early {
            tracing::warn!(%room, %seq, "messages before this one are missing; they are read from storage");
            while !self.post_missing(room, Some(seq)).await?.is_empty() {}
            // What storage does not have either, nobody can have any more.
            self.hub.skip_to(room, seq);
        }
        Ok(())
    }

    /// Delivers a page of what is stored and has not been delivered, up to this message or to the newest. Empty where
    /// nothing is missing.
    pub(super) async fn post_missing(
        &self,
        room: RoomId,
        before: Option<Seq>,
    ) -> Result<Vec<StoredMessage>, StorageError> {
        let (Some(delivered), Some(known)) = (self.hub.delivered(room), self.hub.room(room)) else {
            return Ok(Vec::new());
        };
        let mut page = self.storage.messages_after(room, delivered, PAGE).await?;
        page.retain(|stored| before.is_none_or(|before| stored.seq < before));
        for stored in &page {
            self.hub.skip_to(room, stored.seq);
            self.hub.post(room, stored.seq, &view::message_posted(&known, None, stored), |_| true);
        }
        self.hub.flush(room);
        Ok(page)
    }
}
