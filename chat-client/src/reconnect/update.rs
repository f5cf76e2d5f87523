//! What a client that stays is told.

use std::time::Duration;

use chat_protocol::{ClientId, Event, MessageId};

use crate::ClientError;

/// One thing that a [`ReconnectingClient`](super::ReconnectingClient) yields.
#[derive(Debug)]
#[non_exhaustive]
pub enum Update {
    /// There is a connection: the first one, or one more.
    Connected,
    /// There is none, and there will be another attempt.
    Disconnected(Disconnected),
    /// Something happened. Each message comes once, and those of a room in order, however many connections it took: from
    /// the first that was heard of the room, or from [`Connect::since`](crate::Connect::since).
    Event(Event),
    /// One's own message is stored. This comes once for each send, in every dialect.
    Confirmed(Confirmed),
}

/// The connection was lost, or could not be made.
#[derive(Debug)]
#[non_exhaustive]
pub struct Disconnected {
    /// Why.
    pub error: ClientError,
    /// When the next attempt begins.
    pub retry_in: Duration,
}

/// One's own message is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Confirmed {
    /// The mark that the send got.
    pub client_id: ClientId,
    /// The id of the message, where the server tells it.
    pub message_id: Option<MessageId>,
}
