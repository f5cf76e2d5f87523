//! How long to wait before one tries again.

use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

const SHORTEST: Duration = Duration::from_millis(50);

/// Users notice when they do not hear each other; Redis does not notice a few more attempts.
const LONGEST: Duration = Duration::from_secs(2);

/// Pauses that double while there is no success.
#[derive(Debug)]
pub(super) struct Pause(Duration);

impl Pause {
    pub(super) const fn new() -> Self {
        Self(SHORTEST)
    }

    /// Waits; by chance between half of the pause and all of it, so that not all nodes come back in the same moment.
    pub(super) async fn wait(&mut self) {
        tokio::time::sleep(self.0.mul_f32(f32::midpoint(1.0, chance()))).await;
        self.0 = (self.0 * 2).min(LONGEST);
    }

    /// It has worked.
    pub(super) const fn reset(&mut self) {
        self.0 = SHORTEST;
    }
}

/// A number from 0 to 1.
fn chance() -> f32 {
    let [byte, ..] = RandomState::new().hash_one(()).to_le_bytes();
    f32::from(byte) / f32::from(u8::MAX)
}
