//! How long to wait before coming back.

use std::time::Duration;

/// Exponential backoff with full jitter: any time from nothing to a bound, which doubles with each attempt up to a cap.
#[derive(Debug)]
pub(super) struct Backoff {
    first: Duration,
    cap: Duration,
    random: u64,
}

impl Backoff {
    pub(super) fn new(first: Duration, cap: Duration, seed: u64) -> Self {
        Self { first, cap, random: seed }
    }

    /// The longest wait that there is.
    pub(super) fn cap(&self) -> Duration {
        self.cap
    }

    /// The wait before an attempt, of which so many have failed in a row.
    pub(super) fn wait(&mut self, failed: u32) -> Duration {
        let bound = self.first.saturating_mul(2_u32.saturating_pow(failed)).min(self.cap);
        bound.mul_f64(self.fraction())
    }

    /// From 0 to 1, without 1, evenly.
    fn fraction(&mut self) -> f64 {
        // SplitMix64.
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.random;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^= mixed >> 31;
        // The upper 32 bits are exact in a float.
        f64::from(u32::try_from(mixed >> 32).unwrap_or(u32::MAX)) / (f64::from(u32::MAX) + 1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_the_cap() {
        let (first, cap) = (Duration::from_millis(100), Duration::from_secs(1));
        let bounds = [100, 200, 400, 800, 1000, 1000].map(Duration::from_millis);
        for (failed, bound) in (0..).zip(bounds) {
            let waits = (0..1000).map(|seed| Backoff::new(first, cap, seed).wait(failed));
            let longest = waits.max().unwrap();
            assert!(longest < bound && longest > bound.mul_f64(0.9), "{longest:?} of {bound:?}");
        }
    }

    #[test]
    fn clients_do_not_come_back_in_the_same_moment() {
        let wait = |seed| Backoff::new(Duration::from_secs(1), Duration::from_secs(30), seed).wait(0);
        let waits: std::collections::BTreeSet<_> = (0..1000).map(wait).collect();
        assert!(waits.len() > 990);
    }

    #[test]
    fn very_many_attempts_are_no_trouble() {
        let mut backoff = Backoff::new(Duration::from_secs(1), Duration::from_secs(30), 1);
        assert!(backoff.wait(u32::MAX) < Duration::from_secs(30));
    }
}
