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
    /// Until everybody has had what was there at first.
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

    /// A courier's work: delivers what others leave, without end. Where it is given up, another one must be
    /// [called](super::Commits::call).
    pub(in crate::service) async fn deliver_what_is_left(&self) {
        let lanes = &self.commits.lanes;
        let mut slice = Slice::default();
        loop {
            let mut is_busy = false;
            for lane in Filled::ALL.lanes() {
                let Some(serving) = lanes.serve(lane) else { continue };
                is_busy = true;
                if let Some(left) = self.serve(serving, &mut slice, Stay::ForWhatIsThere).await {
                    left.pause();
                }
            }
            if !is_busy {
                lanes.called().await;
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
                if self.commits.are_under_way() {
                    // Storage may wait for this core. It is to have it before the system would give it.
                    thread::yield_now();
                }
                slice.wait_for_next().await;
            }
            slice.begin();
            let stored = serving.take();
            let there = serving.messages();
            let news = self.serve_some(&mut serving, stored);
            due = Some(due.unwrap_or(there).saturating_sub(there - serving.messages()));
            if !news.is_empty() {
                Box::pin(listeners::tell(self, news)).await;
            }
        }
        None
    }

    /// Sends stored messages on their way, and delivers what is under way in each room to some of its people; gives what
    /// listeners are to be told.
    fn serve_some(&self, serving: &mut Serving<'_>, mut stored: Vec<Stored>) -> Vec<Posted> {
        let mut news = Vec::new();
        // The messages of a room leave together, in their order.
        stored.sort_by_key(|stored| stored.submission.room.id);
        let mut stored = stored.into_iter().peekable();
        while let Some(first) = stored.next() {
            let room = first.submission.room.id;
            let mut of_room = vec![first];
            of_room.extend(std::iter::from_fn(|| stored.next_if(|next| next.submission.room.id == room)));
            self.begin(serving, room, of_room, &mut news);
        }
        let mut delivered = Vec::new();
        serving.retain(|of_room| {
            let left = self.hub.go_on(of_room.room);
            delivered.extend(of_room.take_first(left));
            left > 0
        });
        self.conclude(serving, delivered, None, &mut news);
        news
    }

    /// Sends stored messages of a room on their way.
    ///
    /// Where messages before them have not been delivered, they come after those, later. They are confirmed all the same:
    /// they are stored.
    fn begin(&self, serving: &mut Serving<'_>, room: RoomId, stored: Vec<Stored>, news: &mut Vec<Posted>) {
        let Posting { posted, early_from, under_way } = self.post(room, &stored);
        if early_from.is_some() {
            self.late_rooms.find(room);
        }
        let mut all = serving.take_out(room);
        if under_way == 0 || stored.iter().any(Stored::is_repeated) {
            // Who sends something again is not to hear it before what came first.
            self.hub.finish(room);
            self.conclude(serving, all.take_first(0).collect(), None, news);
            return self.conclude(serving, stored, early_from, news);
        }
        let mut places = 0..;
        let (posted, others): (Vec<Stored>, _) =
            stored.into_iter().partition(|_| places.next().is_some_and(|place| posted.contains(&place)));
        self.conclude(serving, others, early_from, news);
        all.messages.extend(posted);
        self.conclude(serving, all.take_first(under_way).collect(), None, news);
        serving.send(all);
    }

    /// Posts the new ones among stored messages of a room.
    fn post(&self, room: RoomId, stored: &[Stored]) -> Posting {
        let mut posts = Posts::with_capacity(stored.len());
        for Stored { submission: Submission { room, origin, as_referred, .. }, outcome, .. } in stored {
            if let Appended::New(message) = outcome {
                let event = view::message_posted(room, as_referred.clone(), message);
                // Also what is too early here: others may have what is before it, and nobody else tells them of it.
                self.publish_posted(room.id, message.seq, || event.clone());
                posts.push(message.seq, origin.unheard_by(), event);
            }
        }
        self.hub.begin(room, posts)
    }

    /// Confirms messages of a room that everybody has had; those from a place on, that were too early, only their senders.
    fn conclude(
        &self,
        serving: &mut Serving<'_>,
        stored: Vec<Stored>,
        early_from: Option<Seq>,
        news: &mut Vec<Posted>,
    ) {
        let Some(since) = stored.first().map(|first| first.since) else { return };
        let messages = stored.len();
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
        serving.free_places(messages);
        self.config.observer.delivered(messages, since.elapsed());
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
