//! How the nodes of a cluster hear of each other's events.

use std::fmt;

use async_trait::async_trait;
use chat_protocol::{Event, RoomActivity, RoomId, Seq, UserId};

use crate::storage::{Access, User};
use crate::{Roster, Standing};

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

/// Something on its way to other nodes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Envelope {
    /// Whom it concerns.
    pub topic: Topic,
    /// What happened.
    pub content: Content,
}

/// What one node tells the others.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Content {
    /// The subscribers of the topic are told of an event.
    Told {
        /// Which.
        event: Event,
        /// Who of them is left out.
        audience: Audience,
    },
    /// The listeners of the topic are told of a message in some room.
    Active(Activity),
    /// A message was posted to the room of the topic.
    Posted {
        /// Its place in the room.
        seq: Seq,
        /// The message.
        event: Event,
    },
    /// The room of the topic is told that somebody in it began or ceased to type.
    Typing {
        /// Who.
        user: User,
        /// Whether they type.
        is_typing: bool,
    },
    /// The room of the topic is told how one of its members stands.
    Presence {
        /// Who.
        user: User,
        /// How.
        standing: Standing,
    },
    /// Somebody is a member of the room of the topic no longer.
    Removed(UserId),
    /// The user of the topic has become a member of a room.
    Joined(RoomId),
}

/// A message in some room, and which listeners hear of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Activity {
    /// What they are told.
    pub told: RoomActivity,
    /// Who may enter the room.
    pub access: Access,
    /// Its members: where the topic is that of listeners who gave a name, those hear of it.
    pub members: Vec<UserId>,
}

/// What comes from a layer.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "each is taken apart as soon as it is made")]
pub enum Received {
    /// What another node has published.
    Envelope(Envelope),
    /// Something of this topic may have been lost.
    Missed(Topic),
    /// Something of any topic may have been lost: this node was cut off, and is not any more.
    Interrupted,
}

/// Carries events between the nodes of a cluster; the term is that of Django Channels.
///
/// A node delivers its own events to its own clients itself: a layer never brings back to a node what that node
/// published. Between nodes it may drop, delay or double an envelope, but hands over those of one node in the order
/// in which they were published. What it knows to be lost, it says, as soon as it is sure to lose nothing more.
#[async_trait]
pub trait ChannelLayer: fmt::Debug + Send + Sync + 'static {
    /// Hands an envelope to every other node that subscribes to its topic.
    ///
    /// Never waits: what cannot be sent now is queued within bounds, or dropped.
    fn publish(&self, envelope: Envelope);

    /// Whether some other node may subscribe to a topic. A layer that cannot tell says `true`.
    fn has_subscribers(&self, topic: Topic) -> bool;

    /// Whether some node subscribes to one of these topics: for what is dear to make. Whoever subscribed before this is
    /// called, is found. A layer that cannot tell says `true`. Returns within a bounded time.
    async fn is_heard(&self, topics: &[Topic]) -> bool {
        topics.iter().any(|topic| self.has_subscribers(*topic))
    }

    /// Begins to receive a topic. When this returns, everything that is published from then on is received, or
    /// [said](Received::Interrupted) to be lost.
    ///
    /// Returns within a bounded time.
    async fn subscribe(&self, topic: Topic);

    /// Ceases to receive a topic. Returns within a bounded time.
    async fn unsubscribe(&self, topic: Topic);

    /// What comes next from other nodes; waits for it. One caller at a time.
    ///
    /// Given up while it waits, it has taken nothing.
    async fn receive(&self) -> Received;

    /// Waits until what was published is on its way, within a bounded time: nothing more comes.
    async fn close(&self);
}

/// Everything that a service needs of the way between nodes.
pub trait Layer: ChannelLayer + Roster {}

impl<T: ChannelLayer + Roster> Layer for T {}
