//! Sums with points in time.

use std::time::Duration;

use chat_protocol::Timestamp;

/// So much later, or the end of time.
pub(crate) fn later(at: Timestamp, by: Duration) -> Timestamp {
    let by = i64::try_from(by.as_micros()).unwrap_or(i64::MAX);
    Timestamp::from_micros(at.as_micros().saturating_add(by)).unwrap_or(Timestamp::MAX)
}

/// How long it is from one point in time to another; zero where that has passed.
pub(crate) fn between(from: Timestamp, to: Timestamp) -> Duration {
    let micros = to.as_micros().saturating_sub(from.as_micros());
    Duration::from_micros(u64::try_from(micros).unwrap_or(0))
}
