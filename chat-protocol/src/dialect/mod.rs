//! The dialects: one module for each, and the list of them.
//!
//! A module holds the frames as they stand on the wire (`ClientFrame`, `ServerFrame`), and translates them from and to
//! [`Command`] and [`Event`]. Nothing outside this folder knows any of them by name, so that a further dialect is one
//! more file here and one more line in the list below.

pub mod command;
pub mod group;
pub mod plain;
pub mod remetente;
pub mod typed;

mod convert;

pub use convert::ErrorBody;

use alloc::borrow::Cow;
use alloc::format;
use alloc::string::String;
use core::fmt;
use core::str::FromStr;

use crate::json::{Value, begins_an_object, read_fields, syntax_error};
use crate::{Behavior, ClientId, Command, DecodeError, Event, Excerpt, Language, Limits, RoomId};
use serde::Deserialize;

macro_rules! dialects {
    ($($(#[$doc:meta])* $name:ident = $text:literal in $module:ident, told by $mark:literal;)*) => {
        /// The keys that tell dialects apart; one may stand here twice.
        const MARKS: [&str; [$($mark),*].len()] = [$($mark),*];

        /// One of the ways of saying things over the wire.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Dialect {
            $($(#[$doc])* $name,)*
        }

        impl Dialect {
            /// Every dialect, in the order in which a first frame is tried on them.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// The name of the dialect, as settings and `Sec-WebSocket-Protocol: chat.<name>` have it.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                }
            }

            fn codec(self) -> &'static dyn Codec {
                match self {
                    $(Self::$name => &$module::Dialect,)*
                }
            }
        }
    };
}

dialects! {
    /// Told by the key `command`: history, messages, and the listener socket.
    Command = "command" in command, told by "command";
    /// Told by the `type`s `chat` and `notification`: many rooms on one socket, stored notifications.
    Group = "group" in group, told by "type";
    /// Told by the `type`s `chat_message`, `typing` and `mark_read`: receipts, presence, typing, confirmations.
    Typed = "typed" in typed, told by "type";
    /// Told by the path: `/ws/chat/room?user=…`, without a slash at the end of the path.
    Remetente = "remetente" in remetente, told by "message";
    /// Told by having `message`, and neither `type` nor `command`.
    Plain = "plain" in plain, told by "message";
}

const SUBPROTOCOL_PREFIX: &str = "chat.";

/// What each dialect does; implemented by the unit struct `Dialect` of its module.
trait Codec: Sync {
    /// What its front ends rely on.
    fn behavior(&self) -> Behavior;
    /// Whether a first frame like this can only be of this dialect.
    fn recognizes(&self, probe: &Probe<'_>) -> bool;
    /// Reads what a client sends.
    fn decode_command(&self, text: &str, limits: &Limits) -> Result<Command, DecodeError>;
    /// Writes what a client sends; `None` where the dialect has no form for it.
    fn encode_command(&self, command: &Command) -> Option<String>;
    /// Reads what a server sends.
    fn decode_event(&self, text: &str) -> Result<Event, DecodeError>;
    /// Writes what a server sends; `None` where the dialect has no form for it.
    fn encode_event(&self, event: &Event, context: &EncodeContext) -> Option<String>;
}

/// What tells the dialects apart in a first frame: the values of [`MARKS`].
struct Probe<'a>([Value<'a>; MARKS.len()]);

impl<'a> Probe<'a> {
    fn value(&self, mark: &str) -> Option<&Value<'a>> {
        let (_, value) = MARKS.iter().zip(&self.0).find(|(known, _)| **known == mark)?;
        Some(value).filter(|value| !value.is_absent())
    }

    fn has(&self, mark: &str) -> bool {
        self.value(mark).is_some()
    }

    /// The value of `type`, where it is a string.
    fn kind(&self) -> Option<&str> {
        match self.value("type")? {
            Value::Text(kind) => Some(kind),
            _ => None,
        }
    }
}

/// For whom an event is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct EncodeContext {
    /// The kind of socket that the frame goes to.
    pub endpoint: Endpoint,
    /// The language of texts for people.
    pub language: Language,
    /// The number by which the client knows its room; `None` for the room's id.
    pub room_number: Option<RoomId>,
}

/// The kinds of socket that a server has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Endpoint {
    /// `/ws/chat/{room}/`
    #[default]
    Room,
    /// `/ws/chat/listener/`, of the `command` document
    Listener,
}

