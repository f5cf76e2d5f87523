//! Who hears one topic, and how far the messages of a room have been delivered to them.

use std::collections::HashMap;
use std::sync::Arc;

use chat_protocol::{Seq, UserId};

use super::Edge;
use super::circle::Circle;
use super::connection::{Connection, ConnectionId};
use super::posts::{Mark, Part, Posting, Posts};
use crate::storage::Room;
use crate::{Moment, Novelty, Standing, Transport};

/// How far the messages of a room have been read or delivered: up to this one; `None` before the first.
pub(crate) type Place = Option<Seq>;

#[derive(Debug, Default)]
pub(super) struct Subscribers {
    pub(super) list: Vec<Subscriber>,
    /// What is posted, where the topic is a room. Most topics are users.
    pub(super) feed: Option<Box<Feed>>,
    /// How users stand, as the subscribers were told last.
    pub(super) standings: HashMap<UserId, Standing>,
    /// Set when the last has left and the topic was taken off the map; who still holds it must look anew.
    pub(super) is_retired: bool,
}

/// The messages of a room, as they are delivered.
#[derive(Debug)]
pub(super) struct Feed {
    pub(super) room: Room,
    /// How far they have been delivered, or are on their way to everybody who hears the room.
    pub(super) delivered: Place,
    /// Of messages that came too early: who does not hear them, when they are read from storage.
    unheard: Vec<Mark>,
    /// What some have had and others have not, where that is anything.
    circle: Option<Box<Circle>>,
}

impl Feed {
    pub(super) const fn new(room: Room, delivered: Place) -> Self {
        Self { room, delivered, unheard: Vec::new(), circle: None }
    }
}

#[derive(Debug)]
pub(super) struct Subscriber {
    pub(super) connection: Arc<Connection>,
    /// That of the connection: what is delivered to many goes without a look at each connection.
    transport: Arc<dyn Transport>,
    pub(super) entry: EntryId,
    pub(super) hears: Hears,
}

/// Tells the times apart that connections have entered a room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct EntryId(pub(super) u64);

/// Which messages reach a subscriber as they are posted. Other events always do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hears {
    Everything,
    /// None: it reads what was stored while it was away.
    CatchingUp,
    /// Those after the last one that it has read.
    After(Place),
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
    /// Adds a connection, which hears what is posted from now on.
    pub(super) fn add(&mut self, connection: &Arc<Connection>, entry: EntryId, hears: Hears) -> Edge {
        self.finish();
        let edge = if self.list.is_empty() { Edge::Crossed } else { Edge::Unchanged };
        // Most topics are users with one connection.
        self.list.reserve_exact(usize::from(self.list.is_empty()));
        let transport = Arc::clone(&connection.transport);
        self.list.push(Subscriber { connection: Arc::clone(connection), transport, entry, hears });
        edge
    }

    /// Removes a connection, which has had what was posted until now.
    pub(super) fn remove(&mut self, connection: ConnectionId) {
        self.finish();
        if let Some(place) = self.list.iter().position(|known| known.connection.id == connection) {
            self.list.swap_remove(place);
        }
    }

    /// Delivers the next messages to everybody.
    pub(super) fn post(&mut self, mut posts: Posts) -> Posting {
        self.finish();
        let Self { list, feed: Some(feed), .. } = self else { return Posting::unheard(&posts) };
        let posting = feed.take_next(&mut posts);
        let parts: Vec<Part<'_>> = posts.parts().collect();
        for subscriber in list {
            subscriber.hear(&parts);
        }
        posting
    }

    /// As [`post`](Self::post), where these are few; else the messages are under way from now on.
    pub(super) fn begin(&mut self, mut posts: Posts, few: usize) -> Posting {
        let Self { list, feed: Some(feed), .. } = self else { return Posting::unheard(&posts) };
        if feed.circle.is_none() && list.len() <= few {
            return self.post(posts);
        }
        let posting = feed.take_next(&mut posts);
        let circle = feed.circle.get_or_insert_default();
        circle.join(posts, list.len());
        Posting { under_way: circle.under_way(), ..posting }
    }

    /// Delivers what is under way to the next ones, so many at most; gives how many messages still are.
    pub(super) fn go_on(&mut self, most: usize) -> usize {
        let Self { list, feed: Some(feed), .. } = self else { return 0 };
        let Some(circle) = &mut feed.circle else { return 0 };
        circle.serve(list, most);
        let under_way = circle.under_way();
        if under_way == 0 {
            feed.circle = None;
        }
        under_way
    }

    /// Delivers what is under way to all who have not had it. Who hears of something else, or comes or goes, does so after
    /// that.
    pub(super) fn finish(&mut self) {
        self.go_on(usize::MAX);
    }

    /// Notes how a user stands, before the subscribers are told; whether that is news to them.
    pub(super) fn note_standing(&mut self, user: UserId, standing: Standing) -> Novelty {
        let Some(known) = self.standings.get_mut(&user) else {
            self.standings.insert(user, standing);
            return Novelty::Changed;
        };
        if standing.as_of != Moment::UNKNOWN && standing.as_of < known.as_of {
            return Novelty::Unchanged;
        }
        known.as_of = known.as_of.max(standing.as_of);
        let was_online = std::mem::replace(&mut known.is_online, standing.is_online);
        if was_online == standing.is_online { Novelty::Unchanged } else { Novelty::Changed }
    }

    pub(super) fn was_told_online(&self, user: UserId) -> bool {
        self.standings.get(&user).is_some_and(|standing| standing.is_online)
    }

    pub(super) fn forget_standing(&mut self, user: UserId) {
        self.standings.remove(&user);
    }

    /// Takes everything before a message for delivered.
    pub(super) fn skip_to(&mut self, seq: Seq) {
        if let Some(feed) = &mut self.feed {
            feed.delivered = feed.delivered.max(seq.previous());
        }
    }

    pub(super) fn go_live(&mut self, entry: EntryId, read: Place) -> GoingLive {
        let Some(subscriber) = self.list.iter_mut().find(|known| known.entry == entry) else {
            return GoingLive::Gone;
        };
        if self.feed.as_ref().is_some_and(|feed| feed.delivered > read) {
            return GoingLive::Behind;
        }
        subscriber.hears = Hears::After(read);
        GoingLive::Live
    }
}

