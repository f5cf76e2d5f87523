//! A client that stays while its connections come and go.
//!
//! What to do is decided by [`Course`](course::Course), which knows no socket and no clock; [`ReconnectingClient`] does it.

mod backoff;
mod client;
mod course;
mod link;
mod marks;
mod outbox;
mod places;
mod sender;
mod update;

use std::time::Duration;

pub use client::ReconnectingClient;
pub use sender::ReconnectingSender;
pub use update::{Confirmed, Disconnected, Update};

/// How a client comes back: [`Connect::reconnect`](crate::Connect::reconnect) takes it.
///
/// Before the first attempt it waits up to [`first_delay`](Self::first_delay), before each further one up to twice as
/// long, but no longer than [`max_delay`](Self::max_delay). How long exactly is left to chance, so that the clients of a
/// server that has gone do not all come back in the same moment.
#[derive(Debug, Clone, Copy)]
pub struct Reconnect {
    first_delay: Duration,
    max_delay: Duration,
    outbox: usize,
    silence: Duration,
}

/// A longer time is as good as this one, and no clock gets there.
const LONGEST: Duration = Duration::from_hours(24 * 365);

impl Default for Reconnect {
    fn default() -> Self {
        Self {
            first_delay: Duration::from_millis(500),
            max_delay: Duration::from_secs(30),
            outbox: 1_000,
            silence: Duration::from_mins(1),
        }
    }
}

impl Reconnect {
    /// Longest wait before the first attempt to come back. Default: half a second.
    #[must_use]
    pub fn first_delay(mut self, delay: Duration) -> Self {
        self.first_delay = delay.min(LONGEST);
        self
    }

    /// Longest wait before any attempt. A connection that has lasted this long lets the waits begin anew. Default: 30
    /// seconds.
    #[must_use]
    pub fn max_delay(mut self, delay: Duration) -> Self {
        self.max_delay = delay.min(LONGEST);
        self
    }

    /// Most commands that wait for a connection or a confirmation; at least one. Default: 1,000.
    #[must_use]
    pub fn outbox(mut self, commands: usize) -> Self {
        self.outbox = commands.max(1);
        self
    }

    /// A connection on which nothing arrives for this long counts as lost. Servers ping: this must be longer than the
    /// time between their pings. Default: 60 seconds.
    #[must_use]
    pub fn silence(mut self, silence: Duration) -> Self {
        self.silence = silence.min(LONGEST);
        self
    }
}
