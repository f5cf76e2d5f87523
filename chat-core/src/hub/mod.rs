//! The local subscribers of each topic, and the fan-out of events to them.

mod circle;
mod connection;
mod posts;
mod resumption;
mod subscribers;

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use chat_protocol::{Event, RoomId, RoomName, Seq, UserId};
use foldhash::fast::RandomState;
use parking_lot::{Mutex, RwLock};

pub(crate) use connection::{Connection, ConnectionId, Trust};
pub(crate) use posts::{Posting, Posts};
pub(crate) use resumption::{Missed, Resumption, ToRead};
pub(crate) use subscribers::{EntryId, GoingLive, Place};

use crate::room::view;
use crate::storage::{Access, Room, User};
use crate::{Delivery, Novelty, Standing, Topic};
use connection::{Entered, Subscriptions};
use subscribers::{Feed, Hears, Subscriber, Subscribers};

/// Whether a change to a topic's subscribers changed that there are any.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Edge {
    /// There are subscribers now and were none before, or the other way round.
    Crossed,
    Unchanged,
}

/// So many are served at a stretch.
const AT_A_STRETCH: usize = 32;

/// Who on this node hears what.
#[derive(Debug, Default)]
pub(crate) struct Hub {
    topics: RwLock<Topics>,
    last_entry: AtomicU64,
}

#[derive(Debug, Default)]
struct Topics {
    /// Looked up for every message, and by ids only, which the server gives out: nobody can choose them to collide.
    subscribers: HashMap<Topic, Arc<Mutex<Subscribers>>, RandomState>,
    /// The rooms among them. What a room is never changes, so that nobody else need be asked while it is heard.
    rooms: HashMap<RoomName, RoomId>,
}

impl Hub {
    /// Lets a connection hear a room; its messages only once it has [caught up](Self::go_live), where it wants what it
    /// has missed.
    ///
    /// `newest` is the place of the room's newest message, or of one that was the newest not long ago: from there on
    /// messages are delivered. Not needed where somebody hears the room already; `None` where it is needed and not given.
    pub(crate) fn enter(
        &self,
        room: &Room,
        connection: &Arc<Connection>,
        newest: Option<Place>,
    ) -> Option<Edge> {
        let mut subscriptions = connection.subscriptions.lock();
        if subscriptions.has_left || subscriptions.rooms.iter().any(|known| known.room.id == room.id) {
            return Some(Edge::Unchanged);
        }
        let topic = Topic::Room(room.id);
        loop {
            let subscribers = match newest {
                None => self.entry(topic)?,
                Some(delivered) => {
                    self.entry_or(topic, || Some(Box::new(Feed::new(room.clone(), delivered))))
                }
            };
            let mut subscribers = subscribers.lock();
            if subscribers.is_retired {
                newest?;
                continue;
            }
            let entry = self.next_entry();
            subscriptions.make_room();
            subscriptions.topics.push(topic);
            subscriptions.rooms.push(Entered { room: room.clone(), entry });
            let since = connection.resumption.take(room, connection.home == Some(room.id));
            let hears = if since.is_some() { Hears::CatchingUp } else { Hears::Everything };
            let edge = subscribers.add(connection, entry, hears);
            // Read only from here on: what is stored later passes the connection by, and is known to have done so.
            if let Some(since) = since {
                connection.resumption.begin(Missed { room: room.clone(), entry, since });
            }
            return Some(edge);
        }
    }

    /// Lets a connection hear a topic other than a room.
    pub(crate) fn subscribe(&self, topic: Topic, connection: &Arc<Connection>) -> Edge {
        let mut subscriptions = connection.subscriptions.lock();
        if subscriptions.has_left || subscriptions.topics.contains(&topic) {
            return Edge::Unchanged;
        }
        subscriptions.topics.push(topic);
        loop {
            let subscribers = self.entry_or(topic, || None);
            let mut subscribers = subscribers.lock();
            if !subscribers.is_retired {
                let entry = self.next_entry();
                return subscribers.add(connection, entry, Hears::Everything);
            }
        }
    }

