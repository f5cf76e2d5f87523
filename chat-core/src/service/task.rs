//! What connections leave to the driver: work that must go on when they have gone, or must not overtake itself.

use chat_protocol::{Event, Presence, RoomId, Seq, UserId};
use tokio::sync::{mpsc, oneshot};

use super::Inner;
use crate::hub::{Connection, ConnectionId};
use crate::room::presence::Change;
use crate::room::view;
use crate::storage::User;
use crate::{Audience, Content, Envelope, StorageError, Topic};

/// One thing to do.
#[derive(Debug)]
pub(crate) enum Task {
    /// A topic has its first subscriber on this node, or lost its last: follow it across nodes, or cease to. Done, it
    /// drops the sender.
    Follow { topic: Topic, done: Option<oneshot::Sender<()>> },
    /// A user has connected or disconnected: tell the rooms, where it makes a difference. Done, it drops the sender.
    TellPresence { user: User, done: Option<oneshot::Sender<()>> },
    /// Another node has made somebody a member of a room no longer: put them out here.
    Evict { room: RoomId, user: UserId },
    /// Another node has made somebody a member of a room: let their connections here carry it.
    Carry { room: RoomId, user: UserId },
    /// A user has become a member of a room: tell it that they are online, if others know already.
    TellNewMember { user: User, room: RoomId },
}

/// Does the tasks one after another, until the last commit is done and no task is left.
pub(super) async fn run(
    inner: &Inner,
    mut tasks: mpsc::UnboundedReceiver<Task>,
    mut last_commit: oneshot::Receiver<()>,
) {
    loop {
        let task = tokio::select! {
            biased;
            task = tasks.recv() => task,
            _ = &mut last_commit, if !tasks.is_closed() => {
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
            Some(Task::TellPresence { user, done }) => {
                let outcome = tell_presence(inner, &user).await;
                drop(done);
                outcome
            }
            Some(Task::Evict { room, user }) => inner.evict_removed(room, user).await,
            Some(Task::Carry { room, user }) => inner.carry_joined(room, user).await,
            Some(Task::TellNewMember { user, room }) => {
                if inner.presence.lock().is_announced(user.id) {
                    inner.tell_online(room, &user, true);
                }
                Ok(())
            }
        };
        if let Err(error) = outcome {
            tracing::warn!(error = &error as &dyn std::error::Error, "somebody was not told something");
        }
    }
}

async fn follow(inner: &Inner, topic: Topic) {
    let is_followed = inner.followed.lock().contains(&topic);
    match (inner.hub.has_subscribers(topic), is_followed) {
        (true, false) => {
            inner.layer.subscribe(topic).await;
            inner.followed.lock().insert(topic);
        }
        (false, true) => {
            // Before it is so: who comes in meanwhile must wait until it is followed again.
            inner.followed.lock().remove(&topic);
            inner.layer.unsubscribe(topic).await;
        }
        (true, true) | (false, false) => {}
    }
}

async fn tell_presence(inner: &Inner, user: &User) -> Result<(), StorageError> {
    let Some(change) = inner.presence.lock().settle(user.id) else { return Ok(()) };
    let recorded = match change {
        Change::CameOnline => Ok(()),
        Change::WentOffline => inner.storage.record_last_seen(user.id, inner.clock.now()).await,
    };
    for room in inner.storage.rooms_of(user.id).await? {
        inner.tell_online(room.id, user, change == Change::CameOnline);
    }
    recorded
}

impl Inner {
    fn tell_online(&self, room: RoomId, user: &User, is_online: bool) {
        let event = Event::PresenceChanged(Presence { user: view::person(user), is_online });
        self.tell_others(room, user, &event, |_| true);
    }

    /// Tells the others in a room that somebody began or ceased to type. Of those without a name, only the typing
    /// connection itself is left out.
    pub(super) fn tell_typing(&self, room: RoomId, typist: ConnectionId, user: &User, is_typing: bool) {
        let event = view::typing_changed(user, is_typing);
        self.tell_others(room, user, &event, |connection| connection.id != typist);
    }

    /// Tells everybody in a room except for one user.
    fn tell_others(&self, room: RoomId, user: &User, event: &Event, hears: impl Fn(&Connection) -> bool) {
        let topic = Topic::Room(room);
        self.hub.deliver(topic, event, |connection| !connection.is_of(user.id) && hears(connection));
        self.publish(topic, Audience::EveryoneBut(user.id), event);
    }

    /// Hands an event to the other nodes, where there are any that want it.
    pub(super) fn publish(&self, topic: Topic, audience: Audience, event: &Event) {
        self.publish_with(topic, || Content::Told { event: event.clone(), audience });
    }

    /// Hands a message that was posted to a room to the other nodes, where there are any that want it.
    pub(super) fn publish_posted(&self, room: RoomId, seq: Seq, event: Event) {
        self.publish_with(Topic::Room(room), || Content::Posted { seq, event });
    }

    pub(super) fn publish_with(&self, topic: Topic, content: impl FnOnce() -> Content) {
        if self.layer.has_subscribers(topic) {
            self.layer.publish(Envelope { topic, content: content() });
        }
    }
}
