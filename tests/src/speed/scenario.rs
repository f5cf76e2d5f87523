//! The lines of the table.

mod alone;
mod beside;
mod growth;
mod scale;

use std::fmt;

use super::act::Act;
use super::subject::Subject;
pub use scale::Scale;

/// An act, and on whom it is done.
#[derive(Debug, Clone, Copy)]
pub struct Trial {
    /// On whom.
    pub subject: Subject,
    /// What.
    pub act: Act,
}

/// A line of the table.
#[derive(Debug, Clone, Copy)]
pub struct Scenario {
    /// By which it is chosen.
    pub key: &'static str,
    /// What is done.
    pub work: &'static str,
    /// In what it is measured.
    pub unit: &'static str,
    /// What is measured.
    pub ours: Trial,
    /// What that is compared with.
    pub base: Option<Trial>,
    /// How good it is to be.
    pub reach: Reach,
    /// The line that tells at which rate: half of what the server took there, in the same repetition. Where that was not
    /// measured, at the rate of the act.
    pub at_half_of: Option<&'static str>,
}

impl Scenario {
    /// The same, at half of what the server took in another line.
    #[must_use]
    pub fn at_half(self, deliveries_per_s: f64) -> Self {
        let at_half = |trial: Trial| Trial { act: trial.act.at(deliveries_per_s / 2.0), ..trial };
        Self { ours: at_half(self.ours), base: self.base.map(at_half), ..self }
    }

    /// What others are tried with, too: what the bound is, and questions.
    #[must_use]
    pub const fn for_all(&self) -> Option<Act> {
        match (self.base, self.ours) {
            (
                Some(Trial { subject: Subject::Peer(_), .. }) | None,
                Trial { subject: Subject::Ours(_), act },
            ) if self.base.is_some() || matches!(act, Act::Ask(..)) => Some(act),
            _ => None,
        }
    }
}

/// How good something is to be.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Reach {
    /// At most so many times what it is compared with.
    Times(f64),
    /// At most so much.
    AtMost(f64),
    /// At least so much.
    AtLeast(f64),
    /// It is there to be compared with.
    Anything,
}

impl Reach {
    /// Whether it is as good.
    #[must_use]
    pub fn is_met(self, value: f64, ratio: Option<f64>) -> bool {
        match self {
            Self::Times(most) => ratio.is_some_and(|ratio| ratio <= most),
            Self::AtMost(most) => value <= most,
            Self::AtLeast(least) => value >= least,
            Self::Anything => true,
        }
    }
}

impl fmt::Display for Reach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Times(most) => write!(f, "at most {most} ×"),
            Self::AtMost(most) => write!(f, "at most {most}"),
            Self::AtLeast(least) => write!(f, "at least {least}"),
            Self::Anything => f.write_str("–"),
        }
    }
}

const PLAIN: &[&str] = &["plain"];

/// All lines, in their order.
#[must_use]
pub fn scenarios(scale: Scale) -> Vec<Scenario> {
    let mut all = beside::lines(scale);
    all.extend(alone::lines(scale));
    all.extend(growth::lines(scale));
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_of_what_the_server_took_is_asked_of_both() {
        let rate = |trial: Trial| match trial.act {
            Act::TalkInTime(_, talk, _) => talk.rate,
            act => panic!("{act:?}"),
        };
        let all = scenarios(Scale::Full { history: 0 });
        let halves: Vec<&Scenario> = all.iter().filter(|scenario| scenario.at_half_of.is_some()).collect();
        assert!(!halves.is_empty());
        for scenario in halves {
            let overload = all.iter().position(|other| Some(other.key) == scenario.at_half_of).unwrap();
            assert!(
                all.iter().skip(overload).any(|later| later.key == scenario.key),
                "it is measured before"
            );
            // In a room of 500.
            let scenario = scenario.at_half(8e6);
            assert_eq!((rate(scenario.ours), scenario.base.map(rate)), (8_000.0, Some(8_000.0)));
        }
    }
}
