//! Watches over open connections: pings them, and ends those that give no sign of life and those whose identity expires.
//!
//! One task does it for all of them, so that a connection needs no timer of its own. Its time goes in beats, [`BEATS`] of
//! them from one ping to the next, and each connection stands in the [list](round) of the beat at which something is due for it.

mod round;

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::{Instant, MissedTickBehavior, interval_at};

use super::client::Client;
use super::end::End;
use crate::gateway::Shared;
use round::{Due, Pace, Round};

/// From one ping to the next there are so many beats: one wake-up serves many connections, and none has to ping all.
const BEATS: u32 = 64;

/// A beat is not shorter, however often there are pings.
const SHORTEST_BEAT: Duration = Duration::from_millis(10);

/// A beat is not longer, however seldom there are pings: so late may a connection end.
const LONGEST_BEAT: Duration = Duration::from_secs(1);

/// The open connections of a gateway.
#[derive(Debug)]
pub(crate) struct Watch {
    beat: Duration,
    /// Beats are counted from here.
    first_beat: Instant,
    /// The number of the last beat.
    now: AtomicU64,
    round: Mutex<Round>,
    /// Whether there is a task that does the work.
    is_kept: AtomicBool,
}

/// A connection that is watched over, as long as this is kept.
#[derive(Debug)]
pub(super) struct Watched<'a> {
    watch: &'a Watch,
    place: usize,
}

impl Watch {
    /// Pings each connection so often, and ends it after so long without a sign of life.
    pub(crate) fn new(ping_every: Duration, mute_for: Duration) -> Self {
        let beat = (ping_every / BEATS).clamp(SHORTEST_BEAT, LONGEST_BEAT);
        let pace = Pace { ping_every: beats_in(ping_every, beat), mute_for: beats_in(mute_for, beat) };
        Self {
            beat,
            first_beat: Instant::now(),
            now: AtomicU64::new(0),
            round: Mutex::new(Round::new(pace)),
            is_kept: AtomicBool::new(false),
        }
    }

    /// The number of the last beat: the time of a sign of life.
    pub(super) fn now(&self) -> u64 {
        self.now.load(Ordering::Relaxed)
    }

    /// Watches over a connection from now on.
    pub(super) fn add(&self, client: &Arc<Client>, expires_at: Option<Instant>) -> Watched<'_> {
        let expires_at =
            expires_at.map(|at| beats_in(at.saturating_duration_since(self.first_beat), self.beat));
        let place = self.round.lock().add(Arc::clone(client), expires_at);
        Watched { watch: self, place }
    }

    /// Ends all connections for the same reason.
    pub(crate) fn end_all(&self, end: End) {
        let clients = self.round.lock().clients();
        for client in clients {
            client.end(end);
        }
    }

    /// Does what has become due.
    fn beat(&self) {
        let beats = self.first_beat.elapsed().as_nanos() / self.beat.as_nanos();
        let now = u64::try_from(beats).unwrap_or(u64::MAX);
        self.now.store(now, Ordering::Relaxed);
        // Done when the lock is free again: it takes many calls of the system.
        let due = self.round.lock().take_due(now);
        for (client, due) in due {
            match due {
                Due::Ping => client.ping(),
                Due::End(end) => client.end(end),
            }
        }
    }
}

impl Drop for Watched<'_> {
    fn drop(&mut self) {
        self.watch.round.lock().remove(self.place);
    }
}

/// Sees to it that somebody keeps watch over the connections of a gateway, on the runtime of the first connection.
pub(super) fn keep(gateway: &Arc<Shared>) {
    if gateway.watch.is_kept.swap(true, Ordering::Relaxed) {
        return;
    }
    let keeper = Keeper(Arc::downgrade(gateway));
    let (first_beat, beat) = (gateway.watch.first_beat, gateway.watch.beat);
    let stopping = gateway.stopping.clone();
    tokio::spawn(stopping.run_until_cancelled_owned(async move {
        let mut beats = interval_at(first_beat, beat);
        beats.set_missed_tick_behavior(MissedTickBehavior::Skip);
        loop {
            beats.tick().await;
            let Some(gateway) = keeper.0.upgrade() else { return };
            gateway.watch.beat();
        }
    }));
}

/// Whoever keeps watch. Another one may, once it is dropped: its runtime may end before others that serve connections.
struct Keeper(Weak<Shared>);

impl Drop for Keeper {
    fn drop(&mut self) {
        if let Some(gateway) = self.0.upgrade() {
            gateway.watch.is_kept.store(false, Ordering::Relaxed);
        }
    }
}

/// How many beats it takes until so much time has gone by.
fn beats_in(time: Duration, beat: Duration) -> u64 {
    u64::try_from(time.as_nanos().div_ceil(beat.as_nanos())).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
