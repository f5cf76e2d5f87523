//! Delivers what is stored.
//!
//! A message goes round the people of its room, a few of them at a time. In between others have the thread, and what they send
//! meanwhile is stored and joins it on its way: nothing waits until something else has been all the way round. Who has stored
//! a message delivers it; what is under way after that is for couriers, of which there is one for each thread at best. Rooms do
//! not wait for one another, nor does the next transaction.

use std::thread;
use std::time::Duration;

use chat_protocol::{RoomId, RoomRef, Seq};
use tokio::task::yield_now;
use tokio::time::Instant;

use super::lanes::{Filled, Serving, Stored};
use super::{Origin, Submission, answer};
use crate::hub::{Posting, Posts};
use crate::room::view;
use crate::service::Inner;
use crate::service::listeners::{self, Posted};
use crate::storage::{Appended, Room, StoredMessage};

/// Who has delivered for so long lets others use the thread.
const SLICE: Duration = Duration::from_micros(200);

/// For how long somebody delivers what is in a lane.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::service) enum Stay {
    /// For a slice of time.
    Briefly,
    /// Until as many messages are delivered as were there at first: mostly those.
    ForWhatIsThere,
}

/// A time for which somebody has the thread.
#[derive(Debug, Default)]
struct Slice(Option<Instant>);

impl Slice {
    fn begin(&mut self) {
        self.0.get_or_insert_with(Instant::now);
    }

    fn is_over(&self) -> bool {
        self.0.is_some_and(|begun| begun.elapsed() > SLICE)
    }

    async fn wait_for_next(&mut self) {
        yield_now().await;
        self.0 = None;
    }
}

impl Inner {
    /// Delivers what is in these lanes, except where somebody does already. What is left is for couriers.
    pub(in crate::service) async fn deliver(&self, filled: Filled, stay: Stay) {
        let lanes = &self.commits.lanes;
        let errand = lanes.errand();
        let mut slice = Slice::default();
        for lane in filled.lanes() {
            while let Some(serving) = lanes.serve(lane) {
                let left = self.serve(serving, &mut slice, stay).await;
                if left.is_some() {
                    break;
                }
            }
        }
        errand.end();
    }

    /// A courier's work: delivers what others leave, without end. Where it is given up, another one is called.
    pub(in crate::service) async fn deliver_what_is_left(&self) {
        let lanes = &self.commits.lanes;
        let _errand = lanes.errand();
        loop {
            lanes.called().await;
            let mut slice = Slice::default();
            for lane in Filled::ALL.lanes() {
                if let Some(serving) = lanes.serve(lane) {
                    // Where something is left, this one is called again, or another.
                    drop(self.serve(serving, &mut slice, Stay::ForWhatIsThere).await);
                }
            }
            if slice.is_over() {
                slice.wait_for_next().await;
            }
        }
    }

