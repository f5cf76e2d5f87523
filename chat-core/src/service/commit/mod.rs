//! Stores messages, many in one transaction, and lets them be heard only then.
//!
//! Everything that is handed in while a transaction is under way goes into the next one; a lone message does not wait.
//! One at a time [stores](turn). What is stored is [delivered](delivery) beside the next transaction, one room beside another:
//! each has a [lane](lanes), so that every subscriber of a room hears its messages in the order in which they are stored. No
//! sender that gives up can leave a stored message unheard.

mod delivery;
mod lanes;
mod turn;

use std::sync::Arc;

use chat_protocol::RoomRef;
use tokio::sync::oneshot;
use tokio::time::{Instant, timeout};

use super::Inner;
use super::relay::RelayId;
use crate::hub::{Connection, ConnectionId};
use crate::storage::{Appended, NewMessage, Room, StoredMessage};
use crate::{CommandError, Outcome, StorageError};

use lanes::Filled;
pub(super) use turn::{Commits, Confirmation, HandedOver, channel, run};

/// A message on its way to be stored.
#[derive(Debug)]
pub(crate) struct Submission {
    message: NewMessage,
    room: Room,
    origin: Origin,
    /// How its frame referred to the room.
    as_referred: Option<RoomRef>,
    /// Is told what came of it, once it has been delivered.
    answer: oneshot::Sender<Answer>,
}

/// What came of a message.
pub(crate) type Answer = Result<StoredMessage, CommandError>;

/// Where it is told what came of a message.
pub(crate) type Answered = oneshot::Receiver<Answer>;

impl Submission {
    /// A message to a room, and where it will be told what came of it. In a box, for it goes through many hands.
    pub(crate) fn new(
        message: NewMessage,
        room: Room,
        origin: Origin,
        as_referred: Option<RoomRef>,
    ) -> (Box<Self>, Answered) {
        let (answer, answered) = oneshot::channel();
        (Box::new(Self { message, room, origin, as_referred, answer }), answered)
    }
}

/// Where a message comes from.
#[derive(Debug, Clone)]
pub(crate) enum Origin {
    /// The connection that sends it.
    Connection(Arc<Connection>),
    /// Another system.
    Relay(RelayId),
}

impl Origin {
    /// The connection that does not hear a message from here.
    fn unheard_by(&self) -> Option<ConnectionId> {
        match self {
            Self::Connection(origin) if !origin.hears_itself() => Some(origin.id),
            Self::Connection(_) | Self::Relay(_) => None,
        }
    }
}

impl Inner {
    /// Stores a batch, for which there are places in the lanes, and puts into the lanes what is stored.
    #[expect(clippy::vec_box, reason = "they come in boxes, and go on in them")]
    async fn store(&self, batch: &mut Vec<Box<Submission>>) -> Filled {
        match self.append(batch).await {
            Ok(outcomes) => self.commits.lanes.put(batch.drain(..).zip(outcomes)),
            // One of them cannot be stored; the others must not suffer for it.
            Err(StorageError::Missing { .. }) if batch.len() > 1 => {
                let mut filled = Filled::default();
                for submission in batch.drain(..) {
                    filled |= Box::pin(self.store_alone(submission)).await;
                }
                filled
            }
            Err(error) => self.refuse(batch.drain(..), error),
        }
    }

    async fn store_alone(&self, submission: Box<Submission>) -> Filled {
        match self.append(std::slice::from_ref(&submission)).await {
            Ok(outcomes) => self.commits.lanes.put(std::iter::once(submission).zip(outcomes)),
            Err(error) => self.refuse([submission], error),
        }
    }

    /// Stores messages in one transaction. One that takes too long is given up; it may come to pass all the same.
    async fn append(&self, batch: &[Box<Submission>]) -> Result<Vec<Appended>, StorageError> {
        let messages: Vec<NewMessage> = batch.iter().map(|submission| submission.message.clone()).collect();
        let Self { storage, config, .. } = self;
        let late = |_| StorageError::database("it did not answer in time");
        let begun = Instant::now();
        let transaction = self.commits.begin_transaction();
        let appended = timeout(config.store_within, storage.append(&messages)).await.map_err(late).flatten();
        drop(transaction);
        let appended = appended.and_then(|outcomes| {
            let is_whole = outcomes.len() == messages.len();
            is_whole
                .then_some(outcomes)
                .ok_or(StorageError::database("it did not say what became of each message"))
        });
        let outcome = if appended.is_ok() { Outcome::Stored } else { Outcome::Failed };
        config.observer.stored(messages.len(), outcome, begun.elapsed());
        appended
    }

    /// Tells senders that their messages are not confirmed.
    fn refuse(&self, batch: impl IntoIterator<Item = Box<Submission>>, error: StorageError) -> Filled {
        tracing::error!(error = &error as &dyn std::error::Error, "messages not stored");
        let error = CommandError::from(error);
        for submission in batch {
            self.late_rooms.doubt(submission.room.id);
            answer(submission.answer, Err(error.clone()));
            self.commits.lanes.free_places(1);
        }
        Filled::default()
    }
}

fn answer(sender: oneshot::Sender<Answer>, outcome: Answer) {
    // Who has hung up does not need to know.
    drop(sender.send(outcome));
}
