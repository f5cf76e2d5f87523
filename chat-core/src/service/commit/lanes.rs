//! What is stored and not yet delivered, by room.
//!
//! What a transaction has stored is put into lanes before the next one begins: a lane has the messages of each of its rooms in
//! their order. One at a time serves a lane. Who finds that somebody does leaves to them what it has put there.

use std::convert::Infallible;
use std::mem;

use chat_protocol::RoomId;
use parking_lot::Mutex;
use tokio::sync::{Semaphore, oneshot};
use tokio::time::Instant;

use super::Submission;
use crate::storage::Appended;

/// More than most machines have cores: two rooms that are busy at a time seldom share one.
const LANES: usize = u64::BITS as usize;

/// The lanes of a service.
#[derive(Debug)]
pub(super) struct Lanes {
    by_number: [Mutex<Lane>; LANES],
    /// A place for each message that may be here.
    places: Semaphore,
    most: u32,
}

#[derive(Debug, Default)]
struct Lane {
    stored: Vec<Stored>,
    is_served: bool,
    /// Who waits until what is in it has been delivered: told by being dropped.
    waiting: Vec<oneshot::Sender<Infallible>>,
}

/// A message that is stored.
#[derive(Debug)]
pub(super) struct Stored {
    pub(super) submission: Submission,
    pub(super) outcome: Appended,
    /// Since when it is.
    pub(super) since: Instant,
}

/// Lanes into which something was put.
#[derive(Debug, Clone, Copy, Default)]
pub(in crate::service) struct Filled(u64);

/// What was taken out of a lane to be delivered. Until this is dropped, nobody else serves the lane, and the messages have
/// their places.
#[derive(Debug)]
pub(super) struct Serving<'a> {
    lanes: &'a Lanes,
    lane: &'a Mutex<Lane>,
    stored: Vec<Stored>,
    places: usize,
    waiting: Vec<oneshot::Sender<Infallible>>,
}

impl Lanes {
    /// With places for so many messages.
    pub(super) fn new(places: usize) -> Self {
        let most = u32::try_from(places.clamp(1, Semaphore::MAX_PERMITS)).unwrap_or(u32::MAX);
        Self {
            by_number: [const { Mutex::new(Lane::EMPTY) }; LANES],
            places: Semaphore::new(most as usize),
            most,
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
    pub(super) fn put(&self, stored: impl Iterator<Item = (Submission, Appended)>) -> Filled {
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

    /// Whether there is something in a lane, and nobody serves it.
    pub(super) fn is_unserved(&self, number: usize) -> bool {
        self.by_number.get(number).is_some_and(|lane| lane.lock().is_unserved())
    }

    /// Takes out what is in a lane, unless there is nothing, or somebody serves it.
    pub(super) fn serve(&self, number: usize) -> Option<Serving<'_>> {
        let lane = self.by_number.get(number)?;
        let mut locked = lane.lock();
        if !locked.is_unserved() {
            return None;
        }
        locked.is_served = true;
        let stored = mem::take(&mut locked.stored);
        let waiting = mem::take(&mut locked.waiting);
        Some(Serving { lanes: self, lane, places: stored.len(), stored, waiting })
    }

    /// Waits until everything has been delivered that is in the lane of a room by now. Whoever serves the lane does that.
    pub(in crate::service) async fn pass(&self, room: RoomId) {
        let passed = self.by_number.get(lane_of(room)).and_then(|lane| lane.lock().passed());
        if let Some(passed) = passed {
            // It has no more to say than that.
            drop(passed.await);
        }
    }
}

impl Lane {
    const EMPTY: Self = Self { stored: Vec::new(), is_served: false, waiting: Vec::new() };

    /// Ends when everything has been delivered that is here by now; `None` where nothing is.
    fn passed(&mut self) -> Option<oneshot::Receiver<Infallible>> {
        if !self.is_served && self.stored.is_empty() {
            return None;
        }
        let (tell, passed) = oneshot::channel();
        self.waiting.push(tell);
        Some(passed)
    }

    const fn is_unserved(&self) -> bool {
        !self.is_served && !self.stored.is_empty()
    }
}

impl Serving<'_> {
    /// What is to be delivered.
    pub(super) fn take(&mut self) -> Vec<Stored> {
        mem::take(&mut self.stored)
    }
}

impl Drop for Serving<'_> {
    fn drop(&mut self) {
        let mut lane = self.lane.lock();
        lane.is_served = false;
        if lane.stored.is_empty() {
            self.waiting.append(&mut lane.waiting);
        }
        drop(lane);
        self.lanes.free_places(self.places);
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
    use chat_protocol::{MessageId, RoomName, Seq, Timestamp, UserId, Username};
    use futures::FutureExt;

    use super::*;
    use crate::service::commit::Origin;
    use crate::service::relay::RelayId;
    use crate::storage::{Access, NewMessage, Room, StoredMessage, User};

    /// A message to a room with this id.
    fn stored(room: i64) -> (Submission, Appended) {
        let room = Room {
            id: RoomId::new(room).unwrap(),
            name: RoomName::new("hall").unwrap(),
            display_name: None,
            access: Access::Open,
            owner: None,
        };
        let message = StoredMessage {
            id: MessageId::new(1).unwrap(),
            room: room.id,
            seq: Seq::FIRST,
            sender: User { id: UserId::new(1).unwrap(), name: Username::new("amy").unwrap() },
            text: "hello".into(),
            sent_at: Timestamp::from_micros(0).unwrap(),
            client_id: None,
        };
        let StoredMessage { room: to, sender, text, sent_at, client_id, .. } = message.clone();
        let new = NewMessage { room: to, sender, text, sent_at, client_id };
        let (submission, _) = Submission::new(new, room, Origin::Relay(RelayId::default()), None);
        (submission, Appended::New(message))
    }

    #[test]
    fn one_at_a_time_serves_a_lane() {
        let lanes = Lanes::new(10);
        lanes.put([stored(3)].into_iter());
        let serving = lanes.serve(3).unwrap();
        lanes.put([stored(3), stored(4)].into_iter());
        assert!(!lanes.is_unserved(3) && lanes.serve(3).is_none());
        assert_eq!(lanes.serve(4).unwrap().take().len(), 1);
        drop(serving);
        assert_eq!(lanes.serve(3).unwrap().take().len(), 1);
        assert!(lanes.serve(3).is_none());
    }

    #[test]
    fn who_waits_for_a_lane_waits_for_what_was_there_before() {
        let lanes = Lanes::new(10);
        let room = RoomId::new(3).unwrap();
        assert_eq!(lanes.pass(room).now_or_never(), Some(()), "nothing is there");
        lanes.put([stored(3)].into_iter());
        let mut first = Box::pin(lanes.pass(room));
        assert_eq!((&mut first).now_or_never(), None);
        let serving = lanes.serve(3).unwrap();
        let mut second = Box::pin(lanes.pass(room));
        assert_eq!((&mut second).now_or_never(), None);
        drop(serving);
        assert_eq!([first, second].map(FutureExt::now_or_never), [Some(()), Some(())]);
    }

    #[test]
    fn places_are_kept_until_what_has_them_is_delivered() {
        let lanes = Lanes::new(2);
        lanes.keep_places(2).now_or_never().unwrap();
        lanes.put([stored(3), stored(4)].into_iter());
        assert_eq!(lanes.keep_places(1).now_or_never(), None);
        assert_eq!(lanes.empty().now_or_never(), None);
        drop(lanes.serve(3));
        assert_eq!(lanes.keep_places(1).now_or_never(), Some(()));
        lanes.free_places(1);
        drop(lanes.serve(4));
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
