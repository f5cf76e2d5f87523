//! The serving of a lane, by one at a time.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::mem;
use std::sync::atomic::Ordering;

use chat_protocol::RoomId;
use parking_lot::Mutex;
use tokio::sync::oneshot;

use super::{Lane, Lanes, Stored};

/// Messages of a room that some have had and others have not.
#[derive(Debug)]
pub(in crate::service::commit) struct UnderWay {
    pub(in crate::service::commit) room: RoomId,
    /// Oldest first.
    pub(in crate::service::commit) messages: VecDeque<Stored>,
}

/// The serving of a lane. Until this is dropped, nobody else serves it.
#[derive(Debug)]
pub(in crate::service::commit) struct Serving<'a> {
    lanes: &'a Lanes,
    lane: &'a Mutex<Lane>,
    /// To be put back.
    under_way: Vec<UnderWay>,
    /// Places of messages that were taken out.
    places: usize,
    waiting: Vec<oneshot::Sender<Infallible>>,
}

/// A round of some lanes. Where it is given up, or panics, somebody else is called.
#[derive(Debug)]
pub(in crate::service::commit) struct Errand<'a> {
    lanes: &'a Lanes,
    is_over: bool,
}

impl UnderWay {
    /// Takes out all but the newest.
    pub(in crate::service::commit) fn take_first(&mut self, left: usize) -> Vec<Stored> {
        let count = self.messages.len().saturating_sub(left);
        self.messages.drain(..count).collect()
    }
}

impl<'a> Serving<'a> {
    /// Of a lane that is marked as served, and in which this was under way.
    pub(super) fn new(lanes: &'a Lanes, lane: &'a Mutex<Lane>, under_way: Vec<UnderWay>) -> Self {
        let places = under_way.iter().map(|of_room| of_room.messages.len()).sum();
        Self { lanes, lane, under_way, places, waiting: Vec::new() }
    }

    /// Whether there is nothing in the lane by now.
    pub(in crate::service::commit) fn is_empty(&self) -> bool {
        self.under_way.is_empty() && self.lane.lock().stored.is_empty()
    }

    /// How many messages were taken out, or were under way, and have not been delivered.
    pub(in crate::service::commit) const fn messages(&self) -> usize {
        self.places
    }

    /// Sends messages of a room on their way, or lets them go on.
    pub(in crate::service::commit) fn send(&mut self, of_room: UnderWay) {
        self.lanes.busy_rooms.fetch_add(1, Ordering::Relaxed);
        self.under_way.push(of_room);
    }

    /// Takes out what is under way in a room.
    pub(in crate::service::commit) fn take_out(&mut self, room: RoomId) -> UnderWay {
        let none = UnderWay { room, messages: VecDeque::new() };
        let place = self.under_way.iter().position(|of_room| of_room.room == room);
        place.map_or(none, |place| {
            self.lanes.busy_rooms.fetch_sub(1, Ordering::Relaxed);
            self.under_way.swap_remove(place)
        })
    }

    /// Takes out what is under way in the rooms for which this does not hold.
    pub(in crate::service::commit) fn retain(&mut self, mut is_under_way: impl FnMut(&mut UnderWay) -> bool) {
        let Self { lanes, under_way, .. } = self;
        under_way.retain_mut(|of_room| {
            let is_under_way = is_under_way(of_room);
            if !is_under_way {
                lanes.busy_rooms.fetch_sub(1, Ordering::Relaxed);
            }
            is_under_way
        });
    }

    /// Takes out what was put in. What was taken out before is under way by now, or has been delivered.
    pub(in crate::service::commit) fn take(&mut self) -> Vec<Stored> {
        let mut lane = self.lane.lock();
        let stored = mem::take(&mut lane.stored);
        self.waiting = mem::take(&mut lane.waiting);
        drop(lane);
        self.places += stored.len();
        stored
    }

    /// Gives back the places of messages that have been delivered.
    pub(in crate::service::commit) fn free_places(&mut self, messages: usize) {
        let messages = messages.min(self.places);
        self.places -= messages;
        self.lanes.free_places(messages);
    }
}

impl Drop for Serving<'_> {
    fn drop(&mut self) {
        let mut lane = self.lane.lock();
        lane.is_served = false;
        lane.under_way = mem::take(&mut self.under_way);
        if lane.stored.is_empty() {
            self.waiting.append(&mut lane.waiting);
        }
        let is_left = !lane.is_empty();
        let left = lane.under_way.iter().map(|of_room| of_room.messages.len()).sum::<usize>();
        drop(lane);
        self.free_places(self.places.saturating_sub(left));
        if is_left {
            self.lanes.call();
        }
    }
}

impl<'a> Errand<'a> {
    pub(super) const fn new(lanes: &'a Lanes) -> Self {
        Self { lanes, is_over: false }
    }

    pub(in crate::service::commit) fn end(mut self) {
        self.is_over = true;
    }
}

impl Drop for Errand<'_> {
    fn drop(&mut self) {
        if !self.is_over {
            self.lanes.call();
        }
    }
}
