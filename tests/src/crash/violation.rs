//! What can be wrong with a history.

use std::fmt;

use thiserror::Error;

/// A promise that was broken, and where.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Error)]
#[non_exhaustive]
pub enum Violation {
    /// A message was confirmed and is not stored.
    #[error("lost: {client_id} was confirmed as message {message_id}, and is not stored")]
    Lost {
        /// The mark of the message.
        client_id: String,
        /// The id that was confirmed.
        message_id: i64,
    },
    /// A message was confirmed under another id than it is stored under.
    #[error("wrong id: {client_id} was confirmed as message {confirmed}, and is stored as message {stored}")]
    StoredAsAnother {
        /// The mark of the message.
        client_id: String,
        /// The id that was confirmed.
        confirmed: i64,
        /// The id that is stored.
        stored: i64,
    },
    /// A message that was sent again was confirmed under another id than before.
    #[error("two ids: {client_id} was confirmed as message {first}, then as message {then}")]
    ConfirmedAsAnother {
        /// The mark of the message.
        client_id: String,
        /// The id that was confirmed first.
        first: i64,
        /// The id that was confirmed later.
        then: i64,
    },
    /// Something was confirmed that nobody had sent.
    #[error("invented answer: {client_id} was confirmed as message {message_id}, and was not sent before")]
    ConfirmedUnsent {
        /// The mark of the message.
        client_id: String,
        /// The id that was confirmed.
        message_id: i64,
    },
    /// A message is stored more than once.
    #[error("duplicate: {client_id} is stored as message {first}, and again as message {again}")]
    StoredTwice {
        /// The mark of the message.
        client_id: String,
        /// The id it is stored under first.
        first: i64,
        /// The id it is stored under again.
        again: i64,
    },
    /// A message was refused and is stored all the same.
    #[error(
        "stored against its word: {client_id} was refused with {code}, and is stored as message {message_id}"
    )]
    RefusedButStored {
        /// The mark of the message.
        client_id: String,
        /// Why it was refused.
        code: String,
        /// The id it is stored under.
        message_id: i64,
    },
    /// A message is stored that nobody sent.
    #[error("invented: message {message_id} of room {room} was sent by nobody")]
    StoredUnsent {
        /// Its room.
        room: String,
        /// Its id.
        message_id: i64,
    },
    /// A message is stored otherwise than it was sent.
    #[error("altered: the {what} of message {message_id} was sent as {sent:?}, and is stored as {stored:?}")]
    Altered {
        /// Its id.
        message_id: i64,
        /// What of it.
        what: Part,
        /// What was sent.
        sent: String,
        /// What is stored.
        stored: String,
    },
    /// The numbers of a room are not 1, 2, 3 and so on.
    #[error("numbers: message {message_id} of room {room} has number {found}, and should have {expected}")]
    Numbers {
        /// The room.
        room: String,
        /// The message.
        message_id: i64,
        /// Its number by its place.
        expected: i64,
        /// Its number.
        found: i64,
    },
    /// In a room, a message has a greater number than another, but no greater id.
    #[error("ids: in room {room}, message {message_id} comes after message {previous}")]
    Ids {
        /// The room.
        room: String,
        /// The id of the message before.
        previous: i64,
        /// The id of the message.
        message_id: i64,
    },
    /// A message was sent after another one was confirmed, and stands before it.
    #[error("order: in room {room}, {then} was sent after {first} was confirmed, and has the smaller number")]
    Overtaken {
        /// The room.
        room: String,
        /// The mark of the message that was confirmed.
        first: String,
        /// The mark of the message that was sent then.
        then: String,
    },
    /// A sender's messages do not stand in the order in which it sent them, on one connection and each once.
    #[error(
        "own order: in room {room}, {then} was sent after {first} by the same sender, and has the smaller number"
    )]
    Swapped {
        /// The room.
        room: String,
        /// The mark of the message that was sent first.
        first: String,
        /// The mark of the message that was sent then.
        then: String,
    },
    /// A subscriber heard a message more than once.
    #[error("heard twice: {subscriber} heard message {message_id} again")]
    HeardTwice {
        /// Who.
        subscriber: String,
        /// The message.
        message_id: i64,
    },
    /// A subscriber heard a message after one that stands behind it.
    #[error("heard out of order: {subscriber} heard message {message_id} after message {after}")]
    HeardOutOfOrder {
        /// Who.
        subscriber: String,
        /// The message.
        message_id: i64,
        /// The message that stands behind it.
        after: i64,
    },
    /// A subscriber did not hear some messages between others.
    #[error("missed: {subscriber} did not hear {count} messages of room {room}, from message {first} on")]
    Missed {
        /// Who.
        subscriber: String,
        /// The room.
        room: String,
        /// The first of them.
        first: i64,
        /// How many of them.
        count: usize,
    },
    /// A subscriber had not heard the newest message of its room when the run ended.
    #[error("not caught up: {subscriber} did not hear of the newest message of room {room}, {newest}")]
    NotCaughtUp {
        /// Who.
        subscriber: String,
        /// The room.
        room: String,
        /// The newest message.
        newest: i64,
    },
    /// A subscriber heard a message that is not stored in its room.
    #[error("heard and not stored: {subscriber} heard message {message_id}, which its room does not have")]
    HeardUnstored {
        /// Who.
        subscriber: String,
        /// The message.
        message_id: i64,
    },
    /// A subscriber heard a message otherwise than it is stored.
    #[error(
        "heard altered: {subscriber} heard the {what} of message {message_id} as {heard:?}; stored is {stored:?}"
    )]
    HeardAltered {
        /// Who.
        subscriber: String,
        /// The message.
        message_id: i64,
        /// What of it.
        what: Part,
        /// What was heard.
        heard: String,
        /// What is stored.
        stored: String,
    },
}

/// What a message is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// Its room.
    Room,
    /// Who sent it.
    Sender,
    /// Its mark.
    ClientId,
    /// What it says.
    Text,
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Room => "room",
            Self::Sender => "sender",
            Self::ClientId => "client_id",
            Self::Text => "text",
        })
    }
}
