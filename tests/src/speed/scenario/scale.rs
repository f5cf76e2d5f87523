//! How large everything is.

use crate::load::{Climb, Questions, Talk};
use crate::speed::act::Size;

/// How large everything is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scale {
    /// As large as the table says, with so many messages for the longest history.
    Full {
        /// Messages.
        history: u64,
    },
    /// A fiftieth of it, for a moment: only to see that everything runs.
    Smoke,
}

impl Scale {
    pub(super) fn size(self, rooms: usize, connections: usize) -> Size {
        match self {
            Self::Full { .. } => Size { rooms, connections },
            Self::Smoke => {
                let rooms = rooms.div_ceil(50);
                Size { rooms, connections: connections.div_ceil(50).max(2 * rooms) }
            }
        }
    }

    pub(super) fn talk(self, rate: f64) -> Talk {
        match self {
            Self::Full { .. } => Talk { rate, senders: usize::MAX, warm_up: 1.0, lasting: 3.0, drain: 2.0 },
            Self::Smoke => Talk {
                rate: rate.clamp(10.0, 50.0),
                senders: usize::MAX,
                warm_up: 0.0,
                lasting: 0.3,
                drain: 10.0,
            },
        }
    }

    pub(super) fn climb(self) -> Climb {
        match self {
            Self::Full { .. } => Climb {
                first: Talk { rate: 500.0, senders: usize::MAX, warm_up: 0.4, lasting: 1.6, drain: 2.0 },
                factor: 1.6,
                most_steps: 24,
            },
            Self::Smoke => Climb { first: self.talk(10.0), factor: 2.0, most_steps: 2 },
        }
    }

    pub(super) const fn stay(self) -> f64 {
        match self {
            // Three times as long as from one ping to the next.
            Self::Full { .. } => 60.0,
            Self::Smoke => 0.1,
        }
    }

    pub(super) fn fetch(self) -> Questions {
        let (warm_up, lasting) = match self {
            Self::Full { .. } => (0.5, 3.0),
            Self::Smoke => (0.0, 0.2),
        };
        Questions {
            request: r#"{"command": "fetch_message", "roomName": "r0"}"#,
            // Once in each message of a history.
            answer: r#""__str__""#,
            warm_up,
            lasting,
        }
    }

    pub(super) const fn count(self, full: u64) -> u64 {
        match self {
            Self::Full { .. } => full,
            Self::Smoke => full.div_ceil(50),
        }
    }

    pub(super) const fn history(self) -> u64 {
        match self {
            Self::Full { history } => history,
            Self::Smoke => 1_000,
        }
    }
}