    /// Serves a lane; gives it back where there is more than one was to stay for.
    async fn serve<'a>(
        &self,
        mut serving: Serving<'a>,
        slice: &mut Slice,
        stay: Stay,
    ) -> Option<Serving<'a>> {
        let mut due = None;
        while !serving.is_empty() {
            if slice.is_over() {
                if due == Some(0) || stay == Stay::Briefly {
                    return Some(serving);
                }
                if self.commits.is_storing() {
                    // Storage may wait for this core. It is to have it before the system would give it.
                    thread::yield_now();
                }
                slice.wait_for_next().await;
            }
            slice.begin();
            let stored = serving.take();
            let there = serving.messages();
            let mut news = Vec::new();
            let delivered = self.serve_some(&mut serving, stored, &mut news);
            due = Some(due.unwrap_or(there).saturating_sub(delivered));
            if !news.is_empty() {
                Box::pin(listeners::tell(self, news)).await;
            }
            // Not before: once everything is delivered, nobody is told any more.
            serving.free_places(delivered);
        }
        None
    }

    /// Sends stored messages on their way, and delivers what is under way in each room to some of its people. Gives how many
    /// are delivered to all, and adds what listeners are to be told.
    fn serve_some(
        &self,
        serving: &mut Serving<'_>,
        mut stored: Vec<Stored>,
        news: &mut Vec<Posted>,
    ) -> usize {
        let mut delivered = 0;
        // The messages of a room leave together, in their order.
        stored.sort_by_key(|stored| stored.submission.room.id);
        let mut stored = stored.into_iter().peekable();
        while let Some(first) = stored.next() {
            let room = first.submission.room.id;
            let mut of_room = vec![first];
            of_room.extend(std::iter::from_fn(|| stored.next_if(|next| next.submission.room.id == room)));
            delivered += self.begin(serving, room, of_room, news);
        }
        serving.retain(|of_room| {
            let left = self.hub.go_on(of_room.room);
            delivered += self.conclude(of_room.take_first(left), None, news);
            left > 0
        });
        delivered
    }

    /// Sends stored messages of a room on their way; gives how many are delivered to all by now.
    ///
    /// Where messages before them have not been delivered, they come after those, later. They are confirmed all the same:
    /// they are stored.
    fn begin(
        &self,
        serving: &mut Serving<'_>,
        room: RoomId,
        stored: Vec<Stored>,
        news: &mut Vec<Posted>,
    ) -> usize {
        let Posting { posted, early_from, under_way } = self.post(room, &stored);
        if early_from.is_some() {
            self.late_rooms.find(room);
        }
        if under_way == 0 || posted != (0..stored.len()) {
            // What is not posted now is confirmed at once, but not before what came first is heard.
            if under_way > 0 {
                self.hub.finish(room);
            }
            let before = serving.take_out(room).messages.into();
            return self.conclude(before, None, news) + self.conclude(stored, early_from, news);
        }
        let mut all = serving.take_out(room);
        all.messages.extend(stored);
        let delivered = self.conclude(all.take_first(under_way), None, news);
        serving.send(all);
        delivered
    }

    /// Posts the new ones among stored messages of a room.
    fn post(&self, room: RoomId, stored: &[Stored]) -> Posting {
        let mut posts = Posts::with_capacity(stored.len());
        for Stored { submission, outcome, .. } in stored {
            let Submission { room, origin, as_referred, .. } = &**submission;
            if let Appended::New(message) = outcome {
                let event = view::message_posted(room, as_referred.clone(), message);
                // Also what is too early here: others may have what is before it, and nobody else tells them of it.
                self.publish_posted(room.id, message.seq, || event.clone());
                posts.push(message.seq, origin.unheard_by(), event);
            }
        }
        self.hub.begin(room, posts)
    }

    /// Confirms messages of a room that everybody has had; those from a place on, that were too early, only to their senders.
    /// Gives how many they are.
    fn conclude(&self, stored: Vec<Stored>, early_from: Option<Seq>, news: &mut Vec<Posted>) -> usize {
        let Some(since) = stored.first().map(|first| first.since) else { return 0 };
        let messages = stored.len();
        let may_be_listeners = listeners::may_be_there(self);
        for Stored { submission, outcome, .. } in stored {
            let Submission { room, origin, as_referred, answer: sender, .. } = *submission;
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
        self.config.observer.delivered(messages, since.elapsed());
        messages
    }

    /// Delivers a message that was stored before: to everybody, where nobody has had it; else to who sends it again, save
    /// where it is among what they have missed.
    fn repeat(&self, room: &Room, origin: &Origin, as_referred: Option<RoomRef>, stored: &StoredMessage) {
        if self.hub.delivered(room.id).is_some_and(|delivered| delivered < Some(stored.seq)) {
            self.late_rooms.doubt(room.id);
        } else if let Origin::Connection(origin) = origin
            && origin.hears_itself()
            && !origin.resumption.is_of(room.id)
        {
            origin.deliver(&view::message_posted(room, as_referred, stored));
        }
    }
}
