//! The codes by which refusals travel to clients.

use core::fmt;
use core::str::FromStr;

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $text:literal,)*) => {
        /// What a client is told besides the text: why its command was refused.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum ErrorCode {
            $($(#[$doc])* $name,)*
        }

        impl ErrorCode {
            /// Every code.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// The code as it stands in frames.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                }
            }
        }
    };
}

codes! {
    /// The frame is not JSON.
    InvalidJson = "invalid_json",
    /// The frame is JSON, but no object.
    NotAnObject = "not_an_object",
    /// No dialect has such a frame.
    UnrecognizedFrame = "unrecognized_frame",
    /// The dialect has no such `type` or `command`.
    UnknownKind = "unknown_type",
    /// A field that is needed is not there.
    MissingField = "missing_field",
    /// A field is of another JSON type.
    WrongType = "wrong_type",
    /// An id, a number or a client id breaks a rule.
    InvalidValue = "invalid_value",
    /// The name of a room breaks a rule.
    InvalidRoomName = "invalid_room_name",
    /// The name of a person breaks a rule.
    InvalidUsername = "invalid_username",
    /// The name of a person is kept for the system.
    ReservedName = "reserved_name",
    /// The text is blank.
    BlankMessage = "blank_message",
    /// The text is over the limit.
    MessageTooLong = "message_too_long",
    /// The text contains U+0000.
    ForbiddenCharacter = "forbidden_character",
    /// The frame is binary; the dialects are text.
    BinaryFrame = "binary_frame",
    /// This socket only listens.
    ListenOnly = "listen_only",
    /// There is no such room, or one may not enter it.
    UnknownRoom = "unknown_room",
    /// There is no such person.
    UnknownUser = "unknown_user",
    /// There is no such message in this room.
    UnknownMessage = "unknown_message",
    /// One cannot go on from the message that one had last: the room does not have it, or not any more.
    CannotResume = "cannot_resume",
    /// One is not a member of the room.
    NotAMember = "not_a_member",
    /// Storage could not keep or find it now; it may be tried again.
    Unavailable = "unavailable",
    /// The server is stopping; it may be tried again elsewhere.
    ShuttingDown = "shutting_down",
    /// A code that this version does not know; only clients see it.
    Other = "other",
}

impl FromStr for ErrorCode {
    type Err = core::convert::Infallible;

    /// The code with this name; [`ErrorCode::Other`] for one that is not known.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self::ALL.iter().copied().find(|code| code.as_str() == text).unwrap_or(Self::Other))
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
