//! One violation of each kind, planted into a history in which all is well: the checker reports it, and nothing else.

use chat_tests::crash::history::Event;
use chat_tests::crash::{Part, Violation, check};

use super::good::{confirmed, good, heard, invoked, stored};

/// Where an event is in a history, the last one of several.
fn place(history: &[Event], event: &Event) -> usize {
    history.iter().rposition(|other| other == event).expect("the history has it")
}

/// Puts events in the place of one; of the last where there are several.
fn replace(history: &mut Vec<Event>, event: &Event, with: impl IntoIterator<Item = Event>) {
    let place = place(history, event);
    history.splice(place..=place, with);
}

fn names<const N: usize>(names: [&str; N]) -> [String; N] {
    names.map(str::to_owned)
}

/// Plants something, and expects that to be found.
fn check_planted(expected: Violation, plant: impl FnOnce(&mut Vec<Event>)) {
    let mut history = good();
    plant(&mut history);
    assert_eq!(check(&history), [expected]);
}

#[test]
fn a_good_history_is_good() {
    assert_eq!(check(&good()), []);
    assert_eq!(check(&[]), []);
}

#[test]
fn a_confirmed_message_that_is_not_stored() {
    let [client_id] = names(["amy-4"]);
    check_planted(Violation::Lost { client_id, message_id: 5 }, |history| {
        replace(history, &stored("r1", 4, 5, "amy", "amy-4"), []);
        replace(history, &heard("w1", 5, "amy-4"), []);
        replace(history, &heard("w2", 5, "amy-4"), []);
    });
}

#[test]
fn a_message_that_was_confirmed_under_another_id() {
    let [client_id] = names(["cleo-1"]);
    check_planted(Violation::StoredAsAnother { client_id, confirmed: 30, stored: 3 }, |history| {
        replace(history, &confirmed("cleo-1", 3), [confirmed("cleo-1", 30)]);
    });
}

#[test]
fn a_repeated_message_that_was_confirmed_under_another_id() {
    let [client_id] = names(["amy-4"]);
    check_planted(Violation::ConfirmedAsAnother { client_id, first: 5, then: 50 }, |history| {
        replace(history, &confirmed("amy-4", 5), [confirmed("amy-4", 50)]);
    });
}

#[test]
fn a_confirmation_of_what_nobody_sent() {
    let [client_id] = names(["dan-1"]);
    check_planted(Violation::ConfirmedUnsent { client_id, message_id: 9 }, |history| {
        history.push(confirmed("dan-1", 9));
    });
}

#[test]
fn a_message_that_is_stored_twice() {
    let [client_id] = names(["amy-4"]);
    check_planted(Violation::StoredTwice { client_id, first: 5, again: 6 }, |history| {
        history.push(stored("r1", 5, 6, "amy", "amy-4"));
        history.extend(["w1", "w2"].map(|subscriber| heard(subscriber, 6, "amy-4")));
    });
}

#[test]
fn a_refused_message_that_is_stored() {
    let [client_id, code] = names(["amy-2", "blank_message"]);
    check_planted(Violation::RefusedButStored { client_id, code, message_id: 6 }, |history| {
        history.push(stored("r1", 5, 6, "amy", "amy-2"));
        history.extend(["w1", "w2"].map(|subscriber| heard(subscriber, 6, "amy-2")));
    });
}

#[test]
fn a_stored_message_that_nobody_sent() {
    let [room] = names(["r2"]);
    check_planted(Violation::StoredUnsent { room, message_id: 6 }, |history| {
        history.push(stored("r2", 2, 6, "dan", "dan-1"));
        history.push(heard("w3", 6, "dan-1"));
    });
}

#[test]
fn a_message_that_is_stored_otherwise_than_it_was_sent() {
    let message = || stored("r2", 1, 3, "cleo", "cleo-1");
    let [cleo, dan, r1, r2] = names(["cleo", "dan", "r1", "r2"]);
    let altered = |what, sent, stored| Violation::Altered { message_id: 3, what, sent, stored };
    check_planted(altered(Part::Sender, cleo, dan), |history| {
        replace(history, &message(), [stored("r2", 1, 3, "dan", "cleo-1")]);
    });
    check_planted(altered(Part::Room, r1, r2), |history| {
        replace(history, &invoked("cleo", "r2", "cleo-1"), [invoked("cleo", "r1", "cleo-1")]);
    });
    let [sent, kept] = names(["something else", "text of cleo-1"]);
    check_planted(altered(Part::Text, sent.clone(), kept), |history| {
        let [sender, room, client_id] = names(["cleo", "r2", "cleo-1"]);
        let other = Event::Invoked { sender, room, client_id, text: sent };
        replace(history, &invoked("cleo", "r2", "cleo-1"), [other]);
    });
}

#[test]
fn a_number_that_is_left_out() {
    let [room] = names(["r1"]);
    check_planted(Violation::Numbers { room, message_id: 5, expected: 4, found: 5 }, |history| {
        replace(history, &stored("r1", 4, 5, "amy", "amy-4"), [stored("r1", 5, 5, "amy", "amy-4")]);
    });
}

