//! What is measured for itself, or beside ours in another way.

use super::{PLAIN, Reach, Scale, Scenario, Trial};
use crate::load;
use crate::speed::act::{Act, Size};
use crate::speed::subject::{Store, Subject};

const ALL_DIALECTS: &[&str] = &["plain", "command", "group", "remetente", "typed"];

pub(super) fn lines(scale: Scale) -> Vec<Scenario> {
    let file = Subject::ours(Store::File);
    let history = Subject::history(scale.count(100_000));
    let whole_history = Subject::history(scale.history());
    let one_room = scale.size(1, 500);
    let a = |dialects| Trial { subject: file, act: Act::Talk(one_room, dialects, scale.talk(200.0)) };
    let alone = |key, work, unit, subject, act, reach| Scenario {
        key,
        work,
        unit,
        ours: Trial { subject, act },
        base: None,
        reach: Reach::AtMost(reach),
        at_half_of: None,
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
        alone(
            "idle-cpu",
            "idle: 10,000 connections in rooms, signed in, a minute with its pings",
            "% of a core",
            Subject::signed_in(100),
            stay,
            1.0,
        ),
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

/// As many as one process may have here, within reason.
fn most_connections() -> usize {
    // What is not for connections: programs have files, too.
    let connections = load::most_descriptors().saturating_sub(1_000).min(200_000);
    usize::try_from(connections).unwrap_or_default()
}
