//! The lines of the table.

use std::fmt;

use super::act::{Act, Size};
use super::seed::Seed;
use super::subject::{People, Setting, Store, Subject};
use crate::load::{self, Climb, Questions, Talk};

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

/// How good something is to be.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Reach {
    /// At most so many times what it is compared with.
    Times(f64),
    /// At most so much.
    AtMost(f64),
    /// At least so much.
    AtLeast(f64),
}

impl Reach {
    /// Whether it is as good.
    #[must_use]
    pub fn is_met(self, value: f64, ratio: Option<f64>) -> bool {
        match self {
            Self::Times(most) => ratio.is_some_and(|ratio| ratio <= most),
            Self::AtMost(most) => value <= most,
            Self::AtLeast(least) => value >= least,
        }
    }
}

impl fmt::Display for Reach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Times(most) => write!(f, "at most {most} ×"),
            Self::AtMost(most) => write!(f, "at most {most}"),
            Self::AtLeast(least) => write!(f, "at least {least}"),
        }
    }
}

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
    fn size(self, rooms: usize, connections: usize) -> Size {
        match self {
            Self::Full { .. } => Size { rooms, connections },
            Self::Smoke => {
                let rooms = rooms.div_ceil(50);
                Size { rooms, connections: connections.div_ceil(50).max(2 * rooms) }
            }
        }
    }

    fn talk(self, rate: f64) -> Talk {
        match self {
            Self::Full { .. } => Talk { rate, warm_up: 1.0, lasting: 3.0, drain: 2.0 },
            Self::Smoke => Talk { rate: rate.clamp(10.0, 50.0), warm_up: 0.0, lasting: 0.3, drain: 10.0 },
        }
    }

    fn climb(self) -> Climb {
        match self {
            Self::Full { .. } => Climb {
                first: Talk { rate: 500.0, warm_up: 0.4, lasting: 1.6, drain: 2.0 },
                factor: 1.6,
                most_steps: 24,
            },
            Self::Smoke => Climb { first: self.talk(10.0), factor: 2.0, most_steps: 2 },
        }
    }

    const fn stay(self) -> f64 {
        match self {
            // Longer than from one ping to the next.
            Self::Full { .. } => 21.0,
            Self::Smoke => 0.1,
        }
    }

    fn fetch(self) -> Questions {
        let (warm_up, lasting) = match self {
            Self::Full { .. } => (0.5, 3.0),
            Self::Smoke => (0.0, 0.2),
        };
        Questions {
            request: r#"{"command": "fetch_message", "roomName": "r0"}"#,
            answer: r#""command":"fetch_message""#,
            warm_up,
            lasting,
        }
    }

    const fn count(self, full: u64) -> u64 {
        match self {
            Self::Full { .. } => full,
            Self::Smoke => full.div_ceil(50),
        }
    }

    const fn history(self) -> u64 {
        match self {
            Self::Full { history } => history,
            Self::Smoke => 1_000,
        }
    }
}

const PLAIN: &[&str] = &["plain"];
const ALL_DIALECTS: &[&str] = &["plain", "command", "group", "remetente", "typed"];

/// All lines, in their order.
#[must_use]
pub fn scenarios(scale: Scale) -> Vec<Scenario> {
    let mut all = beside_the_bound(scale);
    all.extend(on_its_own(scale));
    all.extend(growth(scale));
    all
}

fn beside_the_bound(scale: Scale) -> Vec<Scenario> {
    let (file, memory) = (Subject::ours(Store::File), Subject::ours(Store::Memory));
    let signed_in =
        Setting { store: Store::File, people: People::SignedIn, seed: Seed { rooms: 100, ..Seed::NOTHING } };
    let (one_room, pairs) = (scale.size(1, 500), scale.size(500, 1_000));
    let beside = |key, work, unit, ours, act, reach| Scenario {
        key,
        work,
        unit,
        ours: Trial { subject: ours, act },
        base: Some(Trial { subject: Subject::BOUND, act }),
        reach: Reach::Times(reach),
    };
    let (us, busy, trickle) = ("µs/delivery", scale.talk(200.0), scale.talk(2.0));
    let a = Act::Talk(one_room, PLAIN, busy);
    let trickling = Act::Talk(one_room, PLAIN, Talk { lasting: 2.0 * trickle.lasting, ..trickle });
    let b = Act::Talk(pairs, PLAIN, scale.talk(10.0));
    let c = Act::Talk(scale.size(1, 5_000), PLAIN, scale.talk(5.0));
    let climb = Act::Climb(one_room, scale.climb());
    let stay = Act::Stay(scale.size(100, 10_000));
    let arrive = Act::Arrive(scale.size(50, 5_000));
    let half = Act::TalkInTime(one_room, scale.talk(2_000.0));
    vec![
        beside("a", "A: a room of 500, 200 messages/s", us, file, a, 1.15),
        beside("a-trickle", "A, trickle: 2 messages/s", us, file, trickling, 1.5),
        beside("b", "B: 500 rooms of 2, 10 messages/s each, stored in memory", us, memory, b, 1.8),
        beside("b-durable", "B, durable in SQLite", us, file, b, 4.0),
        beside("c", "C: a room of 5,000, 5 messages/s", us, file, c, 1.25),
        Scenario {
            base: Some(Trial { subject: Subject::BATCHING_BOUND, act: climb }),
            reach: Reach::AtLeast(2e6),
            ..beside(
                "overload",
                "overload: a room of 500, as fast as it takes",
                "deliveries/s",
                file,
                climb,
                0.0,
            )
        },
        Scenario {
            base: Some(Trial { subject: Subject::BATCHING_BOUND, act: half }),
            ..beside(
                "half-load",
                "half of that (1 M deliveries/s): latency, 99 of 100",
                "µs",
                file,
                half,
                1.0,
            )
        },
        Scenario {
            reach: Reach::AtMost(3.0),
            ..beside(
                "idle",
                "idle: 10,000 connections in rooms, signed in",
                "KiB/connection",
                Subject::Ours(signed_in),
                stay,
                0.0,
            )
        },
        beside("connect", "connect: a handshake of a guest", "µs", file, arrive, 3.0),
    ]
}

