//! Delivers what is stored.
//!
//! A room that takes long keeps one thread busy, and no other: meanwhile the next transaction begins, and other rooms are
//! served, by whoever has stored something for them. A lone message is delivered at once, by who has stored it.

use std::time::Duration;

use chat_protocol::{RoomId, RoomRef, Seq};
use tokio::task::yield_now;
use tokio::time::Instant;

use super::lanes::{Filled, Stored};
use super::{Origin, Submission, answer};
use crate::hub::Posts;
use crate::room::view;
use crate::service::Inner;
use crate::service::listeners::{self, Posted};
use crate::storage::{Appended, Room, StoredMessage};

/// Who has delivered for so long lets others use the thread before the next lane.
const SLICE: Duration = Duration::from_micros(200);

impl Inner {
    /// Delivers what is in these lanes, and what comes into them meanwhile, except where somebody does already.
    pub(in crate::service) async fn deliver(&self, filled: Filled) {
        let lanes = &self.commits.lanes;
        let mut begun: Option<Instant> = None;
        for lane in filled.lanes() {
            while lanes.is_unserved(lane) {
                if begun.is_some_and(|begun| begun.elapsed() > SLICE) {
                    begun = None;
                    yield_now().await;
                }
                let Some(mut serving) = lanes.serve(lane) else { break };
                let stored = serving.take();
                begun = begun.or_else(|| stored.first().map(|first| first.since));
                let news = self.announce_all(stored);
                if !news.is_empty() {
                    Box::pin(listeners::tell(self, news)).await;
                }
            }
        }
    }

    /// Delivers stored messages to everybody, and confirms them; gives what listeners are to be told.
    fn announce_all(&self, mut stored: Vec<Stored>) -> Vec<Posted> {
        let Some(since) = stored.first().map(|first| first.since) else { return Vec::new() };
        let messages = stored.len();
        // The messages of a room leave together, in their order.
        stored.sort_by_key(|stored| stored.submission.room.id);
        let mut stored = stored.into_iter().peekable();
        let mut news = Vec::new();
        while let Some(first) = stored.next() {
            let room = first.submission.room.id;
            let mut of_room = vec![first];
            of_room.extend(std::iter::from_fn(|| stored.next_if(|next| next.submission.room.id == room)));
            self.announce(room, of_room, &mut news);
        }
        self.config.observer.delivered(messages, since.elapsed());
        news
    }

    /// Delivers stored messages of a room to everybody, and confirms them; adds what listeners are to be told.
    ///
    /// Where messages before them have not been delivered, they come after those, later. They are confirmed all the same:
    /// they are stored.
    fn announce(&self, room: RoomId, stored: Vec<Stored>, news: &mut Vec<Posted>) {
        let early_from = self.post(room, &stored);
        let may_be_listeners = listeners::may_be_there(self);
        for Stored { submission, outcome, .. } in stored {
            let Submission { room, origin, as_referred, answer: sender, .. } = submission;
            let stored = match outcome {
                Appended::New(stored) => {
                    self.relays.posted(&room, &stored, &origin);
                    let is_heard = early_from.is_none_or(|early| stored.seq < early);
                    if is_heard && may_be_listeners {
                        news.push(Posted { room, message: stored.clone() });
                    }
                    stored
                }
                Appended::Repeated(stored) => {
                    self.repeat(&room, &origin, as_referred, &stored);
                    stored
                }
            };
            answer(sender, Ok(stored));
        }
    }

    /// Delivers the new ones among stored messages of a room; gives the first that could not be delivered already.
    fn post(&self, room: RoomId, stored: &[Stored]) -> Option<Seq> {
        let mut posts = Posts::with_capacity(stored.len());
        for Stored { submission: Submission { room, origin, as_referred, .. }, outcome, .. } in stored {
            if let Appended::New(message) = outcome {
                let event = view::message_posted(room, as_referred.clone(), message);
                posts.push(message.seq, origin.unheard_by(), event);
            }
        }
        let early_from = self.hub.post(room, &mut posts).early_from;
        if early_from.is_some() {
            self.late_rooms.find(room);
        }
        // Also what is too early here: others may have what is before it, and nobody else tells them of it.
        for (seq, event) in posts.into_events() {
            self.publish_posted(room, seq, event);
        }
        early_from
    }

    /// Delivers a message that was stored before: to everybody, where nobody has had it; else to who sends it again, save
    /// where it is among what they have missed.
    fn repeat(&self, room: &Room, origin: &Origin, as_referred: Option<RoomRef>, stored: &StoredMessage) {
        if self.hub.feed(room.id).is_some_and(|feed| feed.delivered < Some(stored.seq)) {
            self.late_rooms.doubt(room.id);
        } else if let Origin::Connection(origin) = origin
            && origin.hears_itself()
            && !origin.resumption.is_of(room.id)
        {
            origin.deliver(&view::message_posted(room, as_referred, stored));
        }
    }
}
