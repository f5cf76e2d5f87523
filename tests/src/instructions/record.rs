//! Counts, as they are kept.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Counts of instructions, by the names of pieces of work.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Record(pub BTreeMap<String, u64>);

/// What a piece of work took, and what it takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change<'a> {
    /// The work.
    pub name: &'a str,
    /// Before; `None` where it is new.
    pub before: Option<u64>,
    /// Now.
    pub now: u64,
}

/// By so many of a hundred, work may grow without being named: another version of a compiler does that.
const TOLERATED_PERCENT: u64 = 5;

impl Change<'_> {
    /// Whether it takes notably more.
    #[must_use]
    pub fn has_grown(&self) -> bool {
        self.before.is_some_and(|before| self.now * 100 > before * (100 + TOLERATED_PERCENT))
    }

    /// Whether it takes notably less.
    #[must_use]
    pub fn has_shrunk(&self) -> bool {
        self.before.is_some_and(|before| self.now * 100 < before * (100 - TOLERATED_PERCENT))
    }
}

impl Record {
    /// What has become of each piece of work since an earlier record.
    pub fn since<'a>(&'a self, earlier: &Self) -> impl Iterator<Item = Change<'a>> {
        self.0.iter().map(|(name, &now)| Change { name, before: earlier.0.get(name).copied(), now })
    }

    /// How many times as much one piece of work takes as another.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "nobody counts so far")]
    pub fn ratio(&self, one: &str, other: &str) -> Option<f64> {
        Some(*self.0.get(one)? as f64 / *self.0.get(other)? as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_grows_is_told_from_what_wavers() {
        let record =
            |counts: &[(&str, u64)]| Record(counts.iter().map(|&(name, n)| (name.into(), n)).collect());
        let before = record(&[("a", 100), ("b", 100), ("c", 100)]);
        let now = record(&[("a", 105), ("b", 106), ("c", 90), ("d", 1)]);
        let grown: Vec<_> = now.since(&before).filter(Change::has_grown).map(|change| change.name).collect();
        let shrunk: Vec<_> =
            now.since(&before).filter(Change::has_shrunk).map(|change| change.name).collect();
        assert_eq!((grown, shrunk), (vec!["b"], vec!["c"]));
    }
}
