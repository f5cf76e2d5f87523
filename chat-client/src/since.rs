//! The last message that one has had: where to go on from.

use std::collections::BTreeMap;
use std::fmt;

use chat_protocol::{MessageId, RoomRef};

/// Where a client stands: the last message that it has had, of each room that it says so of. It hears what follows.
///
/// It is written as in the query of a URL, to be kept until the next time.
///
/// ```
/// use chat_client::{MessageId, Since};
///
/// let since = Since::message(MessageId::new(41)?);
/// assert_eq!(since.to_string(), "41");
/// assert_eq!(Since::beginning().to_string(), "0");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Since {
    /// By the name or the id of a room; `None` is the room of the URL.
    pub(crate) places: BTreeMap<Option<String>, Place>,
}

/// The last message of a room that one has had; `None` before the first.
pub(crate) type Place = Option<MessageId>;

impl Since {
    /// The room of the URL from its beginning.
    #[must_use]
    pub fn beginning() -> Self {
        Self { places: BTreeMap::from([(None, None)]) }
    }

    /// The room of the URL after this message.
    #[must_use]
    pub fn message(last: MessageId) -> Self {
        Self { places: BTreeMap::from([(None, Some(last))]) }
    }

    /// A further room after this message, or from its beginning: for connections that carry many rooms.
    ///
    /// ```
    /// use chat_client::{MessageId, RoomRef, Since};
    /// # use chat_client::RoomId;
    ///
    /// let since = Since::default()
    ///     .and_room(&RoomRef::Id(RoomId::new(5)?), Some(MessageId::new(41)?))
    ///     .and_room(&RoomRef::Id(RoomId::new(7)?), None);
    /// assert_eq!(since.to_string(), "7:0,5:41");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn and_room(mut self, room: &RoomRef, last: Option<MessageId>) -> Self {
        self.places.insert(Some(room_key(room)), last);
        self
    }
}

/// How a room stands in `since`.
pub(crate) fn room_key(room: &RoomRef) -> String {
    match room {
        RoomRef::Name(name) => name.to_string(),
        RoomRef::Id(id) => id.to_string(),
    }
}

/// The value of `since` in a query; nothing where nothing is said of any room.
impl fmt::Display for Since {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Rooms that are named go first: the server takes the first word on each.
        for (number, (room, last)) in self.places.iter().rev().enumerate() {
            let joint = if number == 0 { "" } else { "," };
            let last = last.map_or(0, MessageId::value);
            match room {
                Some(room) => write!(f, "{joint}{room}:{last}")?,
                None => write!(f, "{joint}{last}")?,
            }
        }
        Ok(())
    }
}
