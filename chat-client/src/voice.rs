//! What is said and heard, in a dialect.

use chat_protocol::{Command, Dialect, Event, FetchHistory, Limits, MessageText, RoomRef, SendMessage};
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

impl Voice {
    /// A text that may be sent.
    pub(crate) fn text(&self, text: &str) -> Result<MessageText, ErrorKind> {
        Ok(MessageText::new(text, &self.limits)?)
    }

    /// The frame of a command. One without a room is about that of the URL.
    pub(crate) fn encode(&self, mut command: Command) -> Result<String, ErrorKind> {
        let dialect = self.dialect;
        let lacks_room = match &mut command {
            Command::SendMessage(SendMessage { room, .. })
            | Command::FetchHistory(FetchHistory { room, .. }) => {
                if room.is_none() {
                    room.clone_from(&self.room);
                }
                room.is_none()
            }
            _ => false,
        };
        let no_form = if lacks_room { ErrorKind::NoRoom(dialect) } else { ErrorKind::NoForm(dialect) };
        dialect.encode_command(&command).ok_or(no_form)
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
