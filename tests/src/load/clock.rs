//! The time, in nanoseconds since some moment.

use rustix::time::{ClockId, clock_gettime};

/// Nanoseconds.
pub(super) type Nanos = u64;

/// One second.
pub(super) const SECOND: Nanos = 1_000_000_000;

/// The time now, by a clock that never goes back.
#[must_use]
pub(super) fn now() -> Nanos {
    let time = clock_gettime(ClockId::Monotonic);
    time.tv_sec.cast_unsigned() * SECOND + time.tv_nsec.cast_unsigned()
}

/// A number of seconds.
#[must_use]
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "nobody measures for centuries")]
pub(super) fn seconds(count: f64) -> Nanos {
    (count * SECOND as f64) as Nanos
}

/// In microseconds.
#[must_use]
pub(super) fn micros(nanos: Nanos) -> f64 {
    nanos as f64 / 1_000.0
}