fn on_its_own(scale: Scale) -> Vec<Scenario> {
    let file = Subject::ours(Store::File);
    let history = Subject::seeded(Seed { rooms: 1, users: 1, messages: scale.count(100_000) });
    let whole_history = Subject::seeded(Seed { rooms: 1, users: 1, messages: scale.history() });
    let one_room = scale.size(1, 500);
    let a = |dialects| Trial { subject: file, act: Act::Talk(one_room, dialects, scale.talk(200.0)) };
    let alone = |key, work, unit, subject, act, reach| Scenario {
        key,
        work,
        unit,
        ours: Trial { subject, act },
        base: None,
        reach: Reach::AtMost(reach),
    };
    let ask = Act::Ask(Size { rooms: 1, connections: 20 }, scale.fetch());
    let stay = Act::StayFor(scale.size(100, 10_000), scale.stay());
    vec![
        alone(
            "idle-many",
            "idle: guests, as many as descriptors allow, up to 200,000",
            "KiB/connection",
            file,
            Act::Stay(scale.size(1_000, most_connections())),
            3.0,
        ),
        alone("idle-cpu", "idle: 10,000 connections, pings included", "% of a core", file, stay, 1.0),
        alone("fetch", "fetch_message of 50, from SQLite", "µs", history, ask, 60.0),
        Scenario {
            base: Some(a(PLAIN)),
            reach: Reach::Times(1.1),
            ..alone(
                "dialects",
                "A with five dialects instead of one",
                "µs/delivery",
                file,
                a(ALL_DIALECTS).act,
                0.0,
            )
        },
        alone(
            "start",
            "start with a long history: until it serves",
            "ms",
            whole_history,
            Act::Start,
            1_000.0,
        ),
    ]
}

/// What must cost the same, whether there is little of something or much.
fn growth(scale: Scale) -> Vec<Scenario> {
    let grown = |key, work, unit, little: Trial, much: Trial| Scenario {
        key,
        work,
        unit,
        ours: much,
        base: Some(little),
        reach: Reach::Times(1.3),
    };
    let file = Subject::ours(Store::File);
    let talk = |subject, size: Size, rate| {
        let dialects = PLAIN;
        Trial { subject, act: Act::Talk(size, dialects, scale.talk(rate)) }
    };
    // As many connections and messages in few rooms as in many.
    let (few, many) = (scale.size(10, 10_000), scale.size(10_000, 10_000));
    let users = |count| Subject::seeded(Seed { rooms: 1, users: count, messages: 0 });
    let messages = |count| Subject::seeded(Seed { rooms: 1, users: 1, messages: count });
    let pair = Size { rooms: 1, connections: 2 };
    let ask = |subject| Trial { subject, act: Act::Ask(Size { rooms: 1, connections: 20 }, scale.fetch()) };
    vec![
        grown(
            "growth-rooms",
            "growth: rooms 10 → 10,000 of one each, 1,000 messages/s",
            "µs/delivery",
            talk(file, Size { connections: few.rooms, ..few }, 100.0),
            talk(file, Size { connections: many.rooms, ..many }, 0.1),
        ),
        grown(
            "growth-members",
            "growth: a room of 10 → 10,000, 2 messages/s",
            "µs/delivery",
            talk(file, Size { rooms: 1, connections: 10 }, 2.0),
            talk(file, scale.size(1, 10_000), 2.0),
        ),
        grown(
            "growth-users",
            "growth: users, all of them members, 10 → 100,000: a send",
            "µs/delivery",
            talk(users(10), pair, 500.0),
            talk(users(scale.count(100_000)), pair, 500.0),
        ),
        grown(
            "growth-history-send",
            "growth: history 1 → many: a send",
            "µs/delivery",
            talk(messages(1), pair, 500.0),
            talk(messages(scale.history()), pair, 500.0),
        ),
        grown(
            "growth-history-fetch",
            "growth: history 50 → many: a fetch of 50",
            "µs",
            ask(messages(50)),
            ask(messages(scale.history())),
        ),
    ]
}

/// As many as one process may have here, within reason.
fn most_connections() -> usize {
    // What is not for connections: programs have files, too.
    let connections = load::most_descriptors().saturating_sub(1_000).min(200_000);
    usize::try_from(connections).unwrap_or_default()
}
