//! What subscribers heard, over all their connections.

use std::collections::{BTreeMap, BTreeSet};

use super::stored::{Stored, StoredMessage};
use crate::crash::history::Event;
use crate::crash::violation::{Part, Violation};

/// A message, as a subscriber heard it.
#[derive(Debug)]
struct Heard<'h> {
    message_id: i64,
    client_id: Option<&'h str>,
    text: &'h str,
}

/// One subscriber.
#[derive(Debug)]
struct Subscriber<'h> {
    name: &'h str,
    room: &'h str,
    /// What it had when it connected first.
    since: i64,
    /// In the order of arrival.
    heard: Vec<Heard<'h>>,
}

/// All subscribers.
#[derive(Debug, Default)]
pub(super) struct Subscribers<'h>(BTreeMap<&'h str, Subscriber<'h>>);

impl<'h> Subscribers<'h> {
    pub(super) fn of(history: &'h [Event]) -> Self {
        let mut this = Self::default();
        for event in history {
            match event {
                Event::Connected { subscriber: name, room, since } => {
                    let new = Subscriber { name, room, since: *since, heard: Vec::new() };
                    this.0.entry(name).or_insert(new);
                }
                Event::Heard { subscriber, message_id, client_id, text } => {
                    if let Some(subscriber) = this.0.get_mut(&**subscriber) {
                        let client_id = client_id.as_deref();
                        subscriber.heard.push(Heard { message_id: *message_id, client_id, text });
                    }
                }
                _ => {}
            }
        }
        this
    }

    /// Whether each of them has heard what is stored: all of it from where it began, in order, once.
    pub(super) fn check_against(&self, stored: &Stored<'_>) -> Vec<Violation> {
        self.0.values().flat_map(|subscriber| subscriber.check(stored.room(subscriber.room))).collect()
    }
}

impl Subscriber<'_> {
    /// The messages of the room come in the order of their numbers.
    fn check(&self, room: &[StoredMessage<'_>]) -> Vec<Violation> {
        let by_id: BTreeMap<i64, &StoredMessage<'_>> =
            room.iter().map(|message| (message.message_id, message)).collect();
        let first = by_id.get(&self.since).map_or(0, |message| message.seq);
        let mut violations = Vec::new();
        let mut seqs = BTreeSet::from([first]);
        let mut last = (first, self.since);
        for heard in &self.heard {
            let (subscriber, message_id) = (self.name.to_owned(), heard.message_id);
            let Some(stored) = by_id.get(&message_id) else {
                violations.push(Violation::HeardUnstored { subscriber, message_id });
                continue;
            };
            violations.extend(self.check_one(heard, stored));
            if !seqs.insert(stored.seq) {
                violations.push(Violation::HeardTwice { subscriber, message_id });
            } else if stored.seq < last.0 {
                violations.push(Violation::HeardOutOfOrder { subscriber, message_id, after: last.1 });
            }
            last = last.max((stored.seq, message_id));
        }
        violations.extend(self.check_whole(room, &seqs));
        violations
    }

    /// Whether there is no gap in what was heard, and nothing newer; one violation for each run of messages.
    fn check_whole(&self, room: &[StoredMessage<'_>], heard: &BTreeSet<i64>) -> Vec<Violation> {
        let (Some(first), Some(last)) = (heard.first(), heard.last()) else { return Vec::new() };
        let mut violations = Vec::new();
        let between = room.iter().filter(|message| (first..=last).contains(&&message.seq));
        let mut run: Option<(i64, usize)> = None;
        for message in between {
            run = match (run, heard.contains(&message.seq)) {
                (Some((first, count)), true) => {
                    violations.push(self.missed(first, count));
                    None
                }
                (None, true) => None,
                (Some((first, count)), false) => Some((first, count + 1)),
                (None, false) => Some((message.message_id, 1)),
            };
        }
        if let Some(newest) = room.last().filter(|newest| newest.seq > *last) {
            let [subscriber, room] = [self.name, self.room].map(str::to_owned);
            violations.push(Violation::NotCaughtUp { subscriber, room, newest: newest.message_id });
        }
        violations
    }

    fn missed(&self, first: i64, count: usize) -> Violation {
        let [subscriber, room] = [self.name, self.room].map(str::to_owned);
        Violation::Missed { subscriber, room, first, count }
    }

    /// Whether a message was heard as it is stored.
    fn check_one(&self, heard: &Heard<'_>, stored: &StoredMessage<'_>) -> Vec<Violation> {
        let parts = [
            (Part::ClientId, heard.client_id.unwrap_or_default(), stored.client_id.unwrap_or_default()),
            (Part::Text, heard.text, stored.text),
        ];
        let altered = parts.into_iter().filter(|(_, heard, stored)| heard != stored);
        altered
            .map(|(what, told, stored)| Violation::HeardAltered {
                subscriber: self.name.to_owned(),
                message_id: heard.message_id,
                what,
                heard: told.to_owned(),
                stored: stored.to_owned(),
            })
            .collect()
    }
}
