//! What is stored and not yet delivered, by room.
//!
//! What a transaction has stored is put into lanes before the next one begins: a lane has the messages of each of its rooms in
//! their order. One at a time serves a lane. Who finds that somebody does leaves to them what it has put there.

use std::mem;

use chat_protocol::RoomId;
use parking_lot::Mutex;
use tokio::sync::Semaphore;
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
}

impl Lanes {
    /// With places for so many messages.
    pub(super) fn new(places: usize) -> Self {
        let most = u32::try_from(places.clamp(1, Semaphore::MAX_PERMITS)).unwrap_or(u32::MAX);
        Self {
            by_number: [const { Mutex::new(Lane { stored: Vec::new(), is_served: false }) }; LANES],
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
    pub(super) fn is_waiting(&self, number: usize) -> bool {
        self.by_number.get(number).is_some_and(|lane| lane.lock().is_waiting())
    }

    /// Takes out what is in a lane, unless there is nothing, or somebody serves it.
    pub(super) fn serve(&self, number: usize) -> Option<Serving<'_>> {
        let lane = self.by_number.get(number)?;
        let mut locked = lane.lock();
        if !locked.is_waiting() {
            return None;
        }
        locked.is_served = true;
        let stored = mem::take(&mut locked.stored);
        Some(Serving { lanes: self, lane, places: stored.len(), stored })
    }
}

impl Lane {
    const fn is_waiting(&self) -> bool {
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
        self.lane.lock().is_served = false;
        self.lanes.free_places(self.places);
    }
}

impl Filled {
    /// Where the messages of a room are.
    pub(in crate::service) fn by(room: RoomId) -> Self {
        Self(1 << lane_of(room))
    }

    /// These and those.
    pub(super) const fn and(self, others: Self) -> Self {
        Self(self.0 | others.0)
    }

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
    use super::*;

    #[test]
    fn the_lanes_that_were_filled_are_told_by_their_numbers() {
        let rooms = [3, 64, 130, 127].map(|id| RoomId::new(id).unwrap());
        let filled = rooms.map(Filled::by).into_iter().fold(Filled::default(), Filled::and);
        assert_eq!(filled.lanes().collect::<Vec<_>>(), [0, 2, 3, 63]);
        assert_eq!(Filled::default().lanes().count(), 0);
    }
}
