//! The messages that were sent, and how they were answered.

use std::collections::BTreeMap;

use super::stored::Stored;
use crate::crash::history::Event;
use crate::crash::violation::Violation;

/// A message, over all attempts to send it.
#[derive(Debug)]
pub(super) struct Send<'h> {
    pub(super) sender: &'h str,
    pub(super) room: &'h str,
    pub(super) text: &'h str,
    /// Where in the history it was sent first.
    pub(super) invoked_at: usize,
    /// Where in the history it was confirmed first.
    pub(super) confirmed_at: Option<usize>,
    /// The connection that it was sent on first: how many sends of its sender had come to nobody knows what by then.
    connection: usize,
    /// The ids that it was confirmed as.
    confirmed: Vec<i64>,
    attempts: usize,
    /// The codes that it was refused with.
    refused: Vec<&'h str>,
}

impl<'h> Send<'h> {
    /// The sender and the connection whose other messages this one keeps its order with: it was sent there only.
    pub(super) const fn line(&self) -> Option<(&'h str, usize)> {
        if self.attempts == 1 && self.confirmed_at.is_some() {
            Some((self.sender, self.connection))
        } else {
            None
        }
    }

    /// Why it cannot have been stored: every attempt was refused for good.
    fn refusal(&self) -> Option<&'h str> {
        if self.refused.len() == self.attempts { self.refused.first().copied() } else { None }
    }
}

/// All messages that were sent, by their marks.
#[derive(Debug, Default)]
pub(super) struct Sends<'h> {
    by_client_id: BTreeMap<&'h str, Send<'h>>,
    /// How many sends of each sender came to nobody knows what. After such a send there is another connection.
    unknown: BTreeMap<&'h str, usize>,
    /// Confirmations of what was not sent before.
    unsent: Vec<(&'h str, i64)>,
}

impl<'h> Sends<'h> {
    pub(super) fn of(history: &'h [Event]) -> Self {
        let mut this = Self::default();
        for (at, event) in history.iter().enumerate() {
            match event {
                Event::Invoked { sender, room, client_id, text } => {
                    this.invoke(at, [sender, room, client_id, text]);
                }
                Event::Confirmed { client_id, message_id } => this.confirm(at, client_id, *message_id),
                Event::Unknown { client_id } => {
                    if let Some(send) = this.by_client_id.get(&**client_id) {
                        *this.unknown.entry(send.sender).or_default() += 1;
                    }
                }
                Event::Refused { client_id, code } => {
                    if let Some(send) = this.by_client_id.get_mut(&**client_id) {
                        send.refused.push(code);
                    }
                }
                _ => {}
            }
        }
        this
    }

    pub(super) fn get(&self, client_id: &str) -> Option<&Send<'h>> {
        self.by_client_id.get(client_id)
    }

    /// Whether answers agree with what was sent, and with each other.
    pub(super) fn check_answers(&self) -> Vec<Violation> {
        let unsent = self.unsent.iter().map(|&(client_id, message_id)| Violation::ConfirmedUnsent {
            client_id: client_id.to_owned(),
            message_id,
        });
        let differing = self.by_client_id.iter().filter_map(|(client_id, send)| {
            let first = *send.confirmed.first()?;
            let then = *send.confirmed.iter().find(|then| **then != first)?;
            Some(Violation::ConfirmedAsAnother { client_id: (*client_id).to_owned(), first, then })
        });
        unsent.chain(differing).collect()
    }

    /// Whether what was answered is what is stored.
    pub(super) fn check_against(&self, stored: &Stored<'_>) -> Vec<Violation> {
        let sends = self.by_client_id.iter();
        sends.filter_map(|(client_id, send)| check_one(client_id, send, stored.ids_of(client_id))).collect()
    }

    fn invoke(&mut self, at: usize, [sender, room, client_id, text]: [&'h str; 4]) {
        let connection = self.unknown.get(sender).copied().unwrap_or_default();
        let send = self.by_client_id.entry(client_id).or_insert(Send {
            sender,
            room,
            text,
            invoked_at: at,
            confirmed_at: None,
            connection,
            confirmed: Vec::new(),
            attempts: 0,
            refused: Vec::new(),
        });
        send.attempts += 1;
    }

    fn confirm(&mut self, at: usize, client_id: &'h str, message_id: i64) {
        match self.by_client_id.get_mut(client_id) {
            Some(send) => {
                send.confirmed.push(message_id);
                send.confirmed_at.get_or_insert(at);
            }
            None => self.unsent.push((client_id, message_id)),
        }
    }
}

fn check_one(client_id: &str, send: &Send<'_>, stored: &[i64]) -> Option<Violation> {
    let client_id = client_id.to_owned();
    match (send.confirmed.first(), send.refusal(), stored) {
        (Some(&message_id), _, []) => Some(Violation::Lost { client_id, message_id }),
        (Some(confirmed), _, [first, ..]) if !stored.contains(confirmed) => {
            Some(Violation::StoredAsAnother { client_id, confirmed: *confirmed, stored: *first })
        }
        (None, Some(code), [message_id, ..]) => {
            Some(Violation::RefusedButStored { client_id, code: code.to_owned(), message_id: *message_id })
        }
        _ => None,
    }
}
