//! Reads to a client that has come back what it has missed.
//!
//! The client is a subscriber already when the reading begins, whom messages pass by as they are posted. It reads page
//! after page, as fast as it takes them, until a page is the last and nothing has been posted behind it: from that moment
//! on, found under the lock of the room, it hears what is posted. So there is neither a gap nor a double at the seam, and
//! never more than a page in memory, however much was missed.

use std::sync::Arc;
use std::time::Duration;

use chat_protocol::{ErrorCode, Event, MessageId, Refusal, Seq};

use super::Inner;
use crate::StorageError;
use crate::hub::{Connection, GoingLive, Missed, Place, ToRead};
use crate::room::view;

/// Messages that are read at once.
const PAGE: u32 = 100;

/// How long to wait when storage fails, before it is asked again.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// What brings a client that has come back up to date; made by [`ChatService::resume`](crate::ChatService::resume).
///
/// Until it [runs](Self::run), the client hears no messages of the rooms that it wants to resume; where it is dropped, it
/// never does.
#[derive(Debug)]
#[must_use = "nothing is heard of a resumed room until this runs"]
pub struct CatchUp {
    inner: Arc<Inner>,
    connection: Arc<Connection>,
    to_read: ToRead,
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
    pub(super) const fn new(inner: Arc<Inner>, connection: Arc<Connection>, to_read: ToRead) -> Self {
        Self { inner, connection, to_read }
    }

    /// Delivers what was missed, room after room; to be run beside the session. Ends when the session is dropped.
    ///
    /// A client that asks to go on from a message that the room does not have, or has no longer, is told so
    /// ([`ErrorCode::CannotResume`]) and gets the newest page instead. Where storage fails, it is asked again until it
    /// answers.
    pub async fn run(self) {
        let Self { inner, connection, to_read: ToRead { mut missed, connected } } = self;
        let reader = Reader { inner: &inner, connection: &connection };
        let reading = async {
            while let Some(missed) = missed.recv().await {
                reader.catch_up(&missed).await;
            }
        };
        tokio::select! {
            () = reading => {}
            // Whatever the transport is waiting for: nobody is there any more.
            _ = connected => {}
        }
    }
}

/// Reads for a connection.
#[derive(Debug, Clone, Copy)]
struct Reader<'a> {
    inner: &'a Inner,
    connection: &'a Connection,
}

impl Reader<'_> {
    async fn catch_up(self, missed: &Missed) {
        let mut reading = missed.since.message.map_or(Reading::After(None), Reading::FromMessage);
        while !matches!(reading, Reading::Over) && self.connection.is_in(missed.entry) {
            reading = match self.read_on(missed, reading).await {
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
    async fn read_on(self, missed: &Missed, reading: Reading) -> Result<Reading, StorageError> {
        match reading {
            Reading::FromMessage(message) => {
                let place = self.inner.storage.seq_of(missed.room.id, message).await?;
                Ok(place.map_or(Reading::Lost, |seq| Reading::After(Some(seq))))
            }
            Reading::After(read) => self.read_page(missed, read).await,
            Reading::Lost => self.start_over(missed).await,
            Reading::Over => Ok(Reading::Over),
        }
    }

    /// Delivers the next messages after a place.
    async fn read_page(
        self,
        Missed { room, entry, .. }: &Missed,
        mut read: Place,
    ) -> Result<Reading, StorageError> {
        let Inner { storage, hub, .. } = self.inner;
        let posted = hub.delivered(room.id).flatten();
        let page = storage.messages_after(room.id, read, PAGE).await?;
        let readers = storage.furthest_readers(room.id).await?;
        if page.is_empty() && read < posted {
            // There were messages after it, and they are stored no longer.
            return Ok(Reading::Lost);
        }
        for stored in &page {
            if stored.seq != read.map_or(Seq::FIRST, Seq::next) {
                return Ok(Reading::Lost);
            }
            self.connection.transport.ready().await;
            if !self.connection.is_in(*entry) {
                return Ok(Reading::Over);
            }
            self.connection.deliver(&view::message_replayed(room, stored, readers));
            read = Some(stored.seq);
        }
        let may_go_live = (page.len() < PAGE as usize).then(|| hub.go_live(room.id, *entry, read));
        Ok(match may_go_live {
            None | Some(GoingLive::Behind) => Reading::After(read),
            Some(GoingLive::Live | GoingLive::Gone) => Reading::Over,
        })
    }

    /// Tells the client that it cannot go on from where it was, and begins again with the newest page.
    async fn start_over(self, Missed { room, .. }: &Missed) -> Result<Reading, StorageError> {
        let Inner { storage, hub, config, .. } = self.inner;
        let posted = hub.delivered(room.id).flatten();
        let page = storage.messages_before(room.id, None, config.history_page.max(1)).await?;
        let refusal = Refusal { field: Some("since".into()), ..Refusal::new(ErrorCode::CannotResume) };
        self.connection.deliver(&Event::Refused(refusal));
        // Where there is no page, all that was posted by then is stored no longer.
        let before = page.last().map_or(posted, |oldest| oldest.seq.previous());
        Ok(Reading::After(before))
    }
}
