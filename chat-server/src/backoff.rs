//! How long to wait before something is tried again.

use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

use tokio::time::sleep;

const SHORTEST: Duration = Duration::from_millis(50);

/// Users notice when they do not hear each other; Redis does not notice a few more attempts.
const LONGEST: Duration = Duration::from_secs(2);

/// Pauses that double while there is no success.
#[derive(Debug)]
pub(crate) struct Backoff(Duration);

impl Backoff {
    pub(crate) const fn new() -> Self {
        Self(SHORTEST)
    }

    /// Waits; by chance between half of the pause and all of it, so that not all nodes come back in the same moment.
    pub(crate) async fn wait(&mut self) {
        let pause = self.0;
        self.0 = (pause * 2).min(LONGEST);
        sleep(pause.mul_f32(f32::midpoint(1.0, chance()))).await;
    }

    /// It has worked.
    pub(crate) const fn reset(&mut self) {
        self.0 = SHORTEST;
    }
}

/// A number from 0 to 1.
fn chance() -> f32 {
    let [byte, ..] = RandomState::new().hash_one(()).to_le_bytes();
    f32::from(byte) / f32::from(u8::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::time::Instant;

    #[tokio::test(start_paused = true)]
    async fn pauses_double_up_to_a_bound_until_it_works() {
        let mut backoff = Backoff::new();
        let mut most = SHORTEST;
        for _ in 0..10 {
            let begin = Instant::now();
            backoff.wait().await;
            let waited = begin.elapsed();
            // The clock counts whole milliseconds.
            assert!(
                waited >= most / 2 && waited <= most + Duration::from_millis(1),
                "{waited:?} of {most:?}"
            );
            most = (most * 2).min(LONGEST);
        }
        backoff.reset();
        let begin = Instant::now();
        backoff.wait().await;
        assert!(begin.elapsed() <= SHORTEST + Duration::from_millis(1));
    }
}
