//! Histories of a server that keeps its promises are good; whatever is changed in one of them is found.

use chat_tests::crash::check;
use chat_tests::crash::history::Event;
use proptest::prelude::*;
use proptest::sample::Index;

/// What becomes of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Confirmed,
    Refused,
    /// Nobody knows; it is stored.
    StoredUnconfirmed,
    /// Nobody knows; it is not stored.
    Gone,
    /// Stored at the first attempt, confirmed at the second.
    StoredThenConfirmed,
    /// Stored and confirmed at the second attempt.
    GoneThenConfirmed,
}

/// A change that breaks a promise.
#[derive(Debug, Clone, Copy)]
enum Change {
    DropStored,
    RepeatStored,
    RenumberStored,
    RewriteStored,
    DropHeard,
    RepeatHeard,
    RewriteHeard,
    /// The messages of one subscriber change places.
    SwapHeard,
    ReidentifyConfirmed,
    /// A confirmation of what is not stored.
    ConfirmGone,
}

/// A server that does everything right, with two rooms and a subscriber in each.
#[derive(Debug, Default)]
struct Model {
    history: Vec<Event>,
    stored: Vec<Event>,
    rooms: [Vec<i64>; 2],
}

impl Model {
    fn history_of(sends: &[(usize, Fate, bool)]) -> Vec<Event> {
        let mut this = Self::default();
        for room in 0..2 {
            this.connect(room);
        }
        // Something of everything, so that there is something to change, and a message after every other one.
        let fates = [Fate::Confirmed, Fate::Gone];
        let always = (0..2).flat_map(|room| fates.map(|fate| (room, fate, false)));
        for (number, (room, fate, reconnects)) in sends.iter().copied().chain(always).enumerate() {
            this.send(number, room, fate);
            if reconnects {
                this.connect(room);
            }
        }
        this.history.append(&mut this.stored);
        this.history
    }

    fn connect(&mut self, room: usize) {
        let since = self.rooms[room].last().copied().unwrap_or_default();
        let connected = Event::Connected { subscriber: format!("w{room}"), room: format!("r{room}"), since };
        self.history.push(connected);
    }

    fn send(&mut self, number: usize, room: usize, fate: Fate) {
        let client_id = format!("s-{number}");
        let unknown = Event::Unknown { client_id: client_id.clone() };
        self.invoke(number, room);
        match fate {
            Fate::Confirmed => self.store_and_confirm(number, room),
            Fate::Refused => {
                self.history.push(Event::Refused { client_id, code: "blank_message".to_owned() });
            }
            Fate::StoredUnconfirmed => {
                self.store(number, room);
                self.history.push(unknown);
            }
            Fate::Gone => self.history.push(unknown),
            Fate::StoredThenConfirmed => {
                let message_id = self.store(number, room);
                self.history.push(unknown);
                self.invoke(number, room);
                self.history.push(Event::Confirmed { client_id, message_id });
            }
            Fate::GoneThenConfirmed => {
                self.history.push(unknown);
                self.invoke(number, room);
                self.store_and_confirm(number, room);
            }
        }
    }

    fn invoke(&mut self, number: usize, room: usize) {
        let (client_id, text) = (format!("s-{number}"), format!("text {number}"));
        self.history.push(Event::Invoked {
            sender: "s".to_owned(),
            room: format!("r{room}"),
            client_id,
            text,
        });
    }

    fn store_and_confirm(&mut self, number: usize, room: usize) {
        let message_id = self.store(number, room);
        self.history.push(Event::Confirmed { client_id: format!("s-{number}"), message_id });
    }

    fn store(&mut self, number: usize, room: usize) -> i64 {
        let message_id = 1 + i64::try_from(self.stored.len()).expect("few");
        self.rooms[room].push(message_id);
        let seq = i64::try_from(self.rooms[room].len()).expect("few");
        let (client_id, text) = (Some(format!("s-{number}")), format!("text {number}"));
        self.stored.push(Event::Stored {
            room: format!("r{room}"),
            seq,
            message_id,
            sender: "s".to_owned(),
            client_id: client_id.clone(),
            text: text.clone(),
        });
        self.history.push(Event::Heard { subscriber: format!("w{room}"), message_id, client_id, text });
        message_id
    }
}

/// Makes a change somewhere; `false` where there is no place for it.
fn apply(history: &mut Vec<Event>, change: Change, index: Index) -> bool {
    let is_meant = |event: &Event| match change {
        Change::DropStored | Change::RepeatStored | Change::RenumberStored | Change::RewriteStored => {
            matches!(event, Event::Stored { .. })
        }
        Change::DropHeard | Change::RepeatHeard | Change::RewriteHeard | Change::SwapHeard => {
            matches!(event, Event::Heard { .. })
        }
        Change::ReidentifyConfirmed => matches!(event, Event::Confirmed { .. }),
        Change::ConfirmGone => matches!(event, Event::Unknown { .. }),
    };
    let places: Vec<usize> = (0..history.len()).filter(|place| is_meant(&history[*place])).collect();
    let place = places[index.index(places.len())];
    match (change, &mut history[place]) {
        (Change::DropStored | Change::DropHeard, _) => drop(history.remove(place)),
        (Change::RepeatStored | Change::RepeatHeard, event) => {
            let event = event.clone();
            history.push(event);
        }
        (Change::SwapHeard, Event::Heard { subscriber, .. }) => {
            let subscriber = subscriber.clone();
            let is_next =
                |event: &Event| matches!(event, Event::Heard { subscriber: name, .. } if *name == subscriber);
            let Some(distance) = history[place + 1..].iter().position(is_next) else { return false };
            history.swap(place, place + 1 + distance);
        }
        (_, Event::Stored { seq, .. }) if matches!(change, Change::RenumberStored) => *seq += 1000,
        (_, Event::Stored { text, .. } | Event::Heard { text, .. }) => text.push('!'),
        (_, Event::Confirmed { message_id, .. }) => *message_id += 1000,
        (_, Event::Unknown { client_id }) => {
            let client_id = client_id.clone();
            history[place] = Event::Confirmed { client_id, message_id: 1000 };
        }
        _ => return false,
    }
    true
}

fn fates() -> impl Strategy<Value = Fate> {
    prop::sample::select(vec![
        Fate::Confirmed,
        Fate::Refused,
        Fate::StoredUnconfirmed,
        Fate::Gone,
        Fate::StoredThenConfirmed,
        Fate::GoneThenConfirmed,
    ])
}

fn changes() -> impl Strategy<Value = Change> {
    prop::sample::select(vec![
        Change::DropStored,
        Change::RepeatStored,
        Change::RenumberStored,
        Change::RewriteStored,
        Change::DropHeard,
        Change::RepeatHeard,
        Change::RewriteHeard,
        Change::SwapHeard,
        Change::ReidentifyConfirmed,
        Change::ConfirmGone,
    ])
}

fn sends() -> impl Strategy<Value = Vec<(usize, Fate, bool)>> {
    prop::collection::vec((0..2_usize, fates(), any::<bool>()), 0..40)
}

proptest! {
    #[test]
    fn what_a_good_server_does_is_good(sends in sends()) {
        prop_assert_eq!(check(&Model::history_of(&sends)), []);
    }

    #[test]
    fn whatever_is_changed_is_found(sends in sends(), change in changes(), index: Index) {
        let mut history = Model::history_of(&sends);
        prop_assume!(apply(&mut history, change, index));
        prop_assert_ne!(check(&history), []);
    }
}