    /// Lets a connection hear a room no longer.
    pub(crate) fn exit(&self, room: RoomId, connection: &Connection) -> Edge {
        let mut subscriptions = connection.subscriptions.lock();
        subscriptions.rooms.retain(|known| known.room.id != room);
        self.unsubscribe_with(&mut subscriptions, Topic::Room(room), connection)
    }

    /// Lets a connection hear a topic no longer.
    pub(crate) fn unsubscribe(&self, topic: Topic, connection: &Connection) -> Edge {
        self.unsubscribe_with(&mut connection.subscriptions.lock(), topic, connection)
    }

    fn unsubscribe_with(
        &self,
        subscriptions: &mut Subscriptions,
        topic: Topic,
        connection: &Connection,
    ) -> Edge {
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
        subscribers.remove(connection.id);
        if !subscribers.list.is_empty() || subscribers.is_retired {
            return Edge::Unchanged;
        }
        subscribers.is_retired = true;
        let room = subscribers.feed.as_deref().map(|feed| feed.room.name.clone());
        drop(subscribers);
        let mut topics = self.topics.write();
        topics.subscribers.remove(&topic);
        if let Some(room) = room {
            topics.rooms.remove(&room);
        }
        Edge::Crossed
    }

    /// Whether anybody on this node hears a topic.
    pub(crate) fn has_subscribers(&self, topic: Topic) -> bool {
        self.topics.read().subscribers.contains_key(&topic)
    }

    /// Delivers an event to those of a topic's subscribers for whom `hears` holds.
    ///
    /// The topic stays locked meanwhile, so that all of its subscribers see all of its events in one order.
    pub(crate) fn deliver(&self, topic: Topic, event: &Event, hears: impl Fn(&Connection) -> bool) {
        let Some(entry) = self.entry(topic) else { return };
        let mut subscribers = entry.lock();
        subscribers.finish();
        let delivery = Delivery::new(event);
        for Subscriber { connection, .. } in &subscribers.list {
            if hears(connection) {
                connection.transport.deliver_last(&delivery);
            }
        }
    }

    /// Tells those who hear a room how a user stands, save the user, where that is news to them.
    pub(crate) fn tell_presence(&self, room: RoomId, user: &User, standing: Standing) {
        let Some(entry) = self.entry(Topic::Room(room)) else { return };
        let mut subscribers = entry.lock();
        if subscribers.note_standing(user.id, standing) == Novelty::Unchanged {
            return;
        }
        subscribers.finish();
        let event = view::presence_changed(user, standing.is_online);
        let delivery = Delivery::new(&event);
        for Subscriber { connection, .. } in &subscribers.list {
            if !connection.is_of(user.id) {
                connection.transport.deliver_last(&delivery);
            }
        }
    }

    /// Whether those who hear a room were told last that a user is online.
    pub(crate) fn was_told_online(&self, room: RoomId, user: UserId) -> bool {
        self.entry(Topic::Room(room)).is_some_and(|entry| entry.lock().was_told_online(user))
    }

    /// From now on it is news to a room how a user stands.
    pub(crate) fn forget_presence(&self, room: RoomId, user: UserId) {
        if let Some(entry) = self.entry(Topic::Room(room)) {
            entry.lock().forget_standing(user);
        }
    }

    /// Delivers messages to a room's subscribers, as far as they are the next ones; those that they have had already are
    /// dropped.
    pub(crate) fn post(&self, room: RoomId, posts: Posts) -> Posting {
        match self.entry(Topic::Room(room)) {
            Some(entry) => entry.lock().post(posts),
            None => Posting::unheard(&posts),
        }
    }

    /// As [`post`](Self::post), where they are few; else the messages are under way from now on, until they have
    /// [gone on](Self::go_on) to everybody.
    pub(crate) fn begin(&self, room: RoomId, posts: Posts) -> Posting {
        match self.entry(Topic::Room(room)) {
            Some(entry) => entry.lock().begin(posts, AT_A_STRETCH),
            None => Posting::unheard(&posts),
        }
    }

    /// Delivers what is under way in a room to the next of its subscribers; gives how many of the messages still are.
    pub(crate) fn go_on(&self, room: RoomId) -> usize {
        self.entry(Topic::Room(room)).map_or(0, |entry| entry.lock().go_on(AT_A_STRETCH))
    }

