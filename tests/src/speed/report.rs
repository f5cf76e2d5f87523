//! What came of a run.

use std::collections::BTreeMap;
use std::fs;

use serde::Serialize;

use super::act::Measured;
use super::scenario::Scenario;

/// All of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// On what machine.
    pub machine: Machine,
    /// The lines of the table.
    pub lines: Vec<Line>,
}

/// A machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Machine {
    /// How many cores it has.
    pub cores: usize,
    /// Which.
    pub processor: String,
    /// The version of its system's kernel.
    pub kernel: String,
}

/// A line of the table.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Line {
    /// By which it is chosen.
    pub key: &'static str,
    /// What was done.
    pub work: &'static str,
    /// In what it was measured.
    pub unit: &'static str,
    /// How good it was to be.
    pub reach: String,
    /// Whether it was; open where nothing was measured, or what it is compared with lost something.
    pub is_met: Option<bool>,
    /// The median of what it is compared with.
    pub base: Option<f64>,
    /// The median.
    pub ours: Option<f64>,
    /// The median of the ratios within repetitions.
    pub ratio: Option<f64>,
    /// Everything that was measured.
    pub repetitions: Vec<Repetition>,
    /// What could not be measured.
    pub failures: Vec<String>,
}

/// What was measured one after the other.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Repetition {
    /// Of what it is compared with.
    pub base: Option<Measured>,
    /// Of the server.
    pub ours: Option<Measured>,
    /// Of others.
    pub peers: BTreeMap<String, Measured>,
}

/// What came of a peer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct OfPeer {
    /// The median of what was measured.
    pub value: f64,
    /// The median of its ratio to what ours is compared with; where that is nothing, to ours.
    pub ratio: Option<f64>,
    /// Whether it delivered everything as it should.
    pub is_whole: bool,
}

impl Machine {
    /// This one.
    #[must_use]
    pub fn this() -> Self {
        let read = |path| fs::read_to_string(path).unwrap_or_default();
        let processor = read("/proc/cpuinfo");
        let processor = processor.lines().find_map(|line| line.strip_prefix("model name"));
        Self {
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            processor: processor.unwrap_or_default().trim_start_matches([' ', '\t', ':']).to_owned(),
            kernel: read("/proc/sys/kernel/osrelease").trim().to_owned(),
        }
    }
}

impl Line {
    /// A line of which nothing was measured yet.
    #[must_use]
    pub fn of(scenario: &Scenario) -> Self {
        Self {
            key: scenario.key,
            work: scenario.work,
            unit: scenario.unit,
            reach: scenario.reach.to_string(),
            is_met: None,
            base: None,
            ours: None,
            ratio: None,
            repetitions: Vec::new(),
            failures: Vec::new(),
        }
    }

    /// What else ran on the machine meanwhile, 100 being one core: the median, where it is known.
    #[must_use]
    pub fn elsewhere(&self) -> Option<f64> {
        let measured = self.repetitions.iter().filter_map(|repetition| repetition.ours.as_ref());
        median(measured.filter_map(|ours| ours.details.pointer("/window/other_pct")?.as_f64()))
    }

    /// Draws the sum of what was measured.
    pub fn sum_up(&mut self, scenario: &Scenario) {
        let values = |of: fn(&Repetition) -> Option<f64>| median(self.repetitions.iter().filter_map(of));
        self.base = values(|repetition| Some(repetition.base.as_ref()?.value));
        self.ours = values(|repetition| Some(repetition.ours.as_ref()?.value));
        self.ratio =
            values(|repetition| Some(repetition.ours.as_ref()?.value / repetition.base.as_ref()?.value));
        let comparable = self.ours.filter(|_| self.is_comparable());
        self.is_met = comparable.map(|value| self.is_whole() && scenario.reach.is_met(value, self.ratio));
    }

    /// Whether the server delivered everything as it should, each time.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.repetitions.iter().filter_map(|repetition| repetition.ours.as_ref()).all(|ours| ours.is_whole)
    }

    /// Whether what it is compared with did so, too. What loses something does less.
    #[must_use]
    pub fn is_comparable(&self) -> bool {
        self.repetitions.iter().filter_map(|repetition| repetition.base.as_ref()).all(|base| base.is_whole)
    }

    /// The medians of a peer, where it was measured.
    #[must_use]
    pub fn peer(&self, name: &str) -> Option<OfPeer> {
        let measured = |repetition: &Repetition| repetition.peers.get(name).cloned();
        let value = |repetition: &Repetition| Some(measured(repetition)?.value);
        let ratio = |repetition: &Repetition| {
            let other = repetition.base.as_ref().or(repetition.ours.as_ref())?;
            Some(value(repetition)? / other.value)
        };
        Some(OfPeer {
            value: median(self.repetitions.iter().filter_map(value))?,
            ratio: median(self.repetitions.iter().filter_map(ratio)),
            is_whole: self.repetitions.iter().filter_map(measured).all(|measured| measured.is_whole),
        })
    }
}

/// The one in the middle; of an even number, halfway between both.
pub(super) fn median(values: impl Iterator<Item = f64>) -> Option<f64> {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    let upper = *values.get(values.len() / 2)?;
    let lower = *values.get(values.len().saturating_sub(1) / 2)?;
    Some(f64::midpoint(lower, upper))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::speed::{Scale, scenarios};

    #[test]
    fn what_is_compared_with_something_that_loses_is_not_met() {
        let scenario = scenarios(Scale::Smoke).into_iter().find(|scenario| scenario.key == "a").unwrap();
        let measured = |is_whole| Some(Measured { value: 1.0, is_whole, details: serde_json::Value::Null });
        for (base, ours, is_met) in
            [(true, true, Some(true)), (true, false, Some(false)), (false, true, None)]
        {
            let mut line = Line::of(&scenario);
            let (base, ours) = (measured(base), measured(ours));
            line.repetitions.push(Repetition { base, ours, ..Repetition::default() });
            line.sum_up(&scenario);
            assert_eq!(line.is_met, is_met);
        }
    }

    #[test]
    fn the_median_is_in_the_middle() {
        assert_eq!(median([3.0, 1.0, 2.0].into_iter()), Some(2.0));
        assert_eq!(median([4.0, 1.0, 2.0, 3.0].into_iter()), Some(2.5));
        assert_eq!(median([].into_iter()), None);
    }
}
