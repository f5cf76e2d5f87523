//! Stores messages, many in one transaction, and lets them be heard only then.
//!
//! Everything that is handed in while a transaction is under way goes into the next one; a lone message does not wait.
//! One at a time [stores and delivers](turn), so that every subscriber of a room hears its messages in the order in which
//! they are stored, and no sender that gives up can leave a stored message unheard.

mod turn;

use std::sync::Arc;

use chat_protocol::{RoomId, RoomRef, Seq};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, timeout};

use super::Inner;
use super::listeners::{self, Posted};
use super::relay::RelayId;
use crate::hub::{Connection, ConnectionId, Posts};
use crate::room::view;
use crate::storage::{Appended, NewMessage, Room, StoredMessage};
use crate::{CommandError, Outcome, StorageError};

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
    /// A message to a room, and where it will be told what came of it.
    pub(crate) fn new(
        message: NewMessage,
        room: Room,
        origin: Origin,
        as_referred: Option<RoomRef>,
    ) -> (Self, Answered) {
        let (answer, answered) = oneshot::channel();
        (Self { message, room, origin, as_referred, answer }, answered)
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

/// Stores and delivers.
#[derive(Debug)]
struct Committer<'a> {
    inner: &'a Inner,
    to_listeners: &'a mpsc::Sender<Posted>,
}

impl Committer<'_> {
    /// Stores a batch and delivers it.
    async fn store(&self, batch: &mut Vec<Submission>) {
        match self.append(batch).await {
            Ok(outcomes) => self.settle(batch.drain(..).zip(outcomes)).await,
            // One of them cannot be stored; the others must not suffer for it.
            Err(StorageError::Missing { .. }) if batch.len() > 1 => {
                for submission in batch.drain(..) {
                    Box::pin(self.store_alone(submission)).await;
                }
            }
            Err(error) => self.refuse(batch.drain(..), error),
        }
    }

    async fn store_alone(&self, submission: Submission) {
        match self.append(std::slice::from_ref(&submission)).await {
            Ok(outcomes) => self.settle(std::iter::once(submission).zip(outcomes)).await,
            Err(error) => self.refuse([submission], error),
        }
    }

    /// Stores messages in one transaction. One that takes too long is given up; it may come to pass all the same.
    async fn append(&self, batch: &[Submission]) -> Result<Vec<Appended>, StorageError> {
        let messages: Vec<NewMessage> = batch.iter().map(|submission| submission.message.clone()).collect();
        let Inner { storage, config, .. } = self.inner;
        let late = |_| StorageError::database("it did not answer in time");
        let begun = Instant::now();
        let appended = timeout(config.store_within, storage.append(&messages)).await.map_err(late).flatten();
        let outcome = if appended.is_ok() { Outcome::Stored } else { Outcome::Failed };
        config.observer.stored(messages.len(), outcome, begun.elapsed());
        appended
    }

    async fn settle(&self, stored: impl Iterator<Item = (Submission, Appended)>) {
        let begun = Instant::now();
        let mut stored: Vec<_> = stored.collect();
        let messages = stored.len();
        // The messages of a room leave together, in their order.
        stored.sort_by_key(|(submission, _)| submission.room.id);
        let mut stored = stored.into_iter().peekable();
        let mut news = Vec::new();
        while let Some(first) = stored.next() {
            let room = first.0.room.id;
            let mut of_room = vec![first];
            of_room.extend(std::iter::from_fn(|| stored.next_if(|(next, _)| next.room.id == room)));
            self.inner.announce(room, of_room, &mut news);
        }
        self.inner.config.observer.delivered(messages, begun.elapsed());
        if !news.is_empty() {
            Box::pin(listeners::tell(self.to_listeners, news)).await;
        }
    }

    /// Tells senders that their messages are not confirmed.
    fn refuse(&self, batch: impl IntoIterator<Item = Submission>, error: StorageError) {
        tracing::error!(error = &error as &dyn std::error::Error, "messages not stored");
        let error = CommandError::from(error);
        for submission in batch {
            self.inner.late_rooms.doubt(submission.room.id);
            answer(submission.answer, Err(error.clone()));
        }
    }
}

impl Inner {
    /// Delivers stored messages of a room to everybody, and confirms them; adds what listeners are to be told.
    ///
    /// Where messages before them have not been delivered, they come after those, later. They are confirmed all the same:
    /// they are stored.
    fn announce(&self, room: RoomId, stored: Vec<(Submission, Appended)>, news: &mut Vec<Posted>) {
        let early_from = self.post(room, &stored);
        let may_be_listeners = listeners::may_be_there(self);
        for (submission, outcome) in stored {
            let Submission { room, origin, as_referred, answer: sender, .. } = submission;
            let stored = match outcome {
                Appended::New(stored) => {
                    self.relays.posted(&room, &stored, &origin);
                    let is_heard = early_from.is_none_or(|early| stored.seq < early);
                    if is_heard && may_be_listeners {
                        news.push(Posted { room, message: stored.clone() });
                    }
                    stored
                }
                Appended::Repeated(stored) => {
                    self.repeat(&room, &origin, as_referred, &stored);
                    stored
                }
            };
            answer(sender, Ok(stored));
        }
    }

    /// Delivers the new ones among stored messages of a room; gives the first that could not be delivered already.
    fn post(&self, room: RoomId, stored: &[(Submission, Appended)]) -> Option<Seq> {
        let mut posts = Posts::with_capacity(stored.len());
        for (Submission { room, origin, as_referred, .. }, outcome) in stored {
            if let Appended::New(message) = outcome {
                let event = view::message_posted(room, as_referred.clone(), message);
                posts.push(message.seq, origin.unheard_by(), event);
            }
        }
        let early_from = self.hub.post(room, &posts).early_from;
        if early_from.is_some() {
            self.late_rooms.find(room);
        }
        for (seq, event) in posts.into_events() {
            if early_from.is_none_or(|early| seq < early) {
                self.publish_posted(room, seq, event);
            }
        }
        early_from
    }

    /// Delivers a message that was stored before: to everybody, where nobody has had it; else to who sends it again, save
    /// where it is among what they have missed.
    fn repeat(&self, room: &Room, origin: &Origin, as_referred: Option<RoomRef>, stored: &StoredMessage) {
        if self.hub.feed(room.id).is_some_and(|feed| feed.delivered < Some(stored.seq)) {
            self.late_rooms.doubt(room.id);
        } else if let Origin::Connection(origin) = origin
            && origin.hears_itself()
            && !origin.resumption.is_of(room.id)
        {
            origin.deliver(&view::message_posted(room, as_referred, stored));
        }
    }
}

fn answer(sender: oneshot::Sender<Answer>, outcome: Answer) {
    // Who has hung up does not need to know.
    drop(sender.send(outcome));
}
