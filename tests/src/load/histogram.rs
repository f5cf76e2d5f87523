//! Many durations in little room.

use super::clock::Nanos;

/// Each power of two is divided into so many buckets (2 to this power): the error stays below 1/128.
const SUB: u32 = 7;

/// Counts of values, in buckets that grow with them.
#[derive(Debug, Clone)]
pub(super) struct Histogram {
    counts: Vec<u64>,
    count: u64,
    max: Nanos,
}

impl Default for Histogram {
    fn default() -> Self {
        Self { counts: vec![0; (65 - SUB as usize) << SUB], count: 0, max: 0 }
    }
}

impl Histogram {
    /// Counts a value.
    pub(super) fn add(&mut self, value: Nanos) {
        self.counts[bucket_of(value)] += 1;
        self.count += 1;
        self.max = self.max.max(value);
    }

    /// So large a part of the values (0 to 1) is not greater than this.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is a count")]
    pub(super) fn quantile(&self, part: f64) -> Nanos {
        let target = ((self.count as f64 * part).ceil() as u64).max(1);
        let mut seen = 0;
        for (bucket, count) in self.counts.iter().enumerate() {
            seen += count;
            if seen >= target {
                return upper_edge(bucket).min(self.max);
            }
        }
        self.max
    }

    /// The greatest value.
    #[must_use]
    pub(super) const fn max(&self) -> Nanos {
        self.max
    }
}

#[expect(clippy::cast_possible_truncation, reason = "it is below the number of buckets")]
const fn bucket_of(value: Nanos) -> usize {
    let highest_bit = (value | 1).ilog2();
    if highest_bit <= SUB {
        return value as usize;
    }
    let shift = highest_bit - SUB;
    ((shift as usize) << SUB) + (value >> shift) as usize
}

const fn upper_edge(bucket: usize) -> Nanos {
    if bucket < (2 << SUB) {
        return bucket as Nanos;
    }
    let shift = (bucket >> SUB) - 1;
    let base = (bucket - (shift << SUB)) as Nanos;
    ((base + 1) << shift) - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_follow_each_other_and_are_narrow() {
        let mut last = 0;
        for value in (0..5_000).chain((13..50).map(|power| (1 << power) + 12_345)) {
            let bucket = bucket_of(value);
            assert!(bucket >= last, "{value}");
            last = bucket;
            let edge = upper_edge(bucket);
            assert!(edge >= value && (edge - value) <= value / 128 + 1, "{value} {edge}");
        }
    }

    #[test]
    fn quantiles_are_where_they_belong() {
        let mut histogram = Histogram::default();
        (1..=1_000).for_each(|value| histogram.add(value * 1_000));
        assert!(histogram.quantile(0.5).abs_diff(500_000) < 5_000);
        assert_eq!(histogram.quantile(1.0), 1_000_000);
    }
}
