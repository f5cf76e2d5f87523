//! Reads to a client that has come back what it has missed.
//!
//! The client is a subscriber already when the reading begins, whom messages pass by as they are posted. It reads page
//! after page, as fast as it takes them, until a page is the last and nothing has been posted behind it: from that moment
//! on, found under the lock of the room, it hears what is posted. So there is neither a gap nor a double at the seam, and
//! never more than a page in memory, however much was missed.

use std::sync::Arc;
use std::time::Duration;

use chat_protocol::{ErrorCode, Event, MessageId, Refusal, Seq};
use tokio::sync::mpsc;

use super::Inner;
use crate::StorageError;
use crate::hub::{Connection, GoingLive, Missed, Place};
use crate::room::view;
use crate::storage::Room;

/// Messages that are read at once.
const PAGE: u32 = 100;

/// How long to wait when storage fails, before it is asked again.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// What brings a client that has come back up to date; made by [`ChatService::resume`](crate::ChatService::resume).
///
/// Until it [runs](Self::run), the client hears no messages of the rooms that it wants to resume.
#[derive(Debug)]
#[must_use = "nothing is heard of a resumed room until this runs"]
pub struct CatchUp {
    inner: Arc<Inner>,
    connection: Arc<Connection>,
    missed: mpsc::UnboundedReceiver<Missed>,
}

/// Where the reading of a room stands.
#[derive(Debug, Clone, Copy)]
enum Reading {
    /// It begins after this message, of which the place is not known yet.
    FromMessage(MessageId),
    /// Everything up to this place was delivered.
    After(Place),
    /// What comes next is not there, or not any more.
    Lost,
    /// The client hears what is posted, or nothing of the room any more.
    Over,
}

impl CatchUp {
    pub(super) const fn new(
        inner: Arc<Inner>,
        connection: Arc<Connection>,
        missed: mpsc::UnboundedReceiver<Missed>,
    ) -> Self {
        Self { inner, connection, missed }
    }

    /// Delivers what was missed, room after room; to be run beside the session. Ends when the session is dropped.
    ///
    /// A client that asks to go on from a message that the room does not have, or has no longer, is told so
    /// ([`ErrorCode::CannotResume`]) and gets the newest page instead. Where storage fails, it is asked again until it
    /// answers.
    pub async fn run(mut self) {
        while let Some(missed) = self.missed.recv().await {
            self.catch_up(&missed).await;
        }
    }

    async fn catch_up(&self, Missed { room, since }: &Missed) {
        let mut reading = since.message.map_or(Reading::After(None), Reading::FromMessage);
        while !matches!(reading, Reading::Over) && self.connection.hears_room(room.id) {
            reading = match self.read_on(room, reading).await {
                Ok(next) => next,
                Err(error) => {
                    tracing::warn!(
                        error = &error as &dyn std::error::Error,
                        "what a client has missed cannot be read"
                    );
                    tokio::time::sleep(RETRY_AFTER).await;
                    reading
                }
            };
        }
    }

    /// One step of the reading. Where it fails, nothing was delivered.
    async fn read_on(&self, room: &Room, reading: Reading) -> Result<Reading, StorageError> {
        match reading {
            Reading::FromMessage(message) => {
                let place = self.inner.storage.seq_of(room.id, message).await?;
                Ok(place.map_or(Reading::Lost, |seq| Reading::After(Some(seq))))
            }
            Reading::After(read) => self.read_page(room, read).await,
            Reading::Lost => self.start_over(room).await,
            Reading::Over => Ok(Reading::Over),
        }
    }

    /// Delivers the next messages after a place.
    async fn read_page(&self, room: &Room, mut read: Place) -> Result<Reading, StorageError> {
        let storage = &self.inner.storage;
        let page = storage.messages_after(room.id, read, PAGE).await?;
        let readers = storage.furthest_readers(room.id).await?;
        let is_last = page.len() < PAGE as usize;
        for stored in &page {
            if stored.seq != read.map_or(Seq::FIRST, Seq::next) {
                return Ok(Reading::Lost);
            }
            self.connection.transport.ready().await;
            if !self.connection.hears_room(room.id) {
                return Ok(Reading::Over);
            }
            self.connection.deliver(&view::message_replayed(room, stored, readers));
            read = Some(stored.seq);
        }
        let may_go_live = is_last.then(|| self.inner.hub.go_live(room.id, &self.connection, read));
        Ok(match may_go_live {
            None | Some(GoingLive::Behind) => Reading::After(read),
            Some(GoingLive::Live | GoingLive::Gone) => Reading::Over,
        })
    }

    /// Tells the client that it cannot go on from where it was, and begins again with the newest page.
    async fn start_over(&self, room: &Room) -> Result<Reading, StorageError> {
        let newest = self.inner.config.history_page.max(1);
        let page = self.inner.storage.messages_before(room.id, None, newest).await?;
        let refusal = Refusal { field: Some("since".into()), ..Refusal::new(ErrorCode::CannotResume) };
        self.connection.deliver(&Event::Refused(refusal));
        Ok(Reading::After(page.last().and_then(|oldest| oldest.seq.previous())))
    }
}
