//! What is said and heard, in a dialect.

use chat_protocol::{
    Command, Dialect, Event, FetchHistory, Limits, MessageText, RoomRef, Scope, SendMessage,
};
use tokio_tungstenite::tungstenite::Message;

use crate::error::ErrorKind;

/// Translates between what a program says and hears, and the frames of a connection.
#[derive(Debug, Clone)]
pub(crate) struct Voice {
    pub(crate) dialect: Dialect,
    pub(crate) limits: Limits,
    /// The room of the URL.
    pub(crate) room: Option<RoomRef>,
}

/// The room that a command may name.
const fn room_of(command: &mut Command) -> Option<&mut Option<RoomRef>> {
    match command {
        Command::SendMessage(SendMessage { room, .. }) | Command::FetchHistory(FetchHistory { room, .. }) => {
            Some(room)
        }
        _ => None,
    }
}

/// Whether these are two rooms for certain. A name and an id may be of one.
fn are_two(one: &RoomRef, other: &RoomRef) -> bool {
    match (one, other) {
        (RoomRef::Name(one), RoomRef::Name(other)) => one != other,
        _ => one.as_id().zip(other.as_id()).is_some_and(|(one, other)| one != other),
    }
}

impl Voice {
    /// A text that may be sent.
    pub(crate) fn text(&self, text: &str) -> Result<MessageText, ErrorKind> {
        Ok(MessageText::new(text, &self.limits)?)
    }

    /// Whether a connection hears what is posted to this room, or to that of the URL where none is named, for certain.
    pub(crate) fn hears(&self, room: Option<&RoomRef>) -> bool {
        let is_here = |room: &RoomRef| {
            self.room
                .as_ref()
                .is_some_and(|here| room == here || room.as_id().is_some() && room.as_id() == here.as_id())
        };
        self.dialect.behavior().scope == Scope::User || room.is_none_or(is_here)
    }

    fn is_elsewhere(&self, room: Option<&RoomRef>) -> bool {
        room.zip(self.room.as_ref()).is_some_and(|(one, other)| are_two(one, other))
    }

    /// The frame of a command. One without a room is about that of the URL.
    pub(crate) fn encode(&self, mut command: Command) -> Result<String, ErrorKind> {
        let dialect = self.dialect;
        let (mut lacks_room, mut is_elsewhere) = (false, false);
        if let Some(room) = room_of(&mut command) {
            is_elsewhere = self.is_elsewhere(room.as_ref());
            if room.is_none() {
                room.clone_from(&self.room);
            }
            lacks_room = room.is_none();
        }
        let no_form = if lacks_room { ErrorKind::NoRoom(dialect) } else { ErrorKind::NoForm(dialect) };
        match dialect.encode_command(&command) {
            // A frame that is the same for the room of the URL would go there.
            Some(frame) if is_elsewhere && self.encode_here(command).as_ref() == Some(&frame) => Err(no_form),
            frame => frame.ok_or(no_form),
        }
    }

    /// The frame of a command, were it about the room of the URL.
    fn encode_here(&self, mut command: Command) -> Option<String> {
        room_of(&mut command)?.clone_from(&self.room);
        self.dialect.encode_command(&command)
    }

    /// The event of a message; `None` where it cannot be read.
    pub(crate) fn decode(&self, message: &Message) -> Option<Event> {
        // All dialects are JSON as text; a binary frame is of none of them.
        match message {
            Message::Text(text) => self.dialect.decode_event(text).ok(),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use chat_protocol::RoomName;

    use super::*;

    #[test]
    fn what_is_for_another_room_has_no_form_where_the_dialect_does_not_say_which() {
        let name = |name| RoomRef::Name(RoomName::new(name).unwrap());
        for (dialect, says_room) in [
            (Dialect::Plain, false),
            (Dialect::Remetente, false),
            (Dialect::Typed, false),
            (Dialect::Command, true),
            (Dialect::Group, true),
        ] {
            let voice = Voice { dialect, limits: Limits::default(), room: Some(name("lobby")) };
            let encode = |room: Option<RoomRef>| {
                let text = voice.text("hello").unwrap();
                let send = SendMessage { room, text, claimed_sender: None, client_id: None };
                voice.encode(Command::SendMessage(send))
            };
            assert!(encode(None).is_ok() && encode(Some(name("lobby"))).is_ok(), "{dialect}");
            assert_eq!(encode(Some(name("private"))).is_ok(), says_room, "{dialect}");
        }
    }
}
