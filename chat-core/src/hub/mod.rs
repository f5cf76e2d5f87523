//! The local subscribers of each topic, and the fan-out of events to them.

mod connection;
mod resumption;
mod subscribers;

use std::collections::HashMap;
use std::sync::Arc;

use chat_protocol::{Event, RoomId, Seq};
use parking_lot::{Mutex, RwLock};

pub(crate) use connection::{Connection, ConnectionId, Trust};
pub(crate) use resumption::{Missed, Resumption};
pub(crate) use subscribers::{GoingLive, Place, Posting};

use crate::storage::{Access, Room};
use crate::{Delivery, Topic};
use connection::Subscriptions;
use subscribers::{Hears, Subscriber, Subscribers};

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

impl Hub {
    /// Lets a connection hear a room; its messages only once it has [caught up](Self::go_live), where it wants what it
    /// has missed.
    pub(crate) fn enter(&self, room: &Room, connection: &Arc<Connection>) -> Edge {
        let mut subscriptions = connection.subscriptions.lock();
        if subscriptions.has_left || subscriptions.rooms.iter().any(|known| known.id == room.id) {
            return Edge::Unchanged;
        }
        subscriptions.rooms.push(room.clone());
        let missed = connection.resumption.take(room, connection.home == Some(room.id));
        let hears = if missed.is_some() { Hears::CatchingUp } else { Hears::Everything };
        let edge = self.subscribe_with(&mut subscriptions, Topic::Room(room.id), connection, hears);
        // Read only from here on: what is stored later passes the connection by, and is known to have done so.
        if let Some(missed) = missed {
            connection.resumption.begin(missed);
        }
        edge
    }

    /// Lets a connection hear a topic other than a room.
    pub(crate) fn subscribe(&self, topic: Topic, connection: &Arc<Connection>) -> Edge {
        let mut subscriptions = connection.subscriptions.lock();
        if subscriptions.has_left || subscriptions.topics.contains(&topic) {
            return Edge::Unchanged;
        }
        self.subscribe_with(&mut subscriptions, topic, connection, Hears::Everything)
    }

    fn subscribe_with(
        &self,
        subscriptions: &mut Subscriptions,
        topic: Topic,
        connection: &Arc<Connection>,
        hears: Hears,
    ) -> Edge {
        subscriptions.topics.push(topic);
        loop {
            let entry = Arc::clone(self.topics.write().entry(topic).or_default());
            let mut subscribers = entry.lock();
            if subscribers.is_retired {
                continue;
            }
            let edge = if subscribers.list.is_empty() { Edge::Crossed } else { Edge::Unchanged };
            subscribers.list.push(Subscriber { connection: Arc::clone(connection), hears });
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
        if let Some(place) = subscribers.place_of(connection.id) {
            subscribers.list.swap_remove(place);
        }
        if !subscribers.list.is_empty() || subscribers.is_retired {
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
        for Subscriber { connection, .. } in &entry.lock().list {
            if hears(connection) {
                connection.transport.deliver(&delivery);
                connection.transport.flush();
            }
        }
    }

    /// Delivers a message to those of a room's subscribers for whom `hears` holds, where it is the next one; one that
    /// they have had already is dropped. To be [flushed](Self::flush) when there are no more of them.
    pub(crate) fn post(
        &self,
        room: RoomId,
        seq: Seq,
        event: &Event,
        hears: impl Fn(&Connection) -> bool,
    ) -> Posting {
        self.entry(Topic::Room(room)).map_or(Posting::Done, |entry| entry.lock().post(seq, event, hears))
    }

    /// Lets go what was posted to a room.
    pub(crate) fn flush(&self, room: RoomId) {
        if let Some(entry) = self.entry(Topic::Room(room)) {
            entry.lock().list.iter().for_each(|subscriber| subscriber.connection.transport.flush());
        }
    }

    /// Says how far the messages of a room are to be taken for delivered, where nobody has said so yet.
    pub(crate) fn begin(&self, room: RoomId, newest: Place) {
        if let Some(entry) = self.entry(Topic::Room(room)) {
            entry.lock().delivered.get_or_insert(newest);
        }
    }

    /// Takes everything before a message for delivered.
    pub(crate) fn skip_to(&self, room: RoomId, seq: Seq) {
        if let Some(entry) = self.entry(Topic::Room(room)) {
            let delivered = &mut entry.lock().delivered;
            *delivered = delivered.map(|delivered| delivered.max(seq.previous()));
        }
    }

    /// How far the messages of a room have been delivered; `None` where nobody hears it, or nobody knows.
    pub(crate) fn delivered(&self, room: RoomId) -> Option<Place> {
        self.entry(Topic::Room(room)).and_then(|entry| entry.lock().delivered)
    }

    /// Lets a connection that has read the messages of a room up to a place hear those that follow.
    pub(crate) fn go_live(&self, room: RoomId, connection: &Connection, read: Place) -> GoingLive {
        self.entry(Topic::Room(room))
            .map_or(GoingLive::Gone, |entry| entry.lock().go_live(connection.id, read))
    }

    /// A room that somebody hears.
    pub(crate) fn room(&self, id: RoomId) -> Option<Room> {
        let first = self.entry(Topic::Room(id))?.lock().list.first()?.connection.clone();
        first.room_where(|room| room.id == id)
    }

    /// The rooms for members only that somebody on this node hears.
    pub(crate) fn closed_rooms(&self) -> Vec<RoomId> {
        let topics: Vec<_> =
            self.topics.read().iter().map(|(topic, entry)| (*topic, Arc::clone(entry))).collect();
        let is_closed = |room: RoomId, entry: &Mutex<Subscribers>| {
            let first = entry.lock().list.first().map(|subscriber| Arc::clone(&subscriber.connection));
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
        let Some(entry) = self.entry(topic) else { return Vec::new() };
        entry.lock().list.iter().map(|subscriber| Arc::clone(&subscriber.connection)).collect()
    }

    fn entry(&self, topic: Topic) -> Option<Arc<Mutex<Subscribers>>> {
        self.topics.read().get(&topic).cloned()
    }
}
