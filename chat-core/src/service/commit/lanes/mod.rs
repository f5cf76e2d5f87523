//! What is stored and not yet delivered, by room.
//!
//! What a transaction has stored is put into lanes before the next one begins: a lane has the messages of each of its rooms in
//! their order. One at a time serves a lane. Who finds that somebody does leaves to them what it has put there.

mod serving;

use std::convert::Infallible;
use std::mem;
use std::ops::BitOrAssign;
use std::sync::atomic::{AtomicUsize, Ordering};

use chat_protocol::RoomId;
use parking_lot::Mutex;
use tokio::sync::{Notify, Semaphore, oneshot};
use tokio::time::Instant;

use super::Submission;
use crate::storage::Appended;
pub(super) use serving::{Errand, Serving, UnderWay};

/// More than most machines have cores: two rooms that are busy at a time seldom share one.
const LANES: usize = u64::BITS as usize;

/// The lanes of a service.
#[derive(Debug)]
pub(super) struct Lanes {
    by_number: [Mutex<Lane>; LANES],
    /// A place for each message that may be here.
    places: Semaphore,
    most: u32,
    /// Calls for somebody to go on, where there is something left in a lane.
    left: Notify,
    /// In how many rooms something is under way.
    busy_rooms: AtomicUsize,
}

#[derive(Debug, Default)]
struct Lane {
    stored: Vec<Stored>,
    /// What some have had and others have not.
    under_way: Vec<UnderWay>,
    is_served: bool,
    /// Who waits until what is stored is at least under way: told by being dropped.
    waiting: Vec<oneshot::Sender<Infallible>>,
}

/// A message that is stored.
#[derive(Debug)]
pub(super) struct Stored {
    pub(super) submission: Box<Submission>,
    pub(super) outcome: Appended,
    /// Since when it is.
    pub(super) since: Instant,
}

/// Lanes into which something was put.
#[derive(Debug, Clone, Copy, Default)]
pub(in crate::service) struct Filled(u64);

impl Lanes {
    /// With places for so many messages.
    pub(super) fn new(places: usize) -> Self {
        let most = u32::try_from(places.clamp(1, Semaphore::MAX_PERMITS)).unwrap_or(u32::MAX);
        Self {
            by_number: [const { Mutex::new(Lane::EMPTY) }; LANES],
            places: Semaphore::new(most as usize),
            most,
            left: Notify::new(),
            busy_rooms: AtomicUsize::new(0),
        }
    }

    /// Waits until there are places for so many messages, which are not more than there are at all; keeps them.
    pub(super) async fn keep_places(&self, messages: usize) {
        let messages = u32::try_from(messages).unwrap_or(u32::MAX).min(self.most);
        let places = match self.places.try_acquire_many(messages) {
            Ok(places) => Some(places),
            Err(_) => Box::pin(self.places.acquire_many(messages)).await.ok(),
        };
        // There are none only where the semaphore is closed, and it never is.
        if let Some(places) = places {
            places.forget();
        }
    }

    /// Gives places back, of messages that are not stored.
    pub(super) fn free_places(&self, messages: usize) {
        self.places.add_permits(messages);
    }

    /// Waits until everything has been delivered.
    pub(super) async fn empty(&self) {
        drop(self.places.acquire_many(self.most).await);
    }

    /// Puts in stored messages that have places, in their order.
    pub(super) fn put(&self, stored: impl Iterator<Item = (Box<Submission>, Appended)>) -> Filled {
        let since = Instant::now();
        let mut filled = Filled::default();
        for (submission, outcome) in stored {
            let number = lane_of(submission.room.id);
            let Some(lane) = self.by_number.get(number) else { continue };
            let mut lane = lane.lock();
            // Mostly it is served before there is a second one.
            let more = usize::from(lane.stored.is_empty());
            lane.stored.reserve_exact(more);
            lane.stored.push(Stored { submission, outcome, since });
            filled.0 |= 1 << number;
        }
        filled
    }

    /// Begins to serve a lane, unless there is nothing in it, or somebody does already.
    pub(super) fn serve(&self, number: usize) -> Option<Serving<'_>> {
        let lane = self.by_number.get(number)?;
        let mut locked = lane.lock();
        if locked.is_served || locked.is_empty() {
            return None;
        }
        locked.is_served = true;
        let under_way = mem::take(&mut locked.under_way);
        Some(Serving::new(self, lane, under_way))
    }

    /// Whether a message is under way in a room: a big one, mostly.
    pub(super) fn are_busy(&self) -> bool {
        self.busy_rooms.load(Ordering::Relaxed) > 0
    }

    /// Begins a round of some lanes.
    pub(super) const fn errand(&self) -> Errand<'_> {
        Errand::new(self)
    }

    /// Calls somebody who serves what others leave.
    pub(super) fn call(&self) {
        self.left.notify_one();
    }

    /// Waits until somebody is called to serve what others leave.
    pub(super) async fn called(&self) {
        self.left.notified().await;
    }

    /// Waits until everything is under way, at least, that is in the lane of a room by now. Whoever serves the lane does that.
    pub(in crate::service) async fn pass(&self, room: RoomId) {
        let passed = self.by_number.get(lane_of(room)).and_then(|lane| lane.lock().passed());
        if let Some(passed) = passed {
            // It has no more to say than that.
            drop(passed.await);
        }
    }
}

impl Lane {
    const EMPTY: Self =
        Self { stored: Vec::new(), under_way: Vec::new(), is_served: false, waiting: Vec::new() };

    const fn is_empty(&self) -> bool {
        self.stored.is_empty() && self.under_way.is_empty()
    }

