//! Compares what clients were told with what is stored.
//!
//! A pure function of the history, in the manner of Jepsen: a send whose outcome nobody knows may be stored or not, and
//! everything else must be as the server has promised.

mod sends;
mod stored;
mod subscribers;

use super::history::Event;
use super::violation::Violation;

use sends::Sends;
use stored::Stored;
use subscribers::Subscribers;

/// All that is wrong with a history; nothing where all is well.
#[must_use]
pub fn check(history: &[Event]) -> Vec<Violation> {
    let sends = Sends::of(history);
    let stored = Stored::of(history);
    let mut violations = sends.check_answers();
    violations.extend(stored.check_numbers());
    violations.extend(stored.check_against(&sends));
    violations.extend(sends.check_against(&stored));
    violations.extend(stored.check_order(&sends));
    violations.extend(Subscribers::of(history).check_against(&stored));
    violations
}
