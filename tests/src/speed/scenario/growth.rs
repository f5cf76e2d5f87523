//! What must cost the same, whether there is little of something or much.
//!
//! Only one thing grows in each line: else its cost hides behind what becomes cheaper, or shows where it does not arise.

use super::{PLAIN, Reach, Scale, Scenario, Trial};
use crate::load::Talk;
use crate::speed::act::{Act, Size};
use crate::speed::subject::{Store, Subject};

/// What ours may take, and so many times what it took with little.
const FLAT: Reach = Reach::Times(1.3);

/// A line: ours with much, beside the same with little.
const fn grown(
    key: &'static str,
    work: &'static str,
    unit: &'static str,
    little: Trial,
    much: Trial,
) -> Scenario {
    Scenario { key, work, unit, ours: much, base: Some(little), reach: FLAT, at_half_of: None }
}

pub(super) fn lines(scale: Scale) -> Vec<Scenario> {
    let mut all = rooms(scale);
    all.extend(members(scale));
    all.extend(users(scale));
    all.extend(history(scale));
    all
}

/// In the first line the same ten rooms of two talk, whatever else is there. In the others somebody in each room does, less
/// the more there are: then sockets, too, are found in no cache, and the bound shows what that costs.
///
/// 700 messages a second, because transactions of several messages begin at intervals of 2 ms: at 1,000 the second or third
/// message would come just when one begins, and chance decide how many share it.
fn rooms(scale: Scale) -> Vec<Scenario> {
    let on = |subject, size, talk| Trial { subject, act: Act::Talk(size, PLAIN, talk) };
    let file = Subject::ours(Store::File);
    let (each, rarely) = (scale.talk(70.0), scale.talk(0.07));
    let of_ten = Talk { senders: 10, ..each };
    let many = scale.size(10_000, 10_000).rooms;
    // The first ten rooms have one more than the others.
    let (ten_pairs, among_many) =
        (Size { rooms: 10, connections: 20 }, Size { rooms: many, connections: many + 10 });
    let (ten, all) = (Size { rooms: 10, connections: 10 }, Size { rooms: many, connections: many });
    vec![
        grown(
            "growth-rooms",
            "growth: rooms, 10 → 10,000; ten rooms of two talk, 700 messages/s",
            "µs/delivery",
            on(file, ten_pairs, of_ten),
            on(file, among_many, of_ten),
        ),
        grown(
            "growth-rooms-talking",
            "growth: rooms of one, 10 → 10,000; all of them talk, 700 messages/s in all",
            "µs/delivery",
            on(file, ten, each),
            on(file, all, rarely),
        ),
        Scenario {
            reach: Reach::Anything,
            ..grown(
                "growth-rooms-bound",
                "the same of the bound",
                "µs/delivery",
                on(Subject::BOUND, ten, each),
                on(Subject::BOUND, all, rarely),
            )
        },
    ]
}

/// As many connections and deliveries in small rooms as in a large one; without what a message costs by itself, of which a
/// delivery bears the less, the more there are.
fn members(scale: Scale) -> Vec<Scenario> {
    let (small, large) = (scale.size(1_000, 10_000), scale.size(1, 10_000));
    let talk = |subject, size| Trial { subject, act: Act::TalkToMore(size, scale.talk(2.0)) };
    let memory = Subject::ours(Store::Memory);
    vec![
        grown(
            "growth-members",
            "growth: members of a room, 10 → 10,000: each delivery beyond two; 20,000 deliveries/s",
            "µs/delivery",
            talk(memory, small),
            talk(memory, large),
        ),
        Scenario {
            reach: Reach::Anything,
            ..grown(
                "growth-members-bound",
                "the same of the bound",
                "µs/delivery",
                talk(Subject::BOUND, small),
                talk(Subject::BOUND, large),
            )
        },
    ]
}

fn users(scale: Scale) -> Vec<Scenario> {
    let (few, many) = (10, scale.count(100_000));
    let ask = |users| Trial { subject: Subject::members(users, 50), act: asking(scale) };
    vec![
        grown(
            "growth-users",
            "growth: users, all of them members, 10 → 100,000: a send",
            "µs/delivery",
            sending(scale, Subject::members(few, 0)),
            sending(scale, Subject::members(many, 0)),
        ),
        grown(
            "growth-users-fetch",
            "growth: users, all of whom have read everything, 10 → 100,000: a fetch of 50",
            "µs",
            ask(few),
            ask(many),
        ),
    ]
}

fn history(scale: Scale) -> Vec<Scenario> {
    let send = |messages| sending(scale, Subject::history(messages));
    let ask = |messages| Trial { subject: Subject::history(messages), act: asking(scale) };
    vec![
        grown(
            "growth-history-send",
            "growth: history 1 → many: a send",
            "µs/delivery",
            send(1),
            send(scale.history()),
        ),
        grown(
            "growth-history-fetch",
            "growth: history 50 → many: a fetch of 50",
            "µs",
            ask(50),
            ask(scale.history()),
        ),
    ]
}

/// Two in a room, of whom one talks.
fn sending(scale: Scale, subject: Subject) -> Trial {
    Trial { subject, act: Act::Talk(Size { rooms: 1, connections: 2 }, PLAIN, scale.talk(500.0)) }
}

fn asking(scale: Scale) -> Act {
    Act::Ask(Size { rooms: 1, connections: 20 }, scale.fetch())
}
