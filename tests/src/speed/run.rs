//! A run: every line of the table, again and again.

use std::collections::BTreeMap;

use super::act::Measured;
use super::report::{Line, Machine, Repetition, Report};
use super::running::Programs;
use super::scenario::{Scenario, Trial};
use super::subject::Subject;

/// What is to be measured.
#[derive(Debug, Clone)]
pub struct Run {
    /// Where the programs are.
    pub programs: Programs,
    /// Which lines.
    pub scenarios: Vec<Scenario>,
    /// How often.
    pub repetitions: usize,
    /// Which others, where they can be compared.
    pub peers: Vec<Subject>,
}

impl Run {
    /// Measures, and tells after each trial what came of it.
    pub fn measure(&self, mut tell: impl FnMut(&str)) -> Report {
        let mut lines: Vec<Line> = self.scenarios.iter().map(Line::of).collect();
        // One repetition of everything after the other, so that what changes on the machine meets all alike.
        for number in 1..=self.repetitions {
            let mut taken: BTreeMap<&str, f64> = BTreeMap::new();
            for (scenario, line) in self.scenarios.iter().zip(&mut lines) {
                let told = format!("{number}/{} {:22}", self.repetitions, scenario.key);
                let highest = scenario.at_half_of.and_then(|other| taken.get(other));
                let scenario = highest.map_or(*scenario, |highest| scenario.at_half(*highest));
                let repetition = self.repeat(&scenario, line, |what| tell(&format!("{told} {what}")));
                taken.extend(repetition.ours.as_ref().map(|ours| (scenario.key, ours.value)));
                line.repetitions.push(repetition);
                line.sum_up(&scenario);
            }
        }
        Report { machine: Machine::this(), lines }
    }

    fn repeat(&self, scenario: &Scenario, line: &mut Line, mut tell: impl FnMut(&str)) -> Repetition {
        let mut on = |what: &str, trial: Trial| -> Option<Measured> {
            match trial.act.on(trial.subject, &self.programs) {
                Ok(measured) => {
                    let fault = if measured.is_whole { "" } else { ", not everything came as it should" };
                    tell(&format!("{what:18} {:.3} {}{fault}", measured.value, scenario.unit));
                    Some(measured)
                }
                Err(failure) => {
                    tell(&format!("{what:18} {failure}"));
                    line.failures.push(format!("{what}: {failure}"));
                    None
                }
            }
        };
        let mut repetition = Repetition::default();
        if let Some(base) = scenario.base {
            repetition.base = on("base", base);
        }
        if let Some(act) = scenario.for_all() {
            for peer in self.peers.iter().filter(|peer| peer.takes(act)) {
                let (name, subject) = (peer.to_string(), peer.with_history_of(scenario.ours.subject));
                if let Some(measured) = on(&name, Trial { subject, act }) {
                    repetition.peers.insert(name, measured);
                }
            }
        }
        repetition.ours = on("ours", scenario.ours);
        repetition
    }
}