    /// Delivers what is under way in a room to everybody who has not had it.
    pub(crate) fn finish(&self, room: RoomId) {
        if let Some(entry) = self.entry(Topic::Room(room)) {
            entry.lock().finish();
        }
    }

    /// Takes everything before a message for delivered: it is stored no longer.
    pub(crate) fn skip_to(&self, room: RoomId, seq: Seq) {
        if let Some(entry) = self.entry(Topic::Room(room)) {
            entry.lock().skip_to(seq);
        }
    }

    /// A room that somebody hears; `None` where nobody does.
    pub(crate) fn room(&self, room: RoomId) -> Option<Room> {
        self.of_feed(room, |feed| feed.room.clone())
    }

    /// How far the messages of a room have been delivered, or are under way; `None` where nobody hears it.
    pub(crate) fn delivered(&self, room: RoomId) -> Option<Place> {
        self.of_feed(room, |feed| feed.delivered)
    }

    fn of_feed<T>(&self, room: RoomId, take: impl FnOnce(&Feed) -> T) -> Option<T> {
        self.entry(Topic::Room(room)).and_then(|entry| entry.lock().feed.as_deref().map(take))
    }

    /// Lets a connection that has read the messages of a room up to a place hear those that follow.
    pub(crate) fn go_live(&self, room: RoomId, entry: EntryId, read: Place) -> GoingLive {
        let subscribers = self.entry(Topic::Room(room));
        subscribers.map_or(GoingLive::Gone, |subscribers| subscribers.lock().go_live(entry, read))
    }

    /// The rooms that somebody on this node hears.
    pub(crate) fn rooms(&self) -> Vec<RoomId> {
        self.topics.read().rooms.values().copied().collect()
    }

    /// The room of this name, where somebody on this node hears it.
    pub(crate) fn room_named(&self, name: &RoomName) -> Option<Room> {
        let room = *self.topics.read().rooms.get(name)?;
        self.room(room)
    }

    /// The rooms for members only that somebody on this node hears.
    pub(crate) fn closed_rooms(&self) -> Vec<RoomId> {
        let topics: Vec<_> = self.topics.read().subscribers.values().map(Arc::clone).collect();
        let closed = topics.into_iter().filter_map(|entry| {
            let subscribers = entry.lock();
            let room = &subscribers.feed.as_ref()?.room;
            (room.access == Access::MembersOnly).then_some(room.id)
        });
        closed.collect()
    }

    /// The connections that hear a topic.
    pub(crate) fn connections(&self, topic: Topic) -> Vec<Arc<Connection>> {
        let Some(entry) = self.entry(topic) else { return Vec::new() };
        entry.lock().list.iter().map(|subscriber| Arc::clone(&subscriber.connection)).collect()
    }

    /// The connections that carry all rooms of their user.
    pub(crate) fn carriers(&self) -> Vec<(UserId, Arc<Connection>)> {
        let topics: Vec<Topic> = self.topics.read().subscribers.keys().copied().collect();
        let users = topics.into_iter().filter_map(|topic| match topic {
            Topic::User(user) => Some(user),
            Topic::Room(_) | Topic::Listeners | Topic::OpenListeners => None,
        });
        let of_user =
            |user| self.connections(Topic::User(user)).into_iter().map(move |connection| (user, connection));
        users.flat_map(of_user).filter(|(_, connection)| connection.carries_all_rooms()).collect()
    }

    fn next_entry(&self) -> EntryId {
        EntryId(self.last_entry.fetch_add(1, Ordering::Relaxed))
    }

    fn entry_or(&self, topic: Topic, feed: impl FnOnce() -> Option<Box<Feed>>) -> Arc<Mutex<Subscribers>> {
        let Topics { subscribers, rooms } = &mut *self.topics.write();
        let new = || {
            let feed = feed();
            rooms.extend(feed.as_deref().map(|feed| (feed.room.name.clone(), feed.room.id)));
            Arc::new(Mutex::new(Subscribers { feed, ..Subscribers::default() }))
        };
        Arc::clone(subscribers.entry(topic).or_insert_with(new))
    }

    fn entry(&self, topic: Topic) -> Option<Arc<Mutex<Subscribers>>> {
        self.topics.read().subscribers.get(&topic).cloned()
    }
}
