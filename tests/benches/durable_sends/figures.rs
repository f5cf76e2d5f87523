//! Durations, many of them.

use std::time::Duration;

/// What was counted and timed in some stretch of time.
#[derive(Debug)]
pub(crate) struct Figures {
    /// How many were done.
    pub(crate) count: usize,
    lasted: Duration,
    /// In microseconds, in ascending order.
    micros: Vec<u32>,
}

impl Figures {
    pub(crate) fn of(mut micros: Vec<u32>, lasted: Duration) -> Self {
        micros.sort_unstable();
        Self { count: micros.len(), lasted, micros }
    }

    #[expect(clippy::cast_precision_loss, reason = "nobody counts so far")]
    pub(crate) fn per_second(&self) -> f64 {
        self.count as f64 / self.lasted.as_secs_f64()
    }

    /// So many of a hundred took no longer than this.
    pub(crate) fn percentile(&self, percent: usize) -> u32 {
        let place = (self.micros.len() * percent / 100).min(self.micros.len().saturating_sub(1));
        self.micros.get(place).copied().unwrap_or_default()
    }
}

/// A duration in microseconds.
pub(crate) fn micros(duration: Duration) -> u32 {
    u32::try_from(duration.as_micros()).unwrap_or(u32::MAX)
}
