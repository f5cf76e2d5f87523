//! What connections leave to the driver: work that must go on when they have gone, or must not overtake itself.

use chat_protocol::{Event, RoomId, Seq, UserId};
use tokio::sync::{mpsc, oneshot, watch};

use super::Inner;
use crate::hub::ConnectionId;
use crate::room::view;
use crate::storage::User;
use crate::{Audience, Content, Envelope, Topic};

/// One thing to do.
#[derive(Debug)]
pub(crate) enum Task {
    /// A topic has its first subscriber on this node, or lost its last: follow it across nodes, or cease to. Done, it
    /// drops the sender.
    Follow { topic: Topic, done: Option<oneshot::Sender<()>> },
    /// Another node has made somebody a member of a room no longer: put them out here.
    Evict { room: RoomId, user: UserId },
    /// Another node has made somebody a member of a room: let their connections here carry it.
    Carry { room: RoomId, user: UserId },
}

/// Does the tasks one after another, until the last commit is done and no task is left.
pub(super) async fn run(
    inner: &Inner,
    mut tasks: mpsc::UnboundedReceiver<Task>,
    mut committing: watch::Receiver<()>,
) {
    loop {
        let task = tokio::select! {
            biased;
            task = tasks.recv() => task,
            _ = committing.changed(), if !tasks.is_closed() => {
                tasks.close();
                continue;
            }
        };
        let outcome = match task {
            None => return,
            Some(Task::Follow { topic, done }) => {
                follow(inner, topic).await;
                drop(done);
                Ok(())
            }
            Some(Task::Evict { room, user }) => inner.evict_removed(room, user).await,
            Some(Task::Carry { room, user }) => inner.carry_joined(room, user).await,
        };
        if let Err(error) = outcome {
            tracing::warn!(error = &error as &dyn std::error::Error, "somebody was not told something");
        }
    }
}

/// Follows a topic that somebody hears here, or ceases to. Only between other tasks, or as a part of one: so nothing overtakes it.
pub(super) async fn follow(inner: &Inner, topic: Topic) {
    let (is_heard, was_followed) = {
        let mut followed = inner.followed.lock();
        let is_heard = inner.hub.has_subscribers(topic);
        // Before it is so, and while nobody can look: who comes in meanwhile must wait until it is followed again.
        let was_followed = if is_heard { followed.contains(&topic) } else { followed.remove(&topic) };
        (is_heard, was_followed)
    };
    match (is_heard, was_followed) {
        (true, false) => {
            inner.layer.subscribe(topic).await;
            inner.followed.lock().insert(topic);
        }
        (false, true) => inner.layer.unsubscribe(topic).await,
        (true, true) | (false, false) => {}
    }
}

impl Inner {
    /// Tells the others in a room that somebody began or ceased to type. Of those without a name, only the typing
    /// connection itself is left out.
    pub(super) fn tell_typing(&self, room: RoomId, typist: ConnectionId, user: &User, is_typing: bool) {
        let topic = Topic::Room(room);
        let event = view::typing_changed(user, is_typing);
        self.hub.deliver(topic, &event, |connection| !connection.is_of(user.id) && connection.id != typist);
        self.publish_with(topic, || Content::Typing { user: user.clone(), is_typing });
    }

    /// Hands an event to the other nodes, where there are any that want it.
    pub(super) fn publish(&self, topic: Topic, audience: Audience, event: &Event) {
        self.publish_with(topic, || Content::Told { event: event.clone(), audience });
    }

    /// Hands a message that was posted to a room to the other nodes, where there are any that want it.
    pub(super) fn publish_posted(&self, room: RoomId, seq: Seq, event: impl FnOnce() -> Event) {
        self.publish_with(Topic::Room(room), || Content::Posted { seq, event: event() });
    }

    pub(super) fn publish_with(&self, topic: Topic, content: impl FnOnce() -> Content) {
        if self.layer.has_subscribers(topic) {
            self.layer.publish(Envelope { topic, content: content() });
        }
    }
}
