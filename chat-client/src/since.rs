//! The last message that one has had: where to go on from.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use chat_protocol::{MessageId, RoomRef, SinceError};

use crate::address::in_query;

/// Where a client stands: the last message that it has had, of each room that it says so of. It hears what follows.
///
/// It is written as in the query of a URL, to be kept until the next time, and read again.
///
/// ```
/// use chat_client::{MessageId, Since};
///
/// let since = Since::message(MessageId::new(41)?);
/// assert_eq!(since.to_string(), "41");
/// assert_eq!("41".parse(), Ok(since));
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

impl Since {
    /// As much of it as takes no more bytes, escaped as in a query. What does not fit is left out: first the rooms whose last
    /// message is the oldest.
    pub(crate) fn within(&self, most_bytes: usize) -> Self {
        let mut newest_first: Vec<_> = self.places.iter().collect();
        newest_first.sort_by_key(|(_, last)| Reverse(**last));
        let mut bytes = 0;
        let fitting = newest_first.into_iter().take_while(|(room, last)| {
            let one = Self { places: BTreeMap::from([((*room).clone(), **last)]) };
            // With the comma before it.
            bytes += in_query(&format!(",{one}")).map(str::len).sum::<usize>();
            bytes <= most_bytes
        });
        Self { places: fitting.map(|(room, last)| (room.clone(), *last)).collect() }
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

/// Reads what [`Display`](fmt::Display) writes; where it says nothing of any room, the text is empty.
impl FromStr for Since {
    type Err = SinceError;

    fn from_str(text: &str) -> Result<Self, SinceError> {
        let mut since = Self::default();
        if text.is_empty() {
            return Ok(since);
        }
        for one in text.split(',') {
            let chat_protocol::Since { room, message } = one.parse()?;
            // The first word on a room counts, as it does where the server reads it.
            since.places.entry(room.as_ref().map(room_key)).or_insert(message);
        }
        Ok(since)
    }
}

#[cfg(test)]
mod tests {
    use chat_protocol::{RoomId, RoomName};

    use super::*;

    #[test]
    fn what_is_written_is_read_again() {
        let id = |id| MessageId::new(id).unwrap();
        let rooms = Since::message(id(3))
            .and_room(&RoomRef::Name(RoomName::new("聊-1.a").unwrap()), None)
            .and_room(&RoomRef::Id(RoomId::new(5).unwrap()), Some(id(41)));
        for since in [Since::default(), Since::beginning(), Since::message(id(i64::MAX)), rooms] {
            assert_eq!(since.to_string().parse(), Ok(since.clone()), "{since}");
        }
    }

    #[test]
    fn slips_are_refused_and_the_first_word_on_a_room_counts() {
        for slip in ["x", "7,", ",7", ",", "7,lobby:", "7, lobby:8"] {
            assert!(slip.parse::<Since>().is_err(), "{slip}");
        }
        assert_eq!("7,8".parse(), Ok(Since::message(MessageId::new(7).unwrap())));
    }

    #[test]
    fn what_does_not_fit_is_left_out_oldest_first() {
        let rooms =
            (1..=1000_i64).map(|id| (RoomRef::Id(RoomId::new(id).unwrap()), MessageId::new(10 * id).ok()));
        let since = rooms.fold(Since::default(), |since, (room, last)| since.and_room(&room, last));
        assert_eq!(since.within(usize::MAX), since);
        let within = since.within(1000);
        let query = in_query(&within.to_string()).to_string();
        assert!((900..=1000).contains(&query.len()), "{query}");
        let left_out = 1000 - within.places.len();
        for id in 1..=1000_usize {
            assert_eq!(within.places.contains_key(&Some(id.to_string())), id > left_out, "{id}");
        }
        assert_eq!(since.within(0), Since::default());
    }
}
