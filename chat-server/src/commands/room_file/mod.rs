//! A room as JSON Lines, as `export` writes it and `import` reads it: the room first, then its messages in order.
//!
//! ```json
//! {"format":"chat-room","version":1,"room":{"name":"den","access":"members","owner":"amy","members":["amy","ben"]}}
//! {"seq":1,"message_id":7,"username":"amy","text":"hello","sent_at":"2025-10-03T03:00:00.123456Z","client_id":"a-1"}
//! ```
//!
//! Where messages are gone from the middle, the next one says after which it comes: `{"seq":5,"after":1,…}`. So a line that
//! was lost from the file is noticed still.

mod error;
#[cfg(test)]
mod tests;

use std::io::{self, BufRead, Read, Write};
use std::sync::Arc;

use chat_core::storage::{Access, Room, StoredMessage, User};
use chat_protocol::{
    ClientId, DecodeError, Excerpt, Limits, MessageId, MessageText, RoomName, Seq, Timestamp, Username,
    ValueError,
};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

pub use error::{BadLine, LineError};

const FORMAT: &str = "chat-room";

const VERSION: u32 = 1;

/// Most bytes of a line, so that a file which is something else does not fill the memory.
const MAX_LINE_BYTES: u64 = 16 * 1024 * 1024;

/// How the first line of an export begins, which is none of something else. It names all members, however many there are.
const HEAD_BEGINS: &[u8] = br#"{"format":"chat-room","version":1,"#;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct HeadLine {
    format: String,
    version: u32,
    room: RoomFields,
}