/// No dialect has this name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnknownDialect;

impl core::error::Error for UnknownDialect {}

impl fmt::Display for UnknownDialect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no such dialect; there are")?;
        let names = Dialect::ALL.iter().map(|dialect| dialect.name());
        names
            .zip([" "].into_iter().chain(core::iter::repeat(", ")))
            .try_for_each(|(name, joint)| write!(f, "{joint}{name}"))
    }
}

impl Dialect {
    /// The dialect of which this must be the first frame.
    ///
    /// # Errors
    ///
    /// [`DecodeError`] where the text is no JSON object, or of no dialect.
    pub fn recognize(text: &str) -> Result<Self, DecodeError> {
        let probe = Probe(read_fields(text, MARKS)?);
        if let Some(dialect) = Self::ALL.iter().copied().find(|dialect| dialect.codec().recognizes(&probe)) {
            return Ok(dialect);
        }
        match probe.value("type") {
            None => Err(DecodeError::UnrecognizedFrame),
            Some(kind) => {
                let found = Excerpt::of(kind.as_text("type")?);
                Err(DecodeError::UnknownKind { field: "type", found })
            }
        }
    }

    /// The client's mark in a frame that could not be read otherwise, so that its client learns which of its sends it was.
    #[must_use]
    pub fn client_id_in(text: &str) -> Option<ClientId> {
        let [client_id] = read_fields(text, ["client_id"]).ok()?;
        ClientId::new(&client_id.text("client_id").ok()?).ok()
    }

    /// The subprotocol by which a client asks for the dialect in `Sec-WebSocket-Protocol`: `chat.<name>`.
    #[must_use]
    pub fn subprotocol(self) -> String {
        format!("{SUBPROTOCOL_PREFIX}{self}")
    }

    /// The dialect that a subprotocol asks for.
    #[must_use]
    pub fn from_subprotocol(subprotocol: &str) -> Option<Self> {
        subprotocol.strip_prefix(SUBPROTOCOL_PREFIX)?.parse().ok()
    }

    /// What the front ends of the dialect rely on, besides the form of the frames.
    #[must_use]
    pub fn behavior(self) -> Behavior {
        self.codec().behavior()
    }

    /// Reads a frame from a client.
    ///
    /// # Errors
    ///
    /// [`DecodeError`] names the field and the reason.
    pub fn decode_command(self, text: &str, limits: &Limits) -> Result<Command, DecodeError> {
        self.codec().decode_command(text, limits)
    }

    /// Writes a frame to a server; `None` where the dialect has no form for the command.
    #[must_use]
    pub fn encode_command(self, command: &Command) -> Option<String> {
        self.codec().encode_command(command)
    }

    /// Reads a frame from a server.
    ///
    /// # Errors
    ///
    /// [`DecodeError`] names the field and the reason.
    pub fn decode_event(self, text: &str) -> Result<Event, DecodeError> {
        self.codec().decode_event(text)
    }

    /// Writes a frame to a client; `None` where the dialect has no form for the event.
    #[must_use]
    pub fn encode_event(self, event: &Event, context: &EncodeContext) -> Option<String> {
        self.codec().encode_event(event, context)
    }
}

impl FromStr for Dialect {
    type Err = UnknownDialect;

    fn from_str(text: &str) -> Result<Self, UnknownDialect> {
        Self::ALL.iter().copied().find(|dialect| dialect.name() == text).ok_or(UnknownDialect)
    }
}

impl fmt::Display for Dialect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Reads one kind of frame from a server.
fn from_json<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, DecodeError> {
    match serde_json::from_str(text) {
        // Looked at, because serde would take an array of the values of the fields as well.
        Ok(frame) if begins_an_object(text) => Ok(frame),
        Err(error) if !error.is_data() => Err(syntax_error(&error)),
        _ => {
            let [] = read_fields(text, [])?;
            Err(DecodeError::UnrecognizedFrame)
        }
    }
}

/// The kind of a frame: the value of `type` or `command`. A derived tagged enum would keep the whole frame in memory,
/// many times its size, until it has found it.
fn kind_of<'a>(text: &'a str, field: &'static str) -> Result<Cow<'a, str>, DecodeError> {
    let [kind] = read_fields(text, [field])?;
    kind.text(field)
}

fn unknown_kind(field: &'static str, kind: &str) -> DecodeError {
    DecodeError::UnknownKind { field, found: Excerpt::of(kind) }
}
