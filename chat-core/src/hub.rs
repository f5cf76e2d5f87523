//! The local subscribers of each topic, and the fan-out of events to them.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use chat_protocol::{Behavior, Echo, Event, RoomId, Scope, UserId};
use parking_lot::{Mutex, RwLock};

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
    subscriptions: Mutex<Subscriptions>,
}

/// What a connection hears.
#[derive(Debug, Default)]
struct Subscriptions {
    topics: Vec<Topic>,
    rooms: Vec<Room>,
    has_left: bool,
}

impl Connection {
    pub(crate) fn new(
        id: ConnectionId,
        home: Option<RoomId>,
        trust: Trust,
        transport: Arc<dyn Transport>,
    ) -> Self {
        Self {
            id,
            home,
            trust,
            transport,
            user: OnceLock::new(),
            behavior: OnceLock::new(),
            subscriptions: Mutex::new(Subscriptions::default()),
        }
    }

    pub(crate) fn deliver(&self, event: &Event) {
        self.transport.deliver(&Delivery::new(event));
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

    /// Whether it may hear of a room that its user is a member of: a claimed name opens no door.
    pub(crate) fn may_know(&self, room: &Room) -> bool {
        self.trust == Trust::Proven || room.access == Access::Open
    }

    /// Whether it hears nothing any more, for good.
    pub(crate) fn has_left(&self) -> bool {
        self.subscriptions.lock().has_left
    }

    /// The room among those that it hears for which this holds.
    pub(crate) fn room_where(&self, holds: impl Fn(&Room) -> bool) -> Option<Room> {
        self.subscriptions.lock().rooms.iter().find(|room| holds(room)).cloned()
    }
}

/// Whether a change to a topic's subscribers changed that there are any.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Edge {
    /// There are subscribers now and were none before, or the other way round.
    Crossed,
    Unchanged,
}

/// Who on this node hears what.
#[derive(Debug, Default)]
pub(crate) struct Hub {
    topics: RwLock<HashMap<Topic, Arc<Mutex<Subscribers>>>>,
}

#[derive(Debug, Default)]
struct Subscribers {
    connections: Vec<Arc<Connection>>,
    /// Set when the last has left and the topic was taken off the map; who still holds it must look anew.
    is_retired: bool,
}

impl Hub {
    /// Lets a connection hear a room.
    pub(crate) fn enter(&self, room: &Room, connection: &Arc<Connection>) -> Edge {
        let mut subscriptions = connection.subscriptions.lock();
        if subscriptions.has_left || subscriptions.rooms.iter().any(|known| known.id == room.id) {
            return Edge::Unchanged;
        }
        subscriptions.rooms.push(room.clone());
        self.subscribe_with(&mut subscriptions, Topic::Room(room.id), connection)
    }

    /// Lets a connection hear a topic other than a room.
    pub(crate) fn subscribe(&self, topic: Topic, connection: &Arc<Connection>) -> Edge {
        let mut subscriptions = connection.subscriptions.lock();
        if subscriptions.has_left || subscriptions.topics.contains(&topic) {
            return Edge::Unchanged;
        }
        self.subscribe_with(&mut subscriptions, topic, connection)
    }

    fn subscribe_with(
        &self,
        subscriptions: &mut Subscriptions,
        topic: Topic,
        connection: &Arc<Connection>,
    ) -> Edge {
        subscriptions.topics.push(topic);
        loop {
            let entry = Arc::clone(self.topics.write().entry(topic).or_default());
            let mut subscribers = entry.lock();
            if subscribers.is_retired {
                continue;
            }
            let edge = if subscribers.connections.is_empty() { Edge::Crossed } else { Edge::Unchanged };
            subscribers.connections.push(Arc::clone(connection));
            return edge;
        }
    }

    /// Lets a connection hear a room no longer.
    pub(crate) fn exit(&self, room: RoomId, connection: &Connection) -> Edge {
        connection.subscriptions.lock().rooms.retain(|known| known.id != room);
        self.unsubscribe(Topic::Room(room), connection)
    }

    /// Lets a connection hear a topic no longer.
    pub(crate) fn unsubscribe(&self, topic: Topic, connection: &Connection) -> Edge {
        let mut subscriptions = connection.subscriptions.lock();
        match subscriptions.topics.iter().position(|known| *known == topic) {
            Some(place) => {
                subscriptions.topics.swap_remove(place);
                self.remove(topic, connection)
            }
            None => Edge::Unchanged,
        }
    }

    /// Takes a connection off every topic, for good; gives the topics that nobody hears any more.
    pub(crate) fn leave(&self, connection: &Connection) -> Vec<Topic> {
        let mut subscriptions = connection.subscriptions.lock();
        subscriptions.has_left = true;
        subscriptions.rooms.clear();
        let mut topics = std::mem::take(&mut subscriptions.topics);
        topics.retain(|topic| self.remove(*topic, connection) == Edge::Crossed);
        topics
    }

    fn remove(&self, topic: Topic, connection: &Connection) -> Edge {
        let Some(entry) = self.entry(topic) else { return Edge::Unchanged };
        let mut subscribers = entry.lock();
        if let Some(place) = subscribers.connections.iter().position(|known| known.id == connection.id) {
            subscribers.connections.swap_remove(place);
        }
        if !subscribers.connections.is_empty() || subscribers.is_retired {
            return Edge::Unchanged;
        }
        subscribers.is_retired = true;
        drop(subscribers);
        self.topics.write().remove(&topic);
        Edge::Crossed
    }

    /// Whether anybody on this node hears a topic.
    pub(crate) fn has_subscribers(&self, topic: Topic) -> bool {
        self.topics.read().contains_key(&topic)
    }

    /// Delivers an event to those of a topic's subscribers for whom `hears` holds.
    ///
    /// The topic stays locked meanwhile, so that all of its subscribers see all of its events in one order.
    pub(crate) fn deliver(&self, topic: Topic, event: &Event, hears: impl Fn(&Connection) -> bool) {
        let Some(entry) = self.entry(topic) else { return };
        let delivery = Delivery::new(event);
        for connection in &entry.lock().connections {
            if hears(connection) {
                connection.transport.deliver(&delivery);
            }
        }
    }

    /// The rooms for members only that somebody on this node hears.
    pub(crate) fn closed_rooms(&self) -> Vec<RoomId> {
        let topics: Vec<_> =
            self.topics.read().iter().map(|(topic, entry)| (*topic, Arc::clone(entry))).collect();
        let is_closed = |room: RoomId, entry: &Mutex<Subscribers>| {
            let first = entry.lock().connections.first().cloned();
            first
                .and_then(|connection| connection.room_where(|known| known.id == room))
                .is_some_and(|room| room.access == Access::MembersOnly)
        };
        topics
            .into_iter()
            .filter_map(|(topic, entry)| match topic {
                Topic::Room(room) if is_closed(room, &entry) => Some(room),
                _ => None,
            })
            .collect()
    }

    /// The connections that hear a topic.
    pub(crate) fn connections(&self, topic: Topic) -> Vec<Arc<Connection>> {
        self.entry(topic).map(|entry| entry.lock().connections.clone()).unwrap_or_default()
    }

    fn entry(&self, topic: Topic) -> Option<Arc<Mutex<Subscribers>>> {
        self.topics.read().get(&topic).cloned()
    }
}
