//! How the nodes of a cluster hear of each other's events.

use std::fmt;

use async_trait::async_trait;
use chat_protocol::{Event, RoomId, Seq, UserId};

/// What an event is about, and who hears it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Topic {
    /// Everybody who hears a room.
    Room(RoomId),
    /// Every connection that belongs to a user.
    User(UserId),
    /// The listeners who gave a name: they hear of the rooms that they are members of.
    Listeners,
    /// The listeners who gave none: they hear of every open room.
    OpenListeners,
}

/// Who of a topic's subscribers is left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Audience {
    /// Nobody.
    Everyone,
    /// All connections of this user.
    EveryoneBut(UserId),
}

/// An event on its way to other nodes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Envelope {
    /// Who hears it.
    pub topic: Topic,
    /// Who of them is left out.
    pub audience: Audience,
    /// What happened.
    pub event: Event,
    /// The place of the message in its room, where the event is that one was posted to the room of the topic.
    pub seq: Option<Seq>,
}

/// Carries events between the nodes of a cluster; the term is that of Django Channels.
///
/// A node delivers its own events to its own clients itself: a layer never brings back to a node what that node
/// published. Between nodes it may drop, delay or double an envelope, but hands over those of one node in the order
/// in which they were published.
#[async_trait]
pub trait ChannelLayer: fmt::Debug + Send + Sync + 'static {
    /// Hands an envelope to every other node that subscribes to its topic.
    ///
    /// Never waits: what cannot be sent now is queued within bounds, or dropped.
    fn publish(&self, envelope: Envelope);

    /// Whether some other node may subscribe to a topic. A layer that cannot tell says `true`.
    fn has_subscribers(&self, topic: Topic) -> bool;

    /// Begins to receive a topic. When this returns, everything that is published from then on is received.
    async fn subscribe(&self, topic: Topic);

    /// Ceases to receive a topic.
    async fn unsubscribe(&self, topic: Topic);

    /// The next envelope from another node; waits for it. One caller at a time.
    ///
    /// Given up while it waits, it has taken nothing.
    async fn receive(&self) -> Envelope;
}
