//! What can be wrong with a frame, and the codes by which errors travel.

use alloc::borrow::ToOwned;
use alloc::string::String;
use core::fmt;

use thiserror::Error;

use crate::{ClientIdError, ErrorCode, IdError, NameError, TextError, TimestampError};

/// Why a frame could not be read.
///
/// It names the field and the reason, and never repeats more than [`Excerpt::MAX_CHARS`] characters of the frame.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// Not JSON: a slip of syntax, a lone surrogate, a number out of range, or nested too deep.
    #[error("the frame is not valid JSON (line {line}, column {column})")]
    InvalidJson {
        /// Line of the first offence, from 1.
        line: usize,
        /// Column of the first offence, from 1.
        column: usize,
    },
    /// JSON, but not an object.
    #[error("the frame is not a JSON object")]
    NotAnObject,
    /// An object with the fields of no known kind of frame.
    #[error("the frame has not the fields that any known kind of frame has")]
    UnrecognizedFrame,
    /// A `type` or `command` that the dialect does not have.
    #[error("unknown {field} {found:?}")]
    UnknownKind {
        /// The field that tells kinds of frames apart: `type` or `command`.
        field: &'static str,
        /// What stood there.
        found: Excerpt,
    },
    /// A field that the frame needs is not there.
    #[error("field `{field}` is missing")]
    MissingField {
        /// The field's name.
        field: &'static str,
    },
    /// A field holds a value of another JSON type.
    #[error("field `{field}`: expected {expected}, found {found}")]
    WrongType {
        /// The field's name.
        field: &'static str,
        /// What should stand there.
        expected: &'static str,
        /// What stands there.
        found: JsonType,
    },
    /// A field holds the right type, but a value that breaks a rule.
    #[error("field `{field}`: {reason}")]
    InvalidValue {
        /// The field's name.
        field: &'static str,
        /// The rule that it breaks.
        reason: ValueError,
    },
}

/// The rule that the value of a field breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ValueError {
    /// It is no name of a room.
    #[error("{0}")]
    RoomName(NameError),
    /// It is no name of a person.
    #[error("{0}")]
    Username(NameError),
    /// It is no text that can be sent.
    #[error(transparent)]
    Text(#[from] TextError),
    /// It is no id.
    #[error(transparent)]
    Id(#[from] IdError),
    /// It is no client id.
    #[error(transparent)]
    ClientId(#[from] ClientIdError),
    /// It is no time.
    #[error(transparent)]
    Timestamp(#[from] TimestampError),
    /// It is no number of messages.
    #[error("it is not a whole number from 1 to {}", u32::MAX)]
    Count,
}

/// The types that JSON has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JsonType {
    /// `null`
    Null,
    /// `true` or `false`
    Bool,
    /// A number
    Number,
    /// A string
    String,
    /// An array
    Array,
    /// An object
    Object,
}

impl fmt::Display for JsonType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Null => "null",
            Self::Bool => "a boolean",
            Self::Number => "a number",
            Self::String => "a string",
            Self::Array => "an array",
            Self::Object => "an object",
        })
    }
}

/// The beginning of a text that somebody sent, short enough to repeat.
#[derive(Clone, PartialEq, Eq)]
pub struct Excerpt(String);

impl Excerpt {
    /// Most characters that are repeated.
    pub const MAX_CHARS: usize = 40;

    /// The beginning of this text, with an ellipsis where something was cut off.
    #[must_use]
    pub fn of(text: &str) -> Self {
        match text.char_indices().nth(Self::MAX_CHARS) {
            None => Self(text.to_owned()),
            Some((end, _)) => {
                let mut start: String = text.chars().take(Self::MAX_CHARS).collect();
                debug_assert_eq!(start.len(), end);
                start.push('…');
                Self(start)
            }
        }
    }

    /// The excerpt as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Quoted and escaped, so that it is safe in a log.
impl fmt::Debug for Excerpt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl DecodeError {
    /// The code under which this travels to a client.
    #[must_use]
    pub const fn code(&self) -> ErrorCode {
        match self {
            Self::InvalidJson { .. } => ErrorCode::InvalidJson,
            Self::NotAnObject => ErrorCode::NotAnObject,
            Self::UnrecognizedFrame => ErrorCode::UnrecognizedFrame,
            Self::UnknownKind { .. } => ErrorCode::UnknownKind,
            Self::MissingField { .. } => ErrorCode::MissingField,
            Self::WrongType { .. } => ErrorCode::WrongType,
            Self::InvalidValue { reason, .. } => match reason {
                ValueError::RoomName(_) => ErrorCode::InvalidRoomName,
                ValueError::Username(NameError::Reserved) => ErrorCode::ReservedName,
                ValueError::Username(_) => ErrorCode::InvalidUsername,
                ValueError::Text(TextError::Blank) => ErrorCode::BlankMessage,
                ValueError::Text(TextError::TooLong { .. }) => ErrorCode::MessageTooLong,
                ValueError::Text(TextError::Nul) => ErrorCode::ForbiddenCharacter,
                ValueError::Id(_)
                | ValueError::ClientId(_)
                | ValueError::Timestamp(_)
                | ValueError::Count => ErrorCode::InvalidValue,
            },
        }
    }

    /// The field that is to blame, where it is one.
    #[must_use]
    pub const fn field(&self) -> Option<&'static str> {
        match self {
            Self::InvalidJson { .. } | Self::NotAnObject | Self::UnrecognizedFrame => None,
            Self::UnknownKind { field, .. }
            | Self::MissingField { field }
            | Self::WrongType { field, .. }
            | Self::InvalidValue { field, .. } => Some(field),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn errors_repeat_little_of_the_frame() {
        let error =
            DecodeError::UnknownKind { field: "type", found: Excerpt::of(&"\u{1b}[31m".repeat(1000)) };
        let text = error.to_string();
        assert!(text.len() < 400, "{}", text.len());
        assert!(!text.contains('\u{1b}'));
    }
}
