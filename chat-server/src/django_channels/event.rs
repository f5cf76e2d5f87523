//! The dictionaries that go through a group: what Django's code reads in them, and what it puts there.

use std::convert::Infallible;

use chat_core::storage::{Room, StoredMessage};
use rmp::encode::{
    ByteBuf, ValueWriteError, write_array_len, write_bool, write_map_len, write_sint, write_str,
};

use super::msgpack::{Malformed, Reader};

/// The key under which a layer keeps the names of the channels that a message is for.
const CHANNELS: &str = "__asgi_channel__";

/// The key that tells which bridge has sent a message. Django does not look at it.
const SENT_BY: &str = "chat_bridge";

/// Bytes of a message beyond which it is not looked at.
pub(super) const MAX_BYTES: usize = 256 * 1024;

/// What is known of a dictionary that somebody has sent to a group.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Event<'a> {
    /// The handler that it is for.
    pub(super) kind: Option<&'a str>,
    /// What is said.
    pub(super) message: Option<&'a str>,
    /// Under `username`, `remetente` and `user`, as the documents have them.
    pub(super) names: [Option<&'a str>; 3],
    /// The id of who says it.
    pub(super) user_id: Option<i64>,
    /// The bridge that has sent it, where it was one.
    pub(super) sent_by: Option<&'a str>,
    /// The channels that it is for.
    pub(super) channels: Vec<&'a str>,
}

impl<'a> Event<'a> {
    /// Reads a dictionary. Of a key that comes twice, the last counts, as in Python.
    pub(super) fn decode(bytes: &'a [u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(bytes);
        let mut event = Self::default();
        let [username, remetente, user] = &mut event.names;
        for _ in 0..reader.map()? {
            match reader.text()? {
                Some("type") => event.kind = reader.text()?,
                Some("message") => event.message = reader.text()?,
                Some("username") => *username = reader.text()?,
                Some("remetente") => *remetente = reader.text()?,
                Some("user") => *user = reader.text()?,
                Some("user_id") => event.user_id = reader.integer()?,
                Some(SENT_BY) => event.sent_by = reader.text()?,
                Some(CHANNELS) => event.channels = reader.texts()?,
                _ => reader.skip()?,
            }
        }
        Ok(event)
    }

    /// Whether it is for this handler: for Channels `chat.message` and `chat_message` are the same.
    pub(super) fn is_for(&self, handler: &str) -> bool {
        self.kind.is_some_and(|kind| {
            kind.chars().map(dot_as_underscore).eq(handler.chars().map(dot_as_underscore))
        })
    }

    /// Who says it, where it tells.
    pub(super) fn name(&self) -> Option<&'a str> {
        self.names.into_iter().flatten().find(|name| !name.is_empty())
    }
}

const fn dot_as_underscore(character: char) -> char {
    if character == '.' { '_' } else { character }
}

/// A message of a room, as Django is told of it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Posted<'a> {
    /// The handler that takes it.
    pub(super) kind: &'a str,
    pub(super) room: &'a Room,
    pub(super) message: &'a StoredMessage,
    /// The name of this bridge.
    pub(super) sent_by: &'a str,
}

/// What a key is for.
#[derive(Debug, Clone, Copy)]
enum Field<'a> {
    Text(&'a str),
    Integer(i64),
    Flag(bool),
    Texts(&'a [&'a str]),
}

impl Posted<'_> {
    /// The dictionary, with the keys that the consumers of all documents read: for these channels, where the layer
    /// delivers by channel. It adds to `bytes`.
    pub(super) fn encode(&self, channels: &[&str], bytes: Vec<u8>) -> Vec<u8> {
        let StoredMessage { id, sender, text, sent_at, .. } = self.message;
        let (name, timestamp) = (sender.name.as_str(), sent_at.to_string());
        let mut fields = vec![
            ("type", Field::Text(self.kind)),
            ("message", Field::Text(text)),
            ("username", Field::Text(name)),
            ("remetente", Field::Text(name)),
            ("user", Field::Text(name)),
            ("user_id", Field::Integer(sender.id.value())),
            ("message_id", Field::Integer(id.value())),
            ("timestamp", Field::Text(&timestamp)),
            ("is_read", Field::Flag(false)),
            ("room", Field::Text(self.room.name.as_str())),
            ("room_id", Field::Integer(self.room.id.value())),
            (SENT_BY, Field::Text(self.sent_by)),
        ];
        if !channels.is_empty() {
            fields.push((CHANNELS, Field::Texts(channels)));
        }
        encode(&fields, bytes)
    }
}

/// Writes a dictionary as Python's `msgpack` does, at the end of `bytes`.
fn encode(fields: &[(&str, Field<'_>)], bytes: Vec<u8>) -> Vec<u8> {
    let mut buffer = ByteBuf::from_vec(bytes);
    let Ok(()) = write(fields, &mut buffer);
    buffer.into_vec()
}

fn write(fields: &[(&str, Field<'_>)], buffer: &mut ByteBuf) -> Result<(), ValueWriteError<Infallible>> {
    write_map_len(buffer, length(fields))?;
    for (key, field) in fields {
        write_str(buffer, key)?;
        match *field {
            Field::Text(text) => write_str(buffer, text)?,
            Field::Integer(number) => write_sint(buffer, number).map(|_| ())?,
            Field::Flag(flag) => write_bool(buffer, flag).map_err(ValueWriteError::InvalidMarkerWrite)?,
            Field::Texts(texts) => {
                write_array_len(buffer, length(texts))?;
                for text in texts {
                    write_str(buffer, text)?;
                }
            }
        }
    }
    Ok(())
}

/// A length as it is written; nothing here comes near the limit.
fn length<T>(items: &[T]) -> u32 {
    u32::try_from(items.len()).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests;