/// What tells whether the rest of a first line can be understood.
#[derive(Deserialize)]
struct FormatOnly {
    format: String,
    version: u32,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RoomFields {
    name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    display_name: Option<String>,
    access: AccessField,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    owner: Option<String>,
    members: Vec<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum AccessField {
    Open,
    Members,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct MessageLine {
    seq: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    after: Option<i64>,
    message_id: i64,
    username: String,
    text: String,
    sent_at: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    client_id: Option<String>,
}

/// A room as a file tells of it.
#[derive(Debug)]
pub(super) struct RoomInFile {
    pub(super) name: RoomName,
    pub(super) display_name: Option<Arc<str>>,
    pub(super) access: Access,
    pub(super) owner: Option<Username>,
    pub(super) members: Vec<Username>,
}

/// A message as a file tells of it.
#[derive(Debug)]
pub(super) struct MessageInFile {
    pub(super) line: u64,
    pub(super) username: Username,
    pub(super) text: Arc<str>,
    pub(super) sent_at: Timestamp,
    pub(super) client_id: Option<ClientId>,
}

/// Writes the first line.
pub(super) fn write_room(
    out: &mut impl Write,
    room: &Room,
    owner: Option<&User>,
    members: &[User],
) -> io::Result<()> {
    let room = RoomFields {
        name: room.name.to_string(),
        display_name: room.display_name.as_deref().map(str::to_owned),
        access: match room.access {
            Access::Open => AccessField::Open,
            Access::MembersOnly => AccessField::Members,
        },
        owner: owner.map(|owner| owner.name.to_string()),
        members: members.iter().map(|member| member.name.to_string()).collect(),
    };
    write_line(out, &HeadLine { format: FORMAT.to_owned(), version: VERSION, room })
}

/// Writes the line of a message. `before` is the one that was written before it.
pub(super) fn write_message(
    out: &mut impl Write,
    message: &StoredMessage,
    before: Option<Seq>,
) -> io::Result<()> {
    let line = MessageLine {
        seq: message.seq.value(),
        after: before.filter(|before| before.next() != message.seq).map(Seq::value),
        message_id: message.id.value(),
        username: message.sender.name.to_string(),
        text: message.text.to_string(),
        sent_at: message.sent_at.to_string(),
        client_id: message.client_id.as_ref().map(ToString::to_string),
    };
    write_line(out, &line)
}

fn write_line(out: &mut impl Write, line: &impl Serialize) -> io::Result<()> {
    serde_json::to_writer(&mut *out, line)?;
    out.write_all(b"\n")
}

/// Reads a room line by line, and takes nothing that could not be posted.
#[derive(Debug)]
pub(super) struct RoomReader<R> {
    input: R,
    limits: Limits,
    line: u64,
    before: Option<Seq>,
}

impl<R: BufRead> RoomReader<R> {
    /// Reads the first line.
    pub(super) fn open(input: R, limits: Limits) -> Result<(Self, RoomInFile), BadLine> {
        let mut this = Self { input, limits, line: 0, before: None };
        match this.read_line().and_then(|line| read_room(&line.ok_or(LineError::Missing)?)) {
            Ok(room) => Ok((this, room)),
            Err(reason) => Err(BadLine { line: 1, reason }),
        }
    }

    /// Reads the next message; `None` at the end of the file.
    pub(super) fn next(&mut self) -> Result<Option<MessageInFile>, BadLine> {
        let read = self.read_line().and_then(|line| line.map(|line| self.read_message(&line)).transpose());
        read.map_err(|reason| BadLine { line: self.line, reason })
    }

    fn read_line(&mut self) -> Result<Option<Vec<u8>>, LineError> {
        self.line += 1;
        let mut line = Vec::new();
        let mut input = (&mut self.input).take(MAX_LINE_BYTES);
        input.read_until(b'\n', &mut line).map_err(LineError::Read)?;
        if input.limit() == 0 && !line.ends_with(b"\n") {
            if self.line > 1 || !line.starts_with(HEAD_BEGINS) {
                return Err(LineError::TooLong);
            }
            self.input.read_until(b'\n', &mut line).map_err(LineError::Read)?;
        }
        match line.pop() {
            None => Ok(None),
            Some(b'\n') => Ok(Some(line)),
            Some(last) => {
                line.push(last);
                Ok(Some(line))
            }
        }
    }

    fn read_message(&mut self, line: &[u8]) -> Result<MessageInFile, LineError> {
        let MessageLine { seq, after, message_id, username, text, sent_at, client_id } = parse(line)?;
        let seq = valid("seq", Seq::new(seq))?;
        let after = after.map(|after| valid("after", Seq::new(after))).transpose()?.or(seq.previous());
        valid("message_id", MessageId::new(message_id))?;
        if let Some(before) = self.before
            && (after != Some(before) || seq <= before)
        {
            return Err(LineError::Gap { found: seq, before });
        }
        self.before = Some(seq);
        Ok(MessageInFile {
            line: self.line,
            username: user("username", &username)?,
            text: valid("text", MessageText::new(&text, &self.limits))?.into(),
            sent_at: valid("sent_at", Timestamp::from_rfc3339(&sent_at))?,
            client_id: client_id.map(|id| valid("client_id", ClientId::new(&id))).transpose()?,
        })
    }
}

fn read_room(line: &[u8]) -> Result<RoomInFile, LineError> {
    let FormatOnly { format, version } = parse(line)?;
    if format != FORMAT {
        return Err(LineError::Format { found: Excerpt::of(&format) });
    }
    if version != VERSION {
        return Err(LineError::Version { found: version });
    }
    let HeadLine { room, .. } = parse(line)?;
    Ok(RoomInFile {
        name: valid("name", RoomName::new(&room.name).map_err(ValueError::RoomName))?,
        display_name: room.display_name.map(Arc::from),
        access: match room.access {
            AccessField::Open => Access::Open,
            AccessField::Members => Access::MembersOnly,
        },
        owner: room.owner.map(|name| user("owner", &name)).transpose()?,
        members: room.members.iter().map(|name| user("members", name)).collect::<Result<_, _>>()?,
    })
}

fn parse<T: DeserializeOwned>(line: &[u8]) -> Result<T, LineError> {
    serde_json::from_slice(line).map_err(|error| {
        let said = error.to_string();
        // There is but one line, which has another number in the file.
        let reason = said.split(" at line ").next().unwrap_or(&said);
        LineError::Form { reason: Excerpt::of(reason), column: error.column() }
    })
}

fn user(field: &'static str, name: &str) -> Result<Username, LineError> {
    valid(field, Username::new(name).map_err(ValueError::Username))
}

fn valid<T, E: Into<ValueError>>(field: &'static str, value: Result<T, E>) -> Result<T, LineError> {
    value.map_err(|reason| LineError::Value(DecodeError::InvalidValue { field, reason: reason.into() }))
}
