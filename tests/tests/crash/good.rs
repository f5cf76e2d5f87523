//! A history in which all is well, and the events to make others of.

use chat_tests::crash::history::Event;

pub(crate) fn invoked(sender: &str, room: &str, client_id: &str) -> Event {
    let [sender, room, client_id] = [sender, room, client_id].map(str::to_owned);
    Event::Invoked { sender, room, text: format!("text of {client_id}"), client_id }
}

pub(crate) fn confirmed(client_id: &str, message_id: i64) -> Event {
    Event::Confirmed { client_id: client_id.to_owned(), message_id }
}

pub(crate) fn refused(client_id: &str) -> Event {
    Event::Refused { client_id: client_id.to_owned(), code: "blank_message".to_owned() }
}

pub(crate) fn unknown(client_id: &str) -> Event {
    Event::Unknown { client_id: client_id.to_owned() }
}

pub(crate) fn connected(subscriber: &str, room: &str, since: i64) -> Event {
    Event::Connected { subscriber: subscriber.to_owned(), room: room.to_owned(), since }
}

pub(crate) fn heard(subscriber: &str, message_id: i64, client_id: &str) -> Event {
    Event::Heard {
        subscriber: subscriber.to_owned(),
        message_id,
        client_id: Some(client_id.to_owned()),
        text: format!("text of {client_id}"),
    }
}

pub(crate) fn stored(room: &str, seq: i64, message_id: i64, sender: &str, client_id: &str) -> Event {
    Event::Stored {
        room: room.to_owned(),
        seq,
        message_id,
        sender: sender.to_owned(),
        client_id: Some(client_id.to_owned()),
        text: format!("text of {client_id}"),
    }
}

/// A history with something of everything, in which all is well.
pub(crate) fn good() -> Vec<Event> {
    vec![
        connected("w1", "r1", 0),
        connected("w3", "r2", 0),
        invoked("amy", "r1", "amy-1"),
        confirmed("amy-1", 1),
        heard("w1", 1, "amy-1"),
        // Stored, not confirmed, sent again.
        invoked("ben", "r1", "ben-1"),
        unknown("ben-1"),
        invoked("ben", "r1", "ben-1"),
        heard("w1", 2, "ben-1"),
        confirmed("ben-1", 2),
        // It wants what comes after the second.
        connected("w2", "r1", 2),
        invoked("amy", "r1", "amy-2"),
        refused("amy-2"),
        invoked("cleo", "r2", "cleo-1"),
        confirmed("cleo-1", 3),
        heard("w3", 3, "cleo-1"),
        // Abandoned: one is stored, the other is not.
        invoked("amy", "r1", "amy-3"),
        invoked("ben", "r1", "ben-2"),
        unknown("amy-3"),
        unknown("ben-2"),
        connected("w1", "r1", 2),
        heard("w1", 4, "amy-3"),
        heard("w2", 4, "amy-3"),
        // Sent twice and confirmed twice.
        invoked("amy", "r1", "amy-4"),
        invoked("amy", "r1", "amy-4"),
        confirmed("amy-4", 5),
        heard("w1", 5, "amy-4"),
        confirmed("amy-4", 5),
        heard("w2", 5, "amy-4"),
        // The newest first, as they are read.
        stored("r1", 4, 5, "amy", "amy-4"),
        stored("r1", 3, 4, "amy", "amy-3"),
        stored("r1", 2, 2, "ben", "ben-1"),
        stored("r1", 1, 1, "amy", "amy-1"),
        stored("r2", 1, 3, "cleo", "cleo-1"),
    ]
}
