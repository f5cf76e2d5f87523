//! Five chat dialects over WebSocket, as typed values.
//!
//! Five front-end documents describe five JSON dialects for the same thing: people who talk in rooms. This crate reads
//! and writes the frames of all five, on both sides of the wire, and translates them from and to one language:
//! a [`Command`] is what a client wants, an [`Event`] is what it is told.
//!
//! ```
//! use chat_protocol::{Command, Dialect, Limits};
//!
//! let frame = r#"{"type":"chat_message","message":"hello"}"#;
//! let dialect = Dialect::recognize(frame)?;
//! assert_eq!(dialect, Dialect::Typed);
//!
//! let Command::SendMessage(send) = dialect.decode_command(frame, &Limits::default())? else { unreachable!() };
//! assert_eq!(send.text.as_str(), "hello");
//! # Ok::<(), chat_protocol::DecodeError>(())
//! ```
//!
//! It is pure: bytes in, values out. No I/O, no clock, no threads, no unsafe code; without the default feature `std`
//! it needs `alloc` only. Decoding never panics, whatever the input, and its errors name the field and the reason
//! without repeating more than a bounded piece of the input.
//!
//! # Where to look
//!
//! * [`Dialect`]: the list of dialects; recognizing, decoding, encoding.
//! * [`dialect`]: one module for each, with its frames as serde types.
//! * [`Command`], [`Event`]: what all dialects are translated from and to.
//! * [`RoomName`], [`Username`], [`MessageText`], [`Timestamp`]: values that are valid by construction.

#![no_std]
#![deny(missing_docs)]

extern crate alloc;

mod behavior;
mod catalogue;
mod code;
mod command;
pub mod dialect;
mod error;
mod event;
mod id;
mod json;
mod language;
mod limits;
mod name;
mod since;
mod text;
mod timestamp;
mod wire;

pub use behavior::{Arrival, Behavior, Echo, Scope};
pub use code::ErrorCode;
pub use command::{Command, FetchHistory, SendMessage, SendNotification};
pub use dialect::{Dialect, EncodeContext, Endpoint, UnknownDialect};
pub use error::{DecodeError, Excerpt, JsonType, ValueError};
pub use event::{
    Event, History, Message, MessagePosted, Notification, Person, Presence, ReadMark, Refusal, RoomActivity,
    RoomLabel, Typing,
};
pub use id::{IdError, MessageId, NotificationId, RoomId, Seq, UserId};
pub use json::TextOrNumber;
pub use language::{Language, UnknownLanguage};
pub use limits::Limits;
pub use name::{NameError, RoomName, RoomRef, Username};
pub use since::{Since, SinceError};
pub use text::{ClientId, ClientIdError, MessageText, TextError};
pub use timestamp::{RunTogether, Timestamp, TimestampError};
pub use wire::{Rfc3339, SecondsRunTogether, WireId};
