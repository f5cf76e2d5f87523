//! Who is due when.

use std::collections::BTreeMap;
use std::mem;
use std::sync::Arc;

use crate::connection::client::Client;
use crate::connection::end::End;

/// Who misses more beats than this, itself, cannot say that others were silent: the process was stopped, or its machine asleep.
const STANDSTILL: u64 = 16;

/// How often something is due, in beats.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pace {
    /// From one ping to the next.
    pub(super) ping_every: u64,
    /// From the last sign of life to the end.
    pub(super) mute_for: u64,
}

/// What is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Due {
    /// The client is to be asked for a sign of life.
    Ping,
    /// The connection must end.
    End(End),
}

/// The connections, and when something is due for each.
#[derive(Debug)]
pub(super) struct Round {
    pace: Pace,
    /// The last beat.
    now: u64,
    /// Before this beat nobody could be heard: the server itself stood still.
    heard_from: u64,
    /// Each connection has a place, as long as it is open.
    places: Vec<Option<Entry>>,
    free: Vec<usize>,
    /// By beat, the places for which something may be due then. Who has left, or is due at another beat by now, may stand
    /// here still.
    due: BTreeMap<u64, Vec<usize>>,
}

#[derive(Debug)]
struct Entry {
    client: Arc<Client>,
    next_ping: u64,
    expires_at: Option<u64>,
    /// When something is due next.
    due_at: u64,
}

impl Round {
    pub(super) fn new(pace: Pace) -> Self {
        Self { pace, now: 0, heard_from: 0, places: Vec::new(), free: Vec::new(), due: BTreeMap::new() }
    }

    /// Takes a connection in, and tells its place.
    pub(super) fn add(&mut self, client: Arc<Client>, expires_at: Option<u64>) -> usize {
        client.hear(self.now);
        let next_ping = self.now.saturating_add(self.pace.ping_every);
        let mut entry = Entry { client, next_ping, expires_at, due_at: 0 };
        entry.due_at = entry.next_due(self.pace, self.heard_from);
        let due_at = entry.due_at;
        let place = self.free.pop().unwrap_or(self.places.len());
        match self.places.get_mut(place) {
            Some(free) => *free = Some(entry),
            None => self.places.push(Some(entry)),
        }
        self.due.entry(due_at).or_default().push(place);
        place
    }

    pub(super) fn remove(&mut self, place: usize) {
        if self.places.get_mut(place).and_then(Option::take).is_some() {
            self.free.push(place);
        }
    }

    pub(super) fn clients(&self) -> Vec<Arc<Client>> {
        self.places.iter().flatten().map(|entry| Arc::clone(&entry.client)).collect()
    }

    /// What is due at a beat and was not yet.
    pub(super) fn take_due(&mut self, now: u64) -> Vec<(Arc<Client>, Due)> {
        if now.saturating_sub(self.now) > STANDSTILL {
            self.heard_from = now;
        }
        self.now = now;
        let later = self.due.split_off(&now.saturating_add(1));
        let places = mem::replace(&mut self.due, later).into_values().flatten();
        let mut all_due = Vec::new();
        for place in places {
            let Some(Some(entry)) = self.places.get_mut(place) else { continue };
            if entry.due_at > now {
                continue;
            }
            if let Some(due) = entry.take_due(now, self.pace, self.heard_from) {
                all_due.push((Arc::clone(&entry.client), due));
            }
            self.due.entry(entry.due_at).or_default().push(place);
        }
        all_due
    }
}

impl Entry {
    /// What is due now; notes when something will be next, which is later than now.
    fn take_due(&mut self, now: u64, pace: Pace, heard_from: u64) -> Option<Due> {
        let due = if self.expires_at.is_some_and(|at| at <= now) {
            self.expires_at = None;
            Some(Due::End(End::SignedOut))
        } else if self.mute_at(pace, heard_from) <= now {
            // Once is enough.
            self.client.hear(now);
            Some(Due::End(End::Mute))
        } else if self.next_ping <= now {
            // It stays on its beat, save after a standstill.
            let next = self.next_ping.saturating_add(pace.ping_every);
            self.next_ping = if next > now { next } else { now.saturating_add(pace.ping_every) };
            Some(Due::Ping)
        } else {
            None
        };
        self.due_at = self.next_due(pace, heard_from).max(now.saturating_add(1));
        due
    }

    fn next_due(&self, pace: Pace, heard_from: u64) -> u64 {
        let next = self.next_ping.min(self.mute_at(pace, heard_from));
        self.expires_at.map_or(next, |at| at.min(next))
    }

    /// When the client counts as mute: a beat later than it says, for it may have been heard right before the next beat.
    fn mute_at(&self, pace: Pace, heard_from: u64) -> u64 {
        self.client.heard_at().max(heard_from).saturating_add(pace.mute_for).saturating_add(1)
    }
}
