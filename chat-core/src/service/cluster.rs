//! What comes from other nodes, and what should have come from them.
//!
//! A layer between nodes may lose what it carries. A message that comes after a lost one shows the gap; where none comes,
//! nothing does. So all rooms that somebody here hears are looked into now and then, with one question for many of them,
//! and at once when the layer says that something may have been lost.

use std::collections::HashMap;
use std::time::Duration;

use chat_protocol::RoomId;
use tokio::time::{Instant, MissedTickBehavior, interval};

use super::Inner;
use super::task::Task;
use crate::hub::{Place, Posts};
use crate::room::typing::Whence;
use crate::room::view;
use crate::storage::User;
use crate::{Audience, Content, Envelope, Received, StorageError, Topic};

/// Rooms that storage is asked about at once.
const ROOMS_AT_ONCE: usize = 1000;

/// How long something may be on its way from another node.
const ON_ITS_WAY: Duration = Duration::from_secs(2);

/// How long to wait when storage fails, before it is asked again.
const LOOK_AGAIN_AFTER: Duration = Duration::from_millis(500);

/// Hears other nodes until the service is closed.
pub(super) async fn hear_other_nodes(inner: &Inner) {
    loop {
        let received = tokio::select! {
            received = inner.layer.receive() => received,
            () = inner.closing() => return,
        };
        match received {
            Received::Envelope(envelope) => take(inner, envelope),
            Received::Missed(Topic::Room(room)) => {
                inner.late_rooms.find(room);
                inner.doubted_rooms.add([room]);
            }
            // They may have become a member of a room.
            Received::Missed(Topic::User(_)) => inner.interrupted.notify_one(),
            // Of nothing else is it known what there was.
            Received::Missed(Topic::Listeners | Topic::OpenListeners) => {}
            Received::Interrupted => {
                inner.interrupted.notify_one();
                inner.doubted_rooms.add(inner.hub.rooms());
            }
        }
    }
}

fn take(inner: &Inner, Envelope { topic, content }: Envelope) {
    match (topic, content) {
        (Topic::Room(room), Content::Posted { seq, event }) => {
            if inner.hub.post(room, Posts::one(seq, event)).early_from.is_some() {
                inner.late_rooms.find(room);
            }
        }
        (Topic::Room(room), Content::Typing { user, is_typing }) => {
            inner.note_typing_elsewhere(room, user, is_typing);
        }
        (Topic::Room(room), Content::Presence { user, standing }) => {
            inner.hub.tell_presence(room, &user, standing);
        }
        (Topic::Room(room), Content::Removed(user)) => inner.leave_to_driver(Task::Evict { room, user }),
        (Topic::User(user), Content::Joined(room)) => inner.leave_to_driver(Task::Carry { room, user }),
        (Topic::Listeners | Topic::OpenListeners, Content::Active(activity)) => {
            inner.tell_of(topic, &activity);
        }
        (topic, Content::Told { event, audience }) => {
            inner.hub.deliver(topic, &event, |connection| match audience {
                Audience::Everyone => true,
                Audience::EveryoneBut(user) => !connection.is_of(user),
            });
        }
        (topic, _) => tracing::warn!(?topic, "another node says what makes no sense"),
    }
}

impl Inner {
    /// Tells that somebody types on another node. Here it is ended, too, a while after it should be: that node may die.
    fn note_typing_elsewhere(&self, room: RoomId, user: User, is_typing: bool) {
        let typist = (room, Whence::Elsewhere(user.id));
        self.tell_of_typing_elsewhere(room, &user, is_typing);
        if is_typing {
            let lasting = self.config.typing_lasts + ON_ITS_WAY;
            self.typing.lock().start(typist, user, Instant::now(), lasting);
            self.typing_began.notify_one();
        } else {
            self.typing.lock().stop(typist);
        }
    }

    pub(super) fn tell_of_typing_elsewhere(&self, room: RoomId, user: &User, is_typing: bool) {
        let event = view::typing_changed(user, is_typing);
        self.hub.deliver(Topic::Room(room), &event, |connection| !connection.is_of(user.id));
    }
}

/// Looks for messages that were stored by other nodes and have not been heard of, until the service is closed.
pub(super) async fn watch_rooms(inner: &Inner) {
    let mut ticks = interval(inner.config.rooms_checked_every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut behind = HashMap::new();
    loop {
        let is_interrupted = tokio::select! {
            () = inner.interrupted.notified() => true,
            _ = ticks.tick() => false,
            () = inner.closing() => return,
        };
        // What is stored may be on its way here; what is on its way for as long as this is not.
        look_for_late(inner, std::mem::take(&mut behind));
        match rooms_behind(inner).await {
            Ok(rooms) if is_interrupted => look_for_late(inner, rooms),
            Ok(rooms) => behind = rooms,
            Err(error) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "rooms could not be looked into");
                if is_interrupted {
                    inner.interrupted.notify_one();
                    tokio::time::sleep(LOOK_AGAIN_AFTER).await;
                }
            }
        }
        // Last: there may be many, and what was posted is waited for.
        if is_interrupted {
            tokio::select! {
                () = carry_missed(inner) => {}
                () = inner.closing() => return,
            }
        }
    }
}

/// Lets connections that carry all rooms of their user carry those, too, of which they may not have been told.
async fn carry_missed(inner: &Inner) {
    for (user, connection) in inner.hub.carriers() {
        if let Err(error) = inner.enter_all(&connection, user).await {
            // They hear it when they connect again.
            let error = &error as &dyn std::error::Error;
            tracing::warn!(error, "a connection may not carry all rooms of its user");
        }
    }
}

fn look_for_late(inner: &Inner, rooms: HashMap<RoomId, Place>) {
    for (room, newest) in rooms {
        if inner.hub.delivered(room).is_some_and(|delivered| delivered < newest) {
            inner.late_rooms.find(room);
        }
    }
}

/// The rooms that are heard here and on other nodes, of which more is stored than has been delivered here, and how much.
async fn rooms_behind(inner: &Inner) -> Result<HashMap<RoomId, Place>, StorageError> {
    let mut rooms = inner.hub.rooms();
    rooms.retain(|room| inner.layer.has_subscribers(Topic::Room(*room)));
    let mut behind = HashMap::new();
    for rooms in rooms.chunks(ROOMS_AT_ONCE) {
        for (room, newest) in inner.storage.newest_places(rooms).await? {
            if inner.hub.delivered(room).is_some_and(|delivered| delivered < Some(newest)) {
                behind.insert(room, Some(newest));
            }
        }
    }
    Ok(behind)
}
