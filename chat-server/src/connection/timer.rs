//! When a connection is due for something: a ping, or its end.

use std::pin::Pin;
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep_until};

use crate::gateway::GatewayConfig;

/// From one ping to the next there are so many beats, which all connections have in common: one wake-up serves many.
const BEATS: u32 = 64;

/// One timer for all that a connection waits for.
#[derive(Debug)]
pub(super) struct Timer {
    sleep: Pin<Box<Sleep>>,
    last_heard: Instant,
    next_ping: Instant,
    ping_every: Duration,
    mute_for: Duration,
    expires_at: Option<Instant>,
}

/// What is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Due {
    /// The client is to be asked for a sign of life.
    Ping,
    /// It has given none for too long.
    Mute,
    /// Its identity holds no longer.
    Expired,
}

impl Timer {
    /// The beats of all connections are counted from `first_beat`.
    pub(super) fn new(config: &GatewayConfig, first_beat: Instant, expires_at: Option<Instant>) -> Self {
        let GatewayConfig { ping_every, mute_for, .. } = *config;
        let now = Instant::now();
        let sleep = Box::pin(sleep_until(now));
        let next_ping = on_beat(now + ping_every, first_beat, ping_every / BEATS);
        Self { sleep, last_heard: now, next_ping, ping_every, mute_for, expires_at }
    }

    /// Notes a sign of life.
    pub(super) fn heard(&mut self) {
        self.last_heard = Instant::now();
    }

    /// Waits until something is due. Given up while it waits, it has lost nothing.
    pub(super) async fn due(&mut self) -> Due {
        loop {
            self.sleep.as_mut().await;
            if let Some(due) = self.take_due(Instant::now()) {
                return due;
            }
        }
    }

    /// What is due now; sets the sleep to when something will be next.
    fn take_due(&mut self, now: Instant) -> Option<Due> {
        let mute_at = self.last_heard + self.mute_for;
        let due = if self.expires_at.is_some_and(|at| at <= now) {
            Some(Due::Expired)
        } else if mute_at <= now {
            Some(Due::Mute)
        } else if self.next_ping <= now {
            // It stays on the beat, save after a standstill.
            let next = self.next_ping + self.ping_every;
            self.next_ping = if next > now { next } else { now + self.ping_every };
            Some(Due::Ping)
        } else {
            None
        };
        let next = self.next_ping.min(mute_at);
        self.sleep.as_mut().reset(self.expires_at.map_or(next, |at| at.min(next)));
        due
    }
}

/// The last beat that is not after a moment.
fn on_beat(moment: Instant, first_beat: Instant, beat: Duration) -> Instant {
    let since = moment.saturating_duration_since(first_beat).as_nanos();
    let after = since.checked_rem(beat.as_nanos()).unwrap_or_default();
    moment - u64::try_from(after).map_or(Duration::ZERO, Duration::from_nanos)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config() -> GatewayConfig {
        GatewayConfig {
            ping_every: Duration::from_secs(20),
            mute_for: Duration::from_secs(45),
            ..GatewayConfig::default()
        }
    }

    #[tokio::test(start_paused = true)]
    async fn who_is_silent_is_pinged_and_then_mute() {
        let start = Instant::now();
        let mut timer = Timer::new(&config(), Instant::now(), None);
        for (due, after) in [(Due::Ping, 20), (Due::Ping, 40), (Due::Mute, 45)] {
            assert_eq!(timer.due().await, due);
            assert_eq!(start.elapsed().as_secs(), after);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn who_answers_is_not_mute() {
        let mut timer = Timer::new(&config(), Instant::now(), None);
        for _ in 0..100 {
            assert_eq!(timer.due().await, Due::Ping);
            timer.heard();
        }
    }

    #[tokio::test(start_paused = true)]
    async fn connections_are_pinged_on_a_common_beat_and_not_later_than_they_should() {
        let (first_beat, beat) = (Instant::now(), config().ping_every / BEATS);
        tokio::time::advance(Duration::from_millis(1_234)).await;
        let mut pinged = Vec::new();
        for _ in 0..3 {
            tokio::time::advance(beat / 8).await;
            let start = Instant::now();
            let mut timer = Timer::new(&config(), first_beat, None);
            pinged.push(timer.next_ping);
            assert!(timer.next_ping <= start + config().ping_every);
            assert!(timer.next_ping + beat > start + config().ping_every);
            let beats = timer.next_ping.duration_since(first_beat).as_nanos();
            assert_eq!(beats % beat.as_nanos(), 0);
            let first = timer.next_ping;
            assert_eq!(timer.take_due(first), Some(Due::Ping));
            assert_eq!(timer.next_ping, first + config().ping_every);
        }
        assert_eq!(pinged, [pinged[0]; 3]);
    }

    #[tokio::test(start_paused = true)]
    async fn after_a_standstill_there_is_one_ping() {
        let mut timer = Timer::new(&config(), Instant::now(), None);
        let late = Instant::now() + Duration::from_secs(200);
        timer.last_heard = late;
        assert_eq!(timer.take_due(late), Some(Due::Ping));
        assert_eq!(timer.next_ping, late + config().ping_every);
    }

    #[tokio::test(start_paused = true)]
    async fn an_identity_expires_in_between() {
        let start = Instant::now();
        let mut timer = Timer::new(&config(), start, Some(start + Duration::from_secs(30)));
        assert_eq!(timer.due().await, Due::Ping);
        assert_eq!(timer.due().await, Due::Expired);
        assert_eq!(start.elapsed().as_secs(), 30);
    }
}
