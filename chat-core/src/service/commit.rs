//! Stores messages, many in one transaction, and lets them be heard only then.
//!
//! Everything that is handed in while a transaction is under way goes into the next one; a lone message does not wait.
//! One loop stores and delivers, so that every subscriber of a room hears its messages in the order in which they
//! are stored, and no sender that gives up can leave a stored message unheard.

use std::sync::Arc;

use chat_protocol::RoomRef;
use tokio::sync::{mpsc, oneshot};

use super::Inner;
use super::listeners::{self, Posted};
use crate::hub::Connection;
use crate::room::view;
use crate::storage::{Appended, NewMessage, Room, StoredMessage};
use crate::{Audience, CommandError, Envelope, Topic};

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

pub(super) async fn run(
    inner: &Inner,
    mut submitted: mpsc::Receiver<Submission>,
    to_listeners: mpsc::Sender<Posted>,
) {
    let most = inner.config.messages_per_commit.max(1);
    let mut batch = Vec::new();
    loop {
        let received = tokio::select! {
            biased;
            received = submitted.recv_many(&mut batch, most) => received,
            () = inner.closing(), if !submitted.is_closed() => {
                submitted.close();
                continue;
            }
        };
        if received == 0 {
            return;
        }
        for posted in store(inner, &mut batch).await {
            if to_listeners.send(posted).await.is_err() {
                tracing::debug!("nobody tells listeners any more");
            }
        }
    }
}

/// Stores a batch and delivers it; gives what listeners are to be told.
async fn store(inner: &Inner, batch: &mut Vec<Submission>) -> Vec<Posted> {
    let messages: Vec<NewMessage> = batch.iter().map(|submission| submission.message.clone()).collect();
    match inner.storage.append(&messages).await {
        Ok(outcomes) => {
            let are_there_listeners = listeners::are_there(inner);
            let mut posted = Vec::new();
            for (submission, outcome) in batch.drain(..).zip(outcomes) {
                if let (true, Appended::New(message)) = (are_there_listeners, &outcome) {
                    posted.push(Posted { room: submission.room.clone(), message: message.clone() });
                }
                settle(inner, submission, outcome);
            }
            posted
        }
        Err(error) => {
            tracing::error!(
                error = &error as &dyn std::error::Error,
                messages = batch.len(),
                "messages not stored"
            );
            let error = CommandError::from(error);
            for submission in batch.drain(..) {
                answer(submission.answer, Err(error.clone()));
            }
            Vec::new()
        }
    }
}

/// Delivers a stored message to everybody; one that was stored before, only to who sends it again.
fn settle(inner: &Inner, submission: Submission, outcome: Appended) {
    let Submission { room, origin, as_referred, answer: sender, .. } = submission;
    let stored = match outcome {
        Appended::New(stored) => {
            deliver(inner, &room, &origin, as_referred, &stored);
            stored
        }
        Appended::Repeated(stored) => {
            if origin.hears_itself() {
                origin.deliver(&view::message_posted(&room, as_referred, &stored));
            }
            stored
        }
    };
    answer(sender, Ok(stored));
}

fn deliver(
    inner: &Inner,
    room: &Room,
    origin: &Connection,
    as_referred: Option<RoomRef>,
    stored: &StoredMessage,
) {
    let topic = Topic::Room(room.id);
    let event = view::message_posted(room, as_referred, stored);
    inner.hub.deliver(topic, &event, |connection| connection.id != origin.id || origin.hears_itself());
    if inner.layer.has_subscribers(topic) {
        inner.layer.publish(Envelope { topic, audience: Audience::Everyone, event });
    }
}

fn answer(
    sender: oneshot::Sender<Result<StoredMessage, CommandError>>,
    outcome: Result<StoredMessage, CommandError>,
) {
    // Who has hung up does not need to know.
    drop(sender.send(outcome));
}
