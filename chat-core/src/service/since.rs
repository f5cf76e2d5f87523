//! From where on a client that comes back wants a room's messages.

use chat_protocol::{MessageId, RoomRef};

use crate::storage::Room;

/// The last message that a client has had of a room: it wants those after it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Since {
    /// The room; `None` for the one that the client goes to.
    pub room: Option<RoomRef>,
    /// The message; `None` where it has had none, and wants all.
    pub message: Option<MessageId>,
}

impl Since {
    /// Whether it is about this room, which the client goes to (`is_home`) or carries besides.
    pub(crate) fn is_about(&self, room: &Room, is_home: bool) -> bool {
        match &self.room {
            None => is_home,
            Some(reference) if reference.as_id() == Some(room.id) => true,
            Some(RoomRef::Name(name)) => *name == room.name,
            Some(RoomRef::Id(_)) => false,
        }
    }
}
