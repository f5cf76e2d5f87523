//! Records for tests.

use std::sync::Arc;

use chat_protocol::{MessageId, RoomId, RoomName, Seq, Timestamp, UserId, Username};

use super::{Access, Room, StoredMessage, User};

/// An open room.
pub(crate) fn room(id: i64) -> Room {
    Room {
        id: RoomId::new(id).unwrap(),
        name: RoomName::new("hall").unwrap(),
        display_name: None,
        access: Access::Open,
        owner: None,
    }
}

/// A message to that room.
pub(crate) fn message(room: i64, seq: Seq, text: impl Into<Arc<str>>) -> StoredMessage {
    StoredMessage {
        id: MessageId::new(1).unwrap(),
        room: RoomId::new(room).unwrap(),
        seq,
        sender: User { id: UserId::new(1).unwrap(), name: Username::new("amy").unwrap() },
        text: text.into(),
        sent_at: Timestamp::from_micros(0).unwrap(),
        client_id: None,
    }
}
