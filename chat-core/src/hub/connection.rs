//! A connected client, as the hub knows it.

use std::sync::{Arc, OnceLock};

use chat_protocol::{Behavior, Echo, Event, RoomId, Scope, UserId};
use parking_lot::Mutex;

use super::resumption::Resumption;
use super::subscribers::EntryId;
use crate::storage::{Access, Room, User};
use crate::{Delivery, Topic, Transport};

/// Tells the connections of a node apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct ConnectionId(pub(crate) u64);

/// Whether a client's word is taken for who it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trust {
    /// It is: names in frames count.
    Guest,
    /// Its identity is proven, and nothing that it says changes it.
    Proven,
}

/// A connected client.
#[derive(Debug)]
pub(crate) struct Connection {
    pub(crate) id: ConnectionId,
    /// The room of its path.
    pub(crate) home: Option<RoomId>,
    /// Whether its user is proven, and not only claimed.
    pub(crate) trust: Trust,
    pub(crate) transport: Arc<dyn Transport>,
    /// Who it is, as soon as that is known.
    pub(crate) user: OnceLock<User>,
    /// How it wants to be treated, as soon as that is known.
    pub(crate) behavior: OnceLock<Behavior>,
    pub(super) subscriptions: Mutex<Subscriptions>,
    /// What it has missed and wants, where it has come back.
    pub(crate) resumption: Resumption,
}

/// What a connection hears.
#[derive(Debug, Default)]
pub(super) struct Subscriptions {
    pub(super) topics: Vec<Topic>,
    pub(super) rooms: Vec<Entered>,
    pub(super) has_left: bool,
}

/// A room that a connection hears.
#[derive(Debug)]
pub(super) struct Entered {
    pub(super) room: Room,
    pub(super) entry: EntryId,
}

impl Subscriptions {
    /// Makes room for what nearly all connections hear, and no more: one room, and what concerns the user.
    pub(super) fn make_room(&mut self) {
        if self.rooms.is_empty() {
            self.rooms.reserve_exact(1);
            self.topics.reserve_exact(2);
        }
    }
}

impl Connection {
    pub(crate) fn new(
        id: ConnectionId,
        home: Option<RoomId>,
        trust: Trust,
        transport: Arc<dyn Transport>,
        resumption: Resumption,
    ) -> Self {
        Self {
            id,
            home,
            trust,
            transport,
            user: OnceLock::new(),
            behavior: OnceLock::new(),
            subscriptions: Mutex::default(),
            resumption,
        }
    }

    pub(crate) fn deliver(&self, event: &Event) {
        self.transport.deliver_last(&Delivery::new(event));
    }

    pub(crate) fn is_of(&self, user: UserId) -> bool {
        self.user.get().is_some_and(|own| own.id == user)
    }

    pub(crate) fn hears_itself(&self) -> bool {
        self.behavior.get().is_none_or(|behavior| behavior.echo == Echo::ToSender)
    }

    pub(crate) fn carries_all_rooms(&self) -> bool {
        self.behavior.get().is_some_and(|behavior| behavior.scope == Scope::User)
    }

    /// Whether it may hear of a room with this access that its user is a member of: a claimed name opens no door.
    pub(crate) fn may_know(&self, access: Access) -> bool {
        self.trust == Trust::Proven || access == Access::Open
    }

    /// Whether it hears nothing any more, for good.
    pub(crate) fn has_left(&self) -> bool {
        self.subscriptions.lock().has_left
    }

    /// Whether it has been in a room since it entered then.
    pub(crate) fn is_in(&self, entry: EntryId) -> bool {
        self.subscriptions.lock().rooms.iter().any(|entered| entered.entry == entry)
    }

    /// The room among those that it hears for which this holds.
    pub(crate) fn room_where(&self, holds: impl Fn(&Room) -> bool) -> Option<Room> {
        let subscriptions = self.subscriptions.lock();
        subscriptions.rooms.iter().map(|entered| &entered.room).find(|room| holds(room)).cloned()
    }
}
