//! Stores messages, many in one transaction, and lets them be heard only then.
//!
//! Everything that is handed in while a transaction is under way goes into the next one; a lone message does not wait.
//! One loop stores and delivers, so that every subscriber of a room hears its messages in the order in which they
//! are stored, and no sender that gives up can leave a stored message unheard.

use std::sync::Arc;

use chat_protocol::RoomRef;
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

use super::Inner;
use super::doubts::Doubts;
use super::listeners::{self, Posted};
use crate::hub::Connection;
use crate::room::view;
use crate::storage::{Appended, NewMessage, Room, StoredMessage};
use crate::{Audience, CommandError, Envelope, StorageError, Topic};

/// A message on its way to be stored.
#[derive(Debug)]
pub(crate) struct Submission {
    pub(crate) message: NewMessage,
    pub(crate) room: Room,
    /// The connection that sends it.
    pub(crate) origin: Arc<Connection>,
    /// How its frame referred to the room.
    pub(crate) as_referred: Option<RoomRef>,
    /// Is told what came of it, once it has been delivered.
    pub(crate) answer: oneshot::Sender<Result<StoredMessage, CommandError>>,
}

/// The loop that stores and delivers.
#[derive(Debug)]
struct Committer<'a> {
    inner: &'a Inner,
    to_listeners: mpsc::Sender<Posted>,
    doubts: Doubts,
}

pub(super) async fn run(
    inner: &Inner,
    mut submitted: mpsc::Receiver<Submission>,
    to_listeners: mpsc::Sender<Posted>,
) {
    let most = inner.config.messages_per_commit.max(1);
    let mut committer = Committer { inner, to_listeners, doubts: Doubts::default() };
    let mut batch = Vec::new();
    loop {
        let received = tokio::select! {
            biased;
            () = committer.doubts.due() => {
                let posted = committer.doubts.settle(inner).await;
                committer.tell_listeners(posted).await;
                continue;
            }
            received = submitted.recv_many(&mut batch, most) => received,
            () = inner.closing(), if !submitted.is_closed() => {
                submitted.close();
                continue;
            }
        };
        if received == 0 {
            return;
        }
        committer.store(&mut batch).await;
    }
}

impl Committer<'_> {
    /// Stores a batch and delivers it.
    async fn store(&mut self, batch: &mut Vec<Submission>) {
        match self.append(batch).await {
            Ok(outcomes) => self.settle(batch.drain(..).zip(outcomes)).await,
            // One of them cannot be stored; the others must not suffer for it.
            Err(StorageError::Missing { .. }) if batch.len() > 1 => {
                for submission in batch.drain(..) {
                    match self.append(std::slice::from_ref(&submission)).await {
                        Ok(outcomes) => self.settle(std::iter::once(submission).zip(outcomes)).await,
                        Err(error) => self.refuse([submission], error),
                    }
                }
            }
            Err(error) => self.refuse(batch.drain(..), error),
        }
    }

    /// Stores messages in one transaction. One that takes too long is given up; it may come to pass all the same.
    async fn append(&self, batch: &[Submission]) -> Result<Vec<Appended>, StorageError> {
        let messages: Vec<NewMessage> = batch.iter().map(|submission| submission.message.clone()).collect();
        let Inner { storage, config, .. } = self.inner;
        let late = |_| StorageError::database("it did not answer in time");
        timeout(config.store_within, storage.append(&messages)).await.map_err(late)?
    }

    async fn settle(&mut self, stored: impl Iterator<Item = (Submission, Appended)>) {
        let are_there_listeners = listeners::are_there(self.inner);
        let mut posted = Vec::new();
        let mut rooms = Vec::new();
        for (submission, outcome) in stored {
            let room = submission.room.id;
            rooms.push(room);
            if let (true, Appended::New(message)) = (are_there_listeners, &outcome) {
                posted.push(Posted { room: submission.room.clone(), message: message.clone() });
            }
            if let Err(error) = self.inner.announce(submission, outcome).await {
                tracing::error!(error = &error as &dyn std::error::Error, "messages cannot be delivered yet");
                self.doubts.add(room);
            }
        }
        // All messages for a client leave together.
        rooms.sort_unstable();
        rooms.dedup();
        for room in rooms {
            self.inner.hub.flush(room);
        }
        self.tell_listeners(posted).await;
    }

    async fn tell_listeners(&self, posted: Vec<Posted>) {
        for posted in posted {
            if self.to_listeners.send(posted).await.is_err() {
                tracing::debug!("nobody tells listeners any more");
            }
        }
    }

    /// Tells senders that their messages are not confirmed.
    fn refuse(&mut self, batch: impl IntoIterator<Item = Submission>, error: StorageError) {
        tracing::error!(error = &error as &dyn std::error::Error, "messages not stored");
        let error = CommandError::from(error);
        for submission in batch {
            self.doubts.add(submission.room.id);
            answer(submission.answer, Err(error.clone()));
        }
    }
}

impl Inner {
    /// Delivers a stored message to everybody, and confirms it.
    ///
    /// Where it cannot be delivered now, because what comes before it cannot be read, it is confirmed all the same: it is
    /// stored.
    async fn announce(&self, submission: Submission, outcome: Appended) -> Result<(), StorageError> {
        let Submission { room, origin, as_referred, answer: sender, .. } = submission;
        let (stored, delivered) = match outcome {
            Appended::New(stored) => {
                let event = view::message_posted(&room, as_referred, &stored);
                let hears = |connection: &Connection| connection.id != origin.id || origin.hears_itself();
                let delivered = self.post(room.id, stored.seq, &event, hears).await;
                let topic = Topic::Room(room.id);
                if self.layer.has_subscribers(topic) {
                    let seq = Some(stored.seq);
                    self.layer.publish(Envelope { topic, audience: Audience::Everyone, event, seq });
                }
                (stored, delivered)
            }
            Appended::Repeated(stored) => {
                let delivered = self.repeat(&room, &origin, as_referred, &stored).await;
                (stored, delivered)
            }
        };
        answer(sender, Ok(stored));
        delivered
    }

    /// Delivers a message that was stored before: to everybody, where nobody has had it; else to who sends it again, save
    /// where it is among what they have missed.
    async fn repeat(
        &self,
        room: &Room,
        origin: &Connection,
        as_referred: Option<RoomRef>,
        stored: &StoredMessage,
    ) -> Result<(), StorageError> {
        if self.hub.delivered(room.id).is_some_and(|delivered| delivered < Some(stored.seq)) {
            while !self.post_missing(room.id, Some(stored.seq.next())).await?.is_empty() {}
        } else if origin.hears_itself() && !origin.resumption.is_of(room.id) {
            origin.deliver(&view::message_posted(room, as_referred, stored));
        }
        Ok(())
    }
}

fn answer(
    sender: oneshot::Sender<Result<StoredMessage, CommandError>>,
    outcome: Result<StoredMessage, CommandError>,
) {
    // Who has hung up does not need to know.
    drop(sender.send(outcome));
}
