//! The messages that are in the database at the end.

use std::collections::BTreeMap;

use super::sends::{Send, Sends};
use crate::crash::history::Event;
use crate::crash::violation::{Part, Violation};

/// A message in the database.
#[derive(Debug)]
pub(super) struct StoredMessage<'h> {
    pub(super) seq: i64,
    pub(super) message_id: i64,
    pub(super) client_id: Option<&'h str>,
    pub(super) text: &'h str,
    sender: &'h str,
}

/// All messages in the database.
#[derive(Debug, Default)]
pub(super) struct Stored<'h> {
    /// In the order of their numbers.
    rooms: BTreeMap<&'h str, Vec<StoredMessage<'h>>>,
    ids: BTreeMap<&'h str, Vec<i64>>,
}

impl<'h> Stored<'h> {
    pub(super) fn of(history: &'h [Event]) -> Self {
        let mut this = Self::default();
        for event in history {
            let Event::Stored { room, seq, message_id, sender, client_id, text } = event else { continue };
            let client_id = client_id.as_deref();
            let message = StoredMessage { seq: *seq, message_id: *message_id, client_id, text, sender };
            this.rooms.entry(room).or_default().push(message);
            if let Some(client_id) = client_id {
                this.ids.entry(client_id).or_default().push(*message_id);
            }
        }
        for messages in this.rooms.values_mut() {
            messages.sort_by_key(|message| (message.seq, message.message_id));
        }
        for ids in this.ids.values_mut() {
            ids.sort_unstable();
        }
        this
    }

    /// The messages of a room, in the order of their numbers.
    pub(super) fn room(&self, room: &str) -> &[StoredMessage<'h>] {
        self.rooms.get(room).map_or(&[], Vec::as_slice)
    }

    /// The ids of the messages with this mark.
    pub(super) fn ids_of(&self, client_id: &str) -> &[i64] {
        self.ids.get(client_id).map_or(&[], Vec::as_slice)
    }

    /// Whether the numbers of each room begin with 1 and have no gap, and ids grow with them.
    pub(super) fn check_numbers(&self) -> Vec<Violation> {
        let mut violations = Vec::new();
        for (room, messages) in &self.rooms {
            let mut expected = 1;
            let mut previous = 0;
            for &StoredMessage { seq: found, message_id, .. } in messages {
                let room = || (*room).to_owned();
                if found != expected {
                    violations.push(Violation::Numbers { room: room(), message_id, expected, found });
                }
                if message_id <= previous {
                    violations.push(Violation::Ids { room: room(), previous, message_id });
                }
                expected = found + 1;
                previous = message_id;
            }
        }
        violations
    }

    /// Whether what is stored was sent, as it was sent, and is stored once.
    pub(super) fn check_against(&self, sends: &Sends<'_>) -> Vec<Violation> {
        let mut violations = Vec::new();
        for (room, messages) in &self.rooms {
            for message in messages {
                match message.client_id.and_then(|client_id| sends.get(client_id)) {
                    Some(send) => violations.extend(check_one(room, message, send)),
                    None => violations.push(Violation::StoredUnsent {
                        room: (*room).to_owned(),
                        message_id: message.message_id,
                    }),
                }
            }
        }
        for (client_id, ids) in &self.ids {
            if let [first, again, ..] = **ids {
                violations.push(Violation::StoredTwice { client_id: (*client_id).to_owned(), first, again });
            }
        }
        violations
    }

    /// Whether messages stand in the order in which they were sent, where there is one.
    pub(super) fn check_order(&self, sends: &Sends<'_>) -> Vec<Violation> {
        let mut violations = Vec::new();
        for (room, messages) in &self.rooms {
            let known = messages.iter().filter_map(|message| {
                let client_id = message.client_id?;
                Some((client_id, sends.get(client_id)?))
            });
            let known: Vec<_> = known.collect();
            violations.extend(check_overtaken(room, &known));
            violations.extend(check_swapped(room, &known));
        }
        violations
    }
}

/// Whether a message that was sent after another one was confirmed stands behind it.
fn check_overtaken(room: &str, messages: &[(&str, &Send<'_>)]) -> Vec<Violation> {
    let mut violations = Vec::new();
    // Of the messages with greater numbers, the one that was confirmed first.
    let mut earliest: Option<(usize, &str)> = None;
    for (client_id, send) in messages.iter().rev() {
        if let Some((confirmed_at, first)) = earliest
            && confirmed_at < send.invoked_at
        {
            let [room, first, then] = [room, first, client_id].map(str::to_owned);
            violations.push(Violation::Overtaken { room, first, then });
        }
        if let Some(at) = send.confirmed_at
            && earliest.is_none_or(|(earliest, _)| at < earliest)
        {
            earliest = Some((at, client_id));
        }
    }
    violations
}

/// Whether the messages of a sender on one connection stand in the order in which they were sent.
fn check_swapped(room: &str, messages: &[(&str, &Send<'_>)]) -> Vec<Violation> {
    let mut violations = Vec::new();
    // Of each sender and connection, the message that was sent last among those with smaller numbers.
    let mut latest: BTreeMap<_, (usize, &str)> = BTreeMap::new();
    for (client_id, send) in messages {
        let Some(line) = send.line() else { continue };
        let last = latest.entry(line).or_insert((send.invoked_at, client_id));
        if send.invoked_at < last.0 {
            let [room, first, then] = [room, client_id, last.1].map(str::to_owned);
            violations.push(Violation::Swapped { room, first, then });
        } else {
            *last = (send.invoked_at, client_id);
        }
    }
    violations
}

/// Whether a message is stored as it was sent.
fn check_one(room: &str, message: &StoredMessage<'_>, send: &Send<'_>) -> Vec<Violation> {
    let parts = [
        (Part::Room, send.room, room),
        (Part::Sender, send.sender, message.sender),
        (Part::Text, send.text, message.text),
    ];
    let altered = parts.into_iter().filter(|(_, sent, stored)| sent != stored);
    altered
        .map(|(what, sent, stored)| Violation::Altered {
            message_id: message.message_id,
            what,
            sent: sent.to_owned(),
            stored: stored.to_owned(),
        })
        .collect()
}