    /// Ends when everything is under way that is here by now; `None` where it is.
    fn passed(&mut self) -> Option<oneshot::Receiver<Infallible>> {
        if !self.is_served && self.stored.is_empty() {
            return None;
        }
        let (tell, passed) = oneshot::channel();
        self.waiting.push(tell);
        Some(passed)
    }
}

impl BitOrAssign for Filled {
    fn bitor_assign(&mut self, other: Self) {
        self.0 |= other.0;
    }
}

impl Filled {
    /// All there are.
    pub(super) const ALL: Self = Self(u64::MAX);

    /// Their numbers.
    pub(super) fn lanes(self) -> impl Iterator<Item = usize> {
        let mut left = self.0;
        std::iter::from_fn(move || {
            let lane = (left != 0).then(|| left.trailing_zeros() as usize)?;
            left &= left - 1;
            Some(lane)
        })
    }
}

fn lane_of(room: RoomId) -> usize {
    let number = room.value().unsigned_abs() % u64::from(u64::BITS);
    usize::try_from(number).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use chat_protocol::Seq;
    use futures::FutureExt;

    use super::*;
    use crate::service::commit::Origin;
    use crate::service::relay::RelayId;
    use crate::storage::{NewMessage, StoredMessage, examples};

    /// A message to a room with this id.
    fn stored(room: i64) -> (Box<Submission>, Appended) {
        let message = examples::message(room, Seq::FIRST, "hello");
        let room = examples::room(room);
        let StoredMessage { room: to, sender, text, sent_at, client_id, .. } = message.clone();
        let new = NewMessage { room: to, sender, text, sent_at, client_id };
        let (submission, _) = Submission::new(new, room, Origin::Relay(RelayId::default()), None);
        (submission, Appended::New(message))
    }

    #[test]
    fn one_at_a_time_serves_a_lane() {
        let lanes = Lanes::new(10);
        lanes.put([stored(3)].into_iter());
        let mut serving = lanes.serve(3).unwrap();
        assert_eq!(serving.take().len(), 1);
        lanes.put([stored(3), stored(4)].into_iter());
        assert!(lanes.serve(3).is_none());
        assert_eq!(lanes.serve(4).unwrap().take().len(), 1);
        drop(serving);
        assert_eq!(lanes.serve(3).unwrap().take().len(), 1);
        assert!(lanes.serve(3).is_none());
    }

    #[test]
    fn who_leaves_something_calls_somebody() {
        let lanes = Lanes::new(10);
        let room = RoomId::new(3).unwrap();
        lanes.put([stored(3)].into_iter());
        let mut serving = lanes.serve(3).unwrap();
        let messages = serving.take().into();
        serving.send(UnderWay { room, messages });
        drop(serving);
        assert_eq!(lanes.called().now_or_never(), Some(()));
        let mut serving = lanes.serve(3).unwrap();
        assert!(lanes.are_busy());
        serving.retain(|_| false);
        assert!(!lanes.are_busy());
        drop(serving);
        assert_eq!(lanes.called().now_or_never(), None, "nothing is left");
    }

    #[test]
    fn who_does_not_come_to_the_end_calls_somebody() {
        let lanes = Lanes::new(10);
        lanes.errand().end();
        assert_eq!(lanes.called().now_or_never(), None);
        drop(lanes.errand());
        assert_eq!(lanes.called().now_or_never(), Some(()));
    }

    #[test]
    fn who_waits_for_a_lane_waits_until_what_was_there_before_is_under_way() {
        let lanes = Lanes::new(10);
        let room = RoomId::new(3).unwrap();
        assert_eq!(lanes.pass(room).now_or_never(), Some(()), "nothing is there");
        lanes.put([stored(3)].into_iter());
        let mut first = Box::pin(lanes.pass(room));
        assert_eq!((&mut first).now_or_never(), None);
        let mut serving = lanes.serve(3).unwrap();
        let taken = serving.take();
        let mut second = Box::pin(lanes.pass(room));
        assert_eq!([&mut first, &mut second].map(FutureExt::now_or_never), [None, None]);
        assert!(serving.take().is_empty());
        assert_eq!(first.now_or_never(), Some(()));
        assert_eq!((&mut second).now_or_never(), None);
        drop((serving, taken));
        assert_eq!(second.now_or_never(), Some(()));
    }

    #[test]
    fn places_are_kept_until_what_has_them_is_delivered() {
        let lanes = Lanes::new(2);
        lanes.keep_places(2).now_or_never().unwrap();
        lanes.put([stored(3), stored(4)].into_iter());
        assert_eq!(lanes.keep_places(1).now_or_never(), None);
        assert_eq!(lanes.empty().now_or_never(), None);
        drop(lanes.serve(3).unwrap().take());
        assert_eq!(lanes.keep_places(1).now_or_never(), Some(()));
        lanes.free_places(1);
        let mut serving = lanes.serve(4).unwrap();
        drop(serving.take());
        assert_eq!(lanes.empty().now_or_never(), None);
        serving.free_places(1);
        assert_eq!(lanes.empty().now_or_never(), Some(()));
    }

    #[test]
    fn the_lanes_that_were_filled_are_told_by_their_numbers() {
        let rooms = [3, 64, 130, 127].map(|id| RoomId::new(id).unwrap());
        let filled = Filled(rooms.into_iter().map(lane_of).fold(0, |lanes, lane| lanes | 1 << lane));
        assert_eq!(filled.lanes().collect::<Vec<_>>(), [0, 2, 3, 63]);
        assert_eq!(Filled::ALL.lanes().collect::<Vec<_>>(), (0..LANES).collect::<Vec<_>>());
        assert_eq!(Filled::default().lanes().count(), 0);
    }
}