#[test]
fn ids_that_do_not_grow() {
    let [room] = names(["r1"]);
    check_planted(Violation::Ids { room, previous: 6, message_id: 5 }, |history| {
        replace(history, &stored("r1", 3, 4, "amy", "amy-3"), [stored("r1", 3, 6, "amy", "amy-3")]);
        for subscriber in ["w1", "w2"] {
            replace(history, &heard(subscriber, 4, "amy-3"), [heard(subscriber, 6, "amy-3")]);
        }
    });
}

#[test]
fn a_message_that_overtakes_one_that_was_confirmed_before_it_was_sent() {
    let [room, first, then] = names(["r1", "ben-1", "amy-1"]);
    check_planted(Violation::Overtaken { room, first, then }, |history| {
        replace(history, &invoked("amy", "r1", "amy-1"), []);
        replace(history, &confirmed("amy-1", 1), []);
        history.extend([invoked("amy", "r1", "amy-1"), confirmed("amy-1", 1)]);
    });
}

#[test]
fn messages_of_one_sender_in_another_order_than_they_were_sent_in() {
    let [room, first, then] = names(["r2", "dan-1", "dan-2"]);
    check_planted(Violation::Swapped { room, first, then }, |history| {
        history.extend(["dan-1", "dan-2"].map(|client_id| invoked("dan", "r2", client_id)));
        history.extend([confirmed("dan-2", 6), confirmed("dan-1", 7)]);
        history.extend([stored("r2", 2, 6, "dan", "dan-2"), stored("r2", 3, 7, "dan", "dan-1")]);
        history.extend([heard("w3", 6, "dan-2"), heard("w3", 7, "dan-1")]);
    });
}

#[test]
fn a_message_that_is_heard_twice() {
    let [subscriber] = names(["w1"]);
    check_planted(Violation::HeardTwice { subscriber, message_id: 5 }, |history| {
        history.push(heard("w1", 5, "amy-4"));
    });
    let [subscriber] = names(["w2"]);
    check_planted(Violation::HeardTwice { subscriber, message_id: 2 }, |history| {
        let first = heard("w2", 4, "amy-3");
        replace(history, &first, [heard("w2", 2, "ben-1"), first.clone()]);
    });
}

#[test]
fn messages_that_are_heard_in_another_order() {
    let [subscriber] = names(["w1"]);
    check_planted(Violation::HeardOutOfOrder { subscriber, message_id: 4, after: 5 }, |history| {
        let (one, other) = (heard("w1", 4, "amy-3"), heard("w1", 5, "amy-4"));
        let (one, other) = (place(history, &one), place(history, &other));
        history.swap(one, other);
    });
}

#[test]
fn messages_that_are_not_heard_between_others() {
    for (message_id, client_id) in [(1, "amy-1"), (2, "ben-1"), (4, "amy-3")] {
        let [subscriber, room] = names(["w1", "r1"]);
        check_planted(Violation::Missed { subscriber, room, first: message_id, count: 1 }, |history| {
            replace(history, &heard("w1", message_id, client_id), []);
        });
    }
    let [subscriber, room] = names(["w1", "r1"]);
    check_planted(Violation::Missed { subscriber, room, first: 2, count: 2 }, |history| {
        replace(history, &heard("w1", 2, "ben-1"), []);
        replace(history, &heard("w1", 4, "amy-3"), []);
    });
}

#[test]
fn a_subscriber_that_does_not_hear_the_newest() {
    for (subscriber, room, message_id, client_id) in [("w1", "r1", 5, "amy-4"), ("w3", "r2", 3, "cleo-1")] {
        let [name, room] = names([subscriber, room]);
        check_planted(Violation::NotCaughtUp { subscriber: name, room, newest: message_id }, |history| {
            replace(history, &heard(subscriber, message_id, client_id), []);
        });
    }
}

#[test]
fn a_message_that_is_heard_and_not_stored() {
    // One that is nowhere, and one of another room.
    for (message_id, client_id) in [(9, "ben-2"), (3, "cleo-1")] {
        let [subscriber] = names(["w1"]);
        check_planted(Violation::HeardUnstored { subscriber, message_id }, |history| {
            history.push(heard("w1", message_id, client_id));
        });
    }
}

#[test]
fn a_message_that_is_heard_otherwise_than_it_is_stored() {
    let hear = |client_id: Option<&str>, text: &str| Event::Heard {
        subscriber: "w1".to_owned(),
        message_id: 4,
        client_id: client_id.map(str::to_owned),
        text: text.to_owned(),
    };
    let altered = |what, heard: &str, stored: &str| {
        let [subscriber, heard, stored] = names(["w1", heard, stored]);
        Violation::HeardAltered { subscriber, message_id: 4, what, heard, stored }
    };
    check_planted(altered(Part::Text, "something else", "text of amy-3"), |history| {
        replace(history, &heard("w1", 4, "amy-3"), [hear(Some("amy-3"), "something else")]);
    });
    check_planted(altered(Part::ClientId, "", "amy-3"), |history| {
        replace(history, &heard("w1", 4, "amy-3"), [hear(None, "text of amy-3")]);
    });
}
