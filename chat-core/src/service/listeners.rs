//! Tells the listeners of messages: in a loop of its own, because it needs the members of the room, and rooms and
//! arrivals must not wait for that. Where it falls far behind, senders wait for it; nothing is dropped.

use std::convert::Infallible;

use tokio::sync::{mpsc, oneshot};

use super::Inner;
use crate::hub::Connection;
use crate::room::view;
use crate::storage::{Access, Room, StoredMessage};
use crate::{Audience, StorageError, Topic};

/// Most messages that listeners have not been told of yet.
pub(super) const QUEUED: usize = 1024;

/// A message, and the room that it was posted to.
#[derive(Debug)]
pub(super) struct Posted {
    pub(super) room: Room,
    pub(super) message: StoredMessage,
}

/// Has listeners told of messages, in this order.
pub(super) async fn tell(to_listeners: &mpsc::Sender<Posted>, posted: Vec<Posted>) {
    for posted in posted {
        if to_listeners.send(posted).await.is_err() {
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
    loop {
        let next = tokio::select! {
            next = posted.recv() => next,
            _ = &mut last_delivery, if !posted.is_closed() => {
                posted.close();
                continue;
            }
        };
        let Some(Posted { room, message }) = next else { return };
        if let Err(error) = tell_listeners(inner, &room, &message).await {
            tracing::warn!(error = &error as &dyn std::error::Error, "listeners were not told of a message");
        }
    }
}

/// Whether anybody listens, here or on another node.
pub(super) fn are_there(inner: &Inner) -> bool {
    [Topic::Listeners, Topic::OpenListeners]
        .into_iter()
        .any(|topic| inner.hub.has_subscribers(topic) || inner.layer.has_subscribers(topic))
}

async fn tell_listeners(inner: &Inner, room: &Room, message: &StoredMessage) -> Result<(), StorageError> {
    let members = inner.storage.members(room.id).await?;
    let event = view::room_active(room, &members, message);
    let is_member = |listener: &Connection| {
        listener.may_know(room) && members.iter().any(|member| listener.is_of(member.id))
    };
    inner.hub.deliver(Topic::Listeners, &event, is_member);
    inner.publish(Topic::Listeners, Audience::Everyone, &event);
    if room.access == Access::Open {
        inner.hub.deliver(Topic::OpenListeners, &event, |_| true);
        inner.publish(Topic::OpenListeners, Audience::Everyone, &event);
    }
    Ok(())
}
