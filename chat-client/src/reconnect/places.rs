//! How far a client has heard each room.

use std::collections::BTreeSet;

use chat_protocol::{MessagePosted, Scope};

use crate::since::{self, Since};

/// The last message of each room that was heard. Within a room ids grow: what is not greater was heard before.
#[derive(Debug)]
pub(super) struct Places {
    scope: Scope,
    since: Since,
    /// Rooms in which the next message counts whatever its id: the server does not have the last one any more.
    doubted: BTreeSet<Option<String>>,
}

impl Places {
    pub(super) fn new(scope: Scope, since: Since) -> Self {
        Self { scope, since, doubted: BTreeSet::new() }
    }

    pub(super) const fn since(&self) -> &Since {
        &self.since
    }

    /// Takes note of a message; whether it was not heard before.
    pub(super) fn hear(&mut self, posted: &MessagePosted) -> bool {
        // A server that gives no ids cannot be asked for what was missed, and repeats nothing.
        let Some(id) = posted.message.id else { return true };
        let room = self.room_of(posted);
        let mut is_doubted = self.doubted.remove(&room);
        let last = match by_name(posted, room.as_deref()) {
            None => self.since.places.entry(room).or_default(),
            Some(name) => {
                is_doubted |= self.doubted.remove(&Some(name.clone()));
                let by_name = self.since.places.remove(&Some(name)).flatten();
                self.since.places.entry(room).or_insert(by_name)
            }
        };
        let is_new = is_doubted || last.is_none_or(|last| last < id);
        if is_new {
            *last = Some(id);
        }
        is_new
    }

    /// The server cannot go on from some of these. It does not say of which room.
    pub(super) fn doubt(&mut self) {
        self.doubted = self.since.places.keys().cloned().collect();
    }

    fn room_of(&self, posted: &MessagePosted) -> Option<String> {
        match self.scope {
            Scope::Room => None,
            Scope::User => {
                let id = posted.room.id.map(|id| id.to_string());
                id.or_else(|| posted.room.as_referred.as_ref().map(since::room_key))
            }
        }
    }
}

/// The name that a message gives for a room which is kept under its id: what was said by that name is of the same room, and
/// the server would take it for the newest. A number may be the id of another one.
fn by_name(posted: &MessagePosted, room: Option<&str>) -> Option<String> {
    let reference = posted.room.as_referred.as_ref().filter(|reference| reference.as_id().is_none())?;
    Some(since::room_key(reference)).filter(|name| room.is_some_and(|room| room != name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use chat_protocol::{Message, MessageId, Person, RoomId, RoomLabel, RoomName, RoomRef};

    fn posted(room: i64, id: i64) -> MessagePosted {
        MessagePosted {
            room: RoomLabel { id: RoomId::new(room).ok(), ..RoomLabel::default() },
            message: Message {
                id: MessageId::new(id).ok(),
                sender: Person::default(),
                text: "hi".into(),
                sent_at: None,
                is_read: None,
                client_id: None,
            },
        }
    }

    #[test]
    fn what_was_heard_is_not_heard_again() {
        let mut places = Places::new(Scope::Room, Since::default());
        assert_eq!(places.since().to_string(), "");
        assert!(places.hear(&posted(1, 5)));
        assert!(!places.hear(&posted(1, 5)) && !places.hear(&posted(1, 3)));
        assert!(places.hear(&posted(1, 9)));
        assert_eq!(places.since().to_string(), "9");
    }

    #[test]
    fn rooms_of_one_socket_are_told_apart() {
        let mut places = Places::new(Scope::User, Since::default());
        assert!(places.hear(&posted(7, 5)) && places.hear(&posted(3, 2)));
        assert!(!places.hear(&posted(7, 2)) && !places.hear(&posted(3, 2)));
        assert_eq!(places.since().to_string(), "7:5,3:2");
    }

    #[test]
    fn a_room_that_is_named_and_then_known_by_its_id_has_one_place() {
        let name = RoomRef::Name(RoomName::new("tea").unwrap());
        let since = Since::default().and_room(&name, MessageId::new(5).ok());
        let mut named = posted(7, 5);
        named.room.as_referred = Some(name);
        let mut places = Places::new(Scope::User, since.clone());
        assert!(!places.hear(&named) && places.hear(&posted(7, 6)));
        assert_eq!(places.since().to_string(), "7:6");
        // Also where the server cannot go on from there.
        let mut places = Places::new(Scope::User, since);
        places.doubt();
        assert!(places.hear(&named) && !places.hear(&named) && places.hear(&posted(7, 6)));
        assert_eq!(places.since().to_string(), "7:6");
    }

    #[test]
    fn where_one_cannot_go_on_the_next_message_counts() {
        let mut places = Places::new(Scope::Room, Since::message(MessageId::new(90).unwrap()));
        assert!(!places.hear(&posted(1, 10)));
        places.doubt();
        assert_eq!(places.since().to_string(), "90");
        assert!(places.hear(&posted(1, 10)) && !places.hear(&posted(1, 10)) && places.hear(&posted(1, 11)));
        assert_eq!(places.since().to_string(), "11");
    }
}