impl Feed {
    /// Takes those that are the next ones for delivered, and drops the others.
    fn take_next(&mut self, posts: &mut Posts) -> Posting {
        if !self.unheard.is_empty() {
            posts.leave_out(&self.unheard);
        }
        let marks = posts.marks();
        let known = marks.iter().take_while(|mark| Some(mark.seq) <= self.delivered).count();
        let mut end = known;
        for mark in marks.iter().skip(known) {
            if self.delivered.map_or(Seq::FIRST, Seq::next) != mark.seq {
                break;
            }
            self.delivered = Some(mark.seq);
            end += 1;
        }
        self.unheard.retain(|mark| Some(mark.seq) > self.delivered);
        self.unheard.extend(marks.iter().skip(end).filter(|mark| mark.unheard_by.is_some()));
        let early_from = marks.get(end).map(|mark| mark.seq);
        posts.keep(&(known..end));
        Posting { posted: known..end, early_from, under_way: 0 }
    }
}

impl Subscriber {
    /// Delivers all of these messages that it hears.
    pub(super) fn hear(&mut self, parts: &[Part<'_>]) {
        let Some((last, others)) = parts.split_last() else { return };
        for part in others {
            if self.hears_all(part) {
                self.transport.deliver(part.together());
            } else {
                self.hear_some(part);
            }
        }
        if self.hears_all(last) {
            self.transport.deliver_last(last.together());
        } else {
            self.hear_some(last);
            self.transport.flush();
        }
    }

    fn hears_all(&mut self, part: &Part<'_>) -> bool {
        (part.is_for_all() && self.hears == Hears::Everything)
            || part.marks().iter().all(|mark| self.lets_pass(mark))
    }

    /// Delivers those messages that it hears.
    fn hear_some(&mut self, part: &Part<'_>) {
        for (mark, message) in part.apart() {
            if self.lets_pass(mark) {
                self.transport.deliver(&message);
            }
        }
    }

    /// Whether it hears a message. Asked again for the same one, the answer is the same.
    fn lets_pass(&mut self, message: &Mark) -> bool {
        let is_heard = match self.hears {
            Hears::Everything => true,
            Hears::CatchingUp => false,
            // What was stored and not yet posted when it was read.
            Hears::After(read) if Some(message.seq) <= read => false,
            Hears::After(_) => {
                self.hears = Hears::Everything;
                true
            }
        };
        // The connection is looked at only where somebody does not hear the message.
        is_heard && message.unheard_by.is_none_or(|unheard_by| unheard_by != self.connection.id)
    }
}

#[cfg(test)]
mod tests {
    use chat_protocol::{ErrorCode, Event, Refusal};
    use parking_lot::Mutex;

    use super::*;
    use crate::hub::connection::Trust;
    use crate::hub::resumption::Resumption;
    use crate::storage::examples;
    use crate::{CloseReason, Delivery};

    /// Counts what was delivered, and how much of it was flushed.
    #[derive(Debug, Default)]
    struct Counts(Mutex<(usize, usize)>);

    impl Transport for Counts {
        fn deliver(&self, delivery: &Delivery<'_>) {
            self.0.lock().0 += delivery.events().count();
        }

        fn flush(&self) {
            let mut counts = self.0.lock();
            counts.1 = counts.0;
        }

        fn close(&self, _: CloseReason) {}
    }

    #[test]
    fn whatever_part_of_it_somebody_hears_is_flushed() {
        let room = examples::room(1);
        let mut subscribers =
            Subscribers { feed: Some(Box::new(Feed::new(room, None))), ..Subscribers::default() };
        let second = Seq::FIRST.next();
        let all_hears = [Hears::Everything, Hears::CatchingUp, Hears::After(Some(Seq::FIRST))];
        let transports = all_hears.map(|hears| {
            let transport = Arc::new(Counts::default());
            let id = ConnectionId(subscribers.list.len() as u64);
            let shared: Arc<dyn Transport> = Arc::<Counts>::clone(&transport);
            let connection = Connection::new(id, None, Trust::Guest, shared, Resumption::default());
            subscribers.add(&Arc::new(connection), EntryId(id.0), hears);
            transport
        });
        let mut posts = Posts::default();
        for seq in [Seq::FIRST, second] {
            posts.push(seq, None, Event::Refused(Refusal::new(ErrorCode::Other)));
        }
        subscribers.post(posts);
        assert_eq!(transports.map(|transport| *transport.0.lock()), [(2, 2), (0, 0), (1, 1)]);
    }
}
