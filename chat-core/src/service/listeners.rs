//! Tells the listeners of messages: in a loop of its own, because it needs the members of the room, and rooms and
//! arrivals must not wait for that. Where it falls far behind, senders wait for it; nothing is dropped.

use std::collections::{HashSet, VecDeque};
use std::convert::Infallible;

use chat_protocol::{Event, MessageId};
use tokio::sync::{mpsc, oneshot};

use super::Inner;
use crate::hub::Connection;
use crate::room::view;
use crate::storage::{Access, Room, StoredMessage};
use crate::{Activity, Content, StorageError, Topic};

/// Most messages that listeners have not been told of yet.
pub(super) const QUEUED: usize = 1024;

/// Most messages about which it is asked at once whether anybody listens.
const ASKED_AT_ONCE: usize = 100;

/// All topics of listeners.
const TOPICS: [Topic; 2] = [Topic::Listeners, Topic::OpenListeners];

/// So many of the messages that listeners were told of last are remembered.
const REMEMBERED: usize = 4096;

/// A message, and the room that it was posted to.
#[derive(Debug)]
pub(super) struct Posted {
    pub(super) room: Room,
    pub(super) message: StoredMessage,
}

/// Has listeners told of messages, in this order.
pub(super) async fn tell(inner: &Inner, posted: Vec<Posted>) {
    for posted in posted {
        if inner.to_listeners.send(posted).await.is_err() {
            tracing::debug!("nobody tells listeners any more");
        }
    }
}

/// Tells of one message after another, until there will be no more after the last delivery.
pub(super) async fn run(
    inner: &Inner,
    mut posted: mpsc::Receiver<Posted>,
    mut last_delivery: oneshot::Receiver<Infallible>,
) {
    let mut next = Vec::new();
    loop {
        let count = tokio::select! {
            count = posted.recv_many(&mut next, ASKED_AT_ONCE) => count,
            _ = &mut last_delivery, if !posted.is_closed() => {
                posted.close();
                continue;
            }
        };
        if count == 0 {
            return;
        }
        let does_somebody_listen = does_somebody_listen(inner).await;
        for Posted { room, message } in next.drain(..).filter(|_| does_somebody_listen) {
            if let Err(error) = tell_listeners(inner, &room, &message).await {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "listeners were not told of a message"
                );
            }
        }
    }
}

/// Whether there may be listeners, here or on another node.
pub(super) fn may_be_there(inner: &Inner) -> bool {
    are_here(inner) || TOPICS.into_iter().any(|topic| inner.layer.has_subscribers(topic))
}

/// Whether there are. What they are told is dear: it names all members of the room.
async fn does_somebody_listen(inner: &Inner) -> bool {
    are_here(inner) || inner.layer.is_heard(&TOPICS).await
}

fn are_here(inner: &Inner) -> bool {
    TOPICS.into_iter().any(|topic| inner.hub.has_subscribers(topic))
}

/// What the listeners of this node have been told lately. Of a message that came late, several nodes may tell.
#[derive(Debug, Default)]
pub(super) struct Told {
    messages: HashSet<(Topic, MessageId)>,
    oldest_first: VecDeque<(Topic, MessageId)>,
}

impl Told {
    /// Notes that a topic is told of a message now; whether it is for the first time.
    fn note(&mut self, topic: Topic, message: MessageId) -> bool {
        if !self.messages.insert((topic, message)) {
            return false;
        }
        self.oldest_first.push_back((topic, message));
        if self.oldest_first.len() > REMEMBERED
            && let Some(oldest) = self.oldest_first.pop_front()
        {
            self.messages.remove(&oldest);
        }
        true
    }
}

async fn tell_listeners(inner: &Inner, room: &Room, message: &StoredMessage) -> Result<(), StorageError> {
    let members = inner.storage.members(room.id).await?;
    let activity = Activity {
        told: view::room_activity(room, &members, message),
        access: room.access,
        members: members.into_iter().map(|member| member.id).collect(),
    };
    let everybody = (room.access == Access::Open).then_some(Topic::OpenListeners);
    for topic in [Some(Topic::Listeners), everybody].into_iter().flatten() {
        inner.tell_of(topic, &activity);
        inner.publish_with(topic, || Content::Active(activity.clone()));
    }
    Ok(())
}

impl Inner {
    /// Tells the listeners of this node of a message, where they have not been told of it yet.
    pub(super) fn tell_of(&self, topic: Topic, activity: &Activity) {
        let Activity { told, access, members } = activity;
        if !self.hub.has_subscribers(topic)
            || told.message.id.is_some_and(|message| !self.told.lock().note(topic, message))
        {
            return;
        }
        let hears = |listener: &Connection| match listener.user.get() {
            Some(user) => listener.may_know(*access) && members.contains(&user.id),
            None => *access == Access::Open,
        };
        self.hub.deliver(topic, &Event::RoomActive(told.clone()), hears);
    }
}
