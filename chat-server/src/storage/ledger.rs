//! Numbers a batch of messages, in the same way whichever database keeps them.

use std::collections::HashMap;

use chat_core::StorageError;
use chat_core::storage::{Appended, NewMessage, StoredMessage};
use chat_protocol::{ClientId, RoomId, UserId};

use super::row;

/// What makes a send the same as another.
pub(super) type Mark = (RoomId, UserId, ClientId);

/// The mark of a message that has one.
pub(super) fn mark_of(message: &NewMessage) -> Option<Mark> {
    message.client_id.clone().map(|client_id| (message.room, message.sender.id, client_id))
}

/// The message that is to be stored, where it is not stored yet.
pub(super) const fn as_new(outcome: &Appended) -> Option<&StoredMessage> {
    match outcome {
        Appended::New(stored) => Some(stored),
        Appended::Repeated(_) => None,
    }
}

/// What the numbers of the next messages depend on. It must stay true until they are committed.
pub(super) struct Ledger<I> {
    /// Ids that no message has, in ascending order, greater than those of all messages of the rooms.
    pub(super) ids: I,
    /// The number of the newest message of each room.
    pub(super) last_seqs: HashMap<RoomId, i64>,
    /// The messages with marks that are stored already.
    pub(super) known: HashMap<Mark, StoredMessage>,
}

impl<I: Iterator<Item = i64>> Ledger<I> {
    /// Gives every message its number and id, and keeps account of what that leaves.
    pub(super) fn number(&mut self, messages: &[NewMessage]) -> Result<Vec<Appended>, StorageError> {
        messages.iter().map(|message| self.number_one(message)).collect()
    }

    fn number_one(&mut self, message: &NewMessage) -> Result<Appended, StorageError> {
        let mark = mark_of(message);
        if let Some(stored) = mark.as_ref().and_then(|mark| self.known.get(mark)) {
            return Ok(Appended::Repeated(stored.clone()));
        }
        let last_seq = self.last_seqs.get_mut(&message.room).ok_or(StorageError::Missing { what: "room" })?;
        *last_seq += 1;
        let stored = StoredMessage {
            id: row::id(self.ids.next().ok_or(StorageError::Corrupt { what: "the ids of messages" })?)?,
            room: message.room,
            seq: row::id(*last_seq)?,
            sender: message.sender.clone(),
            text: message.text.clone(),
            sent_at: message.sent_at,
            client_id: message.client_id.clone(),
        };
        if let Some(mark) = mark {
            self.known.insert(mark, stored.clone());
        }
        Ok(Appended::New(stored))
    }
}
