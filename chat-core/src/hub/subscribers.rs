//! Who hears one topic, and how far the messages of a room have been delivered to them.

use std::sync::Arc;

use chat_protocol::{Event, Seq};

use super::connection::{Connection, ConnectionId};
use crate::Delivery;

/// How far the messages of a room have been read or delivered: up to this one; `None` before the first.
pub(crate) type Place = Option<Seq>;

#[derive(Debug, Default)]
pub(super) struct Subscribers {
    pub(super) list: Vec<Subscriber>,
    /// How far the messages have been delivered; `None` where nobody has said yet where to begin.
    pub(super) delivered: Option<Place>,
    /// Set when the last has left and the topic was taken off the map; who still holds it must look anew.
    pub(super) is_retired: bool,
}

#[derive(Debug)]
pub(super) struct Subscriber {
    pub(super) connection: Arc<Connection>,
    pub(super) hears: Hears,
}

/// Which messages reach a subscriber as they are posted. Other events always do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hears {
    Everything,
    /// None: it reads what was stored while it was away.
    CatchingUp,
    /// Those after the last one that it has read.
    After(Place),
}

/// What became of a message that was to be delivered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Posting {
    /// It has reached everybody, now or before.
    Done,
    /// Nobody has had it: messages before it are missing.
    Early,
}

/// What became of a connection that was to go live.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum GoingLive {
    /// It hears everything from now on.
    Live,
    /// It must read on: more has been posted meanwhile.
    Behind,
    /// It does not hear the room any more.
    Gone,
}

impl Subscribers {
    pub(super) fn place_of(&self, connection: ConnectionId) -> Option<usize> {
        self.list.iter().position(|known| known.connection.id == connection)
    }

    /// Everybody is served under one lock, so that all see all messages in one order.
    pub(super) fn post(&mut self, seq: Seq, event: &Event, hears: impl Fn(&Connection) -> bool) -> Posting {
        if let Some(delivered) = self.delivered {
            if delivered.is_some_and(|delivered| seq <= delivered) {
                return Posting::Done;
            }
            if delivered.map_or(Seq::FIRST, Seq::next) != seq {
                return Posting::Early;
            }
        }
        self.delivered = Some(Some(seq));
        let delivery = Delivery::new(event);
        for subscriber in &mut self.list {
            if subscriber.lets_pass(seq) && hears(&subscriber.connection) {
                subscriber.connection.transport.deliver(&delivery);
            }
        }
        Posting::Done
    }

    pub(super) fn go_live(&mut self, connection: ConnectionId, read: Place) -> GoingLive {
        let Some(subscriber) = self.list.iter_mut().find(|known| known.connection.id == connection) else {
            return GoingLive::Gone;
        };
        if self.delivered.is_some_and(|delivered| delivered > read) {
            return GoingLive::Behind;
        }
        subscriber.hears = Hears::After(read);
        GoingLive::Live
    }
}

impl Subscriber {
    fn lets_pass(&mut self, seq: Seq) -> bool {
        match self.hears {
            Hears::Everything => true,
            Hears::CatchingUp => false,
            // What was stored and not yet posted when it was read.
            Hears::After(read) if Some(seq) <= read => false,
            Hears::After(_) => {
                self.hears = Hears::Everything;
                true
            }
        }
    }
}
