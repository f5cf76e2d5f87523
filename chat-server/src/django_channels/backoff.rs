//! How long to wait before something is tried again.

use std::time::Duration;

use tokio::time::sleep;

use super::salt;

const SHORTEST: Duration = Duration::from_millis(100);
const LONGEST: Duration = Duration::from_secs(5);

/// Pauses that grow as long as nothing works.
#[derive(Debug)]
pub(super) struct Backoff {
    next: Duration,
}

impl Backoff {
    pub(super) const fn new() -> Self {
        Self { next: SHORTEST }
    }

    /// Waits; a part of it is left to chance, so that many nodes do not come back at once.
    pub(super) async fn wait(&mut self) {
        let [chance] = salt();
        let pause = self.next;
        self.next = (pause * 2).min(LONGEST);
        sleep(pause / 2 + pause / 2 * u32::from(chance) / 256).await;
    }

    /// It has worked.
    pub(super) const fn reset(&mut self) {
        self.next = SHORTEST;
    }
}
