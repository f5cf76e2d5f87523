//! What is compared with the bound.

use super::{PLAIN, Reach, Scale, Scenario, Trial};
use crate::load::Talk;
use crate::speed::act::{Act, Percentile};
use crate::speed::subject::{Store, Subject};

pub(super) fn lines(scale: Scale) -> Vec<Scenario> {
    let (file, memory) = (Subject::ours(Store::File), Subject::ours(Store::Memory));
    let (one_room, pairs) = (scale.size(1, 500), scale.size(500, 1_000));
    let beside = |key, work, unit, ours, act, reach| Scenario {
        key,
        work,
        unit,
        ours: Trial { subject: ours, act },
        base: Some(Trial { subject: Subject::BOUND, act }),
        reach: Reach::Times(reach),
        at_half_of: None,
    };
    let (us, busy, trickle) = ("µs/delivery", scale.talk(200.0), scale.talk(2.0));
    let a = Act::Talk(one_room, PLAIN, busy);
    let trickling = Act::Talk(one_room, PLAIN, Talk { lasting: 2.0 * trickle.lasting, ..trickle });
    let half_of_a = Act::Talk(one_room, PLAIN, scale.talk(100.0));
    let b = Act::Talk(pairs, PLAIN, scale.talk(10.0));
    let c = Act::Talk(scale.size(1, 5_000), PLAIN, scale.talk(5.0));
    let climb = Act::Climb(one_room, scale.climb());
    let stay = Act::Stay(scale.size(100, 10_000));
    let arrive = Act::Arrive(scale.size(50, 5_000));
    let in_time = |key, work, rate, bound, percentile| {
        let act = Act::TalkInTime(one_room, scale.talk(rate), percentile);
        let base = Some(Trial { subject: bound, act });
        Scenario { base, ..beside(key, work, "µs", file, act, 1.0) }
    };
    let at_half = |scenario| Scenario { at_half_of: Some("overload"), ..scenario };
    vec![
        beside("a", "A: a room of 500, 200 messages/s", us, file, a, 1.15),
        // On a slow machine all of A is hardly more than it takes, and a server that then joins what it is behind with is at an
        // advantage.
        beside("a-half", "A, half of it: 100 messages/s", us, file, half_of_a, 1.15),
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
        at_half(in_time(
            "half-load-p50",
            "half of that: latency without a commit, 50 of 100",
            10_000.0,
            Subject::BATCHING_BOUND,
            Percentile::P50,
        )),
        at_half(in_time(
            "half-load-p99",
            "the same, 99 of 100",
            10_000.0,
            Subject::BATCHING_BOUND,
            Percentile::P99,
        )),
        in_time(
            "half-reach-p50",
            "half of 2 M deliveries/s: the same, 50 of 100",
            2_000.0,
            Subject::BATCHING_BOUND,
            Percentile::P50,
        ),
        in_time("half-reach-p99", "the same, 99 of 100", 2_000.0, Subject::BATCHING_BOUND, Percentile::P99),
        // The bound that joins nothing does twice as much on a quiet machine, and no more.
        in_time(
            "half-bound-p50",
            "half of what one `send()` a delivery can do (0.2 M deliveries/s): the same, 50 of 100",
            400.0,
            Subject::BOUND,
            Percentile::P50,
        ),
        in_time("half-bound-p99", "the same, 99 of 100", 400.0, Subject::BOUND, Percentile::P99),
        Scenario {
            reach: Reach::AtMost(3.0),
            ..beside(
                "idle",
                "idle: 10,000 connections in rooms, signed in",
                "KiB/connection",
                Subject::signed_in(100),
                stay,
                0.0,
            )
        },
        beside("connect", "connect: a handshake of a guest", "µs", file, arrive, 3.0),
    ]
}
