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
}

impl Scenario {
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
