//! Names of rooms and of people, and how a frame or a path refers to a room.

mod invisible;

use alloc::sync::Arc;
use core::fmt;
use core::str::FromStr;

use thiserror::Error;

use crate::RoomId;
use crate::text::longer_than;
use invisible::{first_hidden, is_invisible, is_joiner};

/// Why a text cannot be a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum NameError {
    /// No characters at all.
    #[error("it is empty")]
    Empty,
    /// More characters than a name may have.
    #[error("it has more than {max} characters")]
    TooLong {
        /// The most that it may have.
        max: usize,
    },
    /// A character that names do not have.
    #[error("it contains the character {0:?}")]
    ForbiddenCharacter(char),
    /// A name that the system keeps for itself.
    #[error("it is reserved")]
    Reserved,
}

macro_rules! name {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Arc<str>);

        impl $name {
            /// The name as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = NameError;

            fn from_str(text: &str) -> Result<Self, NameError> {
                Self::new(text)
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl From<$name> for Arc<str> {
            fn from(name: $name) -> Self {
                name.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

name! {
    /// The name of a room: 1 to 94 letters and digits of any script, `_`, `-` and `.`.
    ///
    /// 94 is what Django Channels leaves of its group names' 100 after the prefix `chat_`. The name `listener`
    /// is reserved: its path is the socket of the `command` document that hears of every room. Names of dots only
    /// are refused, because a path cannot carry them.
    ///
    /// ```
    /// use chat_protocol::{NameError, RoomName};
    ///
    /// assert_eq!(RoomName::new("聊天室-1")?.as_str(), "聊天室-1");
    /// assert_eq!(RoomName::new("../x"), Err(NameError::ForbiddenCharacter('/')));
    /// # Ok::<(), NameError>(())
    /// ```
    RoomName
}

impl RoomName {
    /// Most characters of a room name.
    pub const MAX_CHARS: usize = 94;

    /// The segment in the place of a room's name that leads to the listener socket.
    pub const LISTENER: &str = "listener";

    /// Checks the name of a room.
    ///
    /// # Errors
    ///
    /// [`NameError`] says which rule it breaks.
    pub fn new(text: &str) -> Result<Self, NameError> {
        check_length(text, Self::MAX_CHARS)?;
        if let Some(other) = text.chars().find(|c| !(c.is_alphanumeric() || matches!(c, '_' | '-' | '.'))) {
            return Err(NameError::ForbiddenCharacter(other));
        }
        if text.bytes().all(|byte| byte == b'.') {
            return Err(NameError::ForbiddenCharacter('.'));
        }
        if text == Self::LISTENER {
            return Err(NameError::Reserved);
        }
        Ok(Self(text.into()))
    }

    /// Checks that a room may be made under this name: it has no character that nobody sees.
    ///
    /// Such a room would look like another. [`new`](Self::new) takes the names of rooms that were made before this
    /// rule.
    ///
    /// # Errors
    ///
    /// [`NameError::ForbiddenCharacter`] for the first that nobody sees.
    pub fn check_new(&self) -> Result<(), NameError> {
        let hidden = self.as_str().chars().find(|&c| is_invisible(c));
        hidden.map_or(Ok(()), |c| Err(NameError::ForbiddenCharacter(c)))
    }
}

name! {
    /// The name of a person: 1 to 150 characters, as in Django.
    ///
    /// Every name that Django's own validator takes is taken. Beyond it, any visible character may stand in a name,
    /// and a space between others, save for `<` and `>` (a document's page writes names into its HTML) and the
    /// characters that change the direction or hide the length of a text. `server` is reserved in any case: it
    /// signs what the server itself says in the dialects that have only messages. Who makes up a name is held to
    /// [more](Self::check_new).
    Username
}

impl Username {
    /// Most characters of a person's name.
    pub const MAX_CHARS: usize = 150;

    /// The reserved name that signs the server's own messages.
    pub const SERVER: &str = "server";

    /// The name of everybody who gives none.
    pub const ANONYMOUS: &str = "Anonymous";

    /// Checks the name of a person.
    ///
    /// # Errors
    ///
    /// [`NameError`] says which rule it breaks.
    pub fn new(text: &str) -> Result<Self, NameError> {
        check_length(text, Self::MAX_CHARS)?;
        if let Some(other) = text.chars().find(|&c| !may_stand_in_username(c)) {
            return Err(NameError::ForbiddenCharacter(other));
        }
        if text.starts_with(' ') || text.ends_with(' ') {
            return Err(NameError::ForbiddenCharacter(' '));
        }
        let visible = || text.chars().filter(|c| !is_joiner(*c));
        if visible().next().is_none() {
            return Err(NameError::Empty);
        }
        if visible().map(|c| c.to_ascii_lowercase()).eq(Self::SERVER.chars()) {
            return Err(NameError::Reserved);
        }
        Ok(Self(text.into()))
    }

    /// Checks that somebody may give themselves this name: it has no character that nobody sees, and joiners (U+200C,
    /// U+200D) only where they have something to join, between two characters that are not ASCII.
    ///
    /// Such a name would look like that of somebody else. The selectors of variations are among what nobody sees; that of
    /// emoji, U+FE0F, may stand behind a symbol. [`new`](Self::new) takes the names that were given before this rule, and those of which
    /// another system says whose they are.
    ///
    /// # Errors
    ///
    /// [`NameError::ForbiddenCharacter`] for the first of these.
    pub fn check_new(&self) -> Result<(), NameError> {
        first_hidden(self.as_str()).map_or(Ok(()), |c| Err(NameError::ForbiddenCharacter(c)))
    }

    /// The name of everybody who gives none: `Anonymous`.
    #[must_use]
    pub fn anonymous() -> Self {
        Self(Self::ANONYMOUS.into())
    }

    /// Whether this is the name of everybody who gives none.
    #[must_use]
    pub fn is_anonymous(&self) -> bool {
        self.as_str() == Self::ANONYMOUS
    }
}

fn check_length(text: &str, max: usize) -> Result<(), NameError> {
    if text.is_empty() {
        return Err(NameError::Empty);
    }
    if longer_than(text, max) {
        return Err(NameError::TooLong { max });
    }
    Ok(())
}

fn may_stand_in_username(c: char) -> bool {
    match c {
        // `<` and `>`, invisible characters, marks of direction, and separators of lines. U+200C and U+200D stay:
        // Persian and Indic names need them.
        '<'
        | '>'
        | '\u{ad}'
        | '\u{61c}'
        | '\u{180e}'
        | '\u{200b}'
        | '\u{200e}'
        | '\u{200f}'
        | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{3164}'
        | '\u{feff}'
        | '\u{e0000}'..='\u{e007f}' => false,
        ' ' => true,
        other => !other.is_control() && !other.is_whitespace(),
    }
}

/// How a frame or a path refers to a room.
///
/// A numeric text is a [`RoomRef::Name`] here, because it may be either: it is looked up as a name first, then as an id.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum RoomRef {
    /// A text: the name of a room, or its id in digits.
    Name(RoomName),
    /// A JSON number: the id of a room.
    Id(RoomId),
}

impl RoomRef {
    /// The id that this refers to, where it is numeric in either form.
    #[must_use]
    pub fn as_id(&self) -> Option<RoomId> {
        match self {
            Self::Name(name) => name.as_str().parse().ok(),
            Self::Id(id) => Some(*id),
        }
    }
}

impl From<RoomName> for RoomRef {
    fn from(name: RoomName) -> Self {
        Self::Name(name)
    }
}

impl fmt::Display for RoomRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => name.fmt(f),
            Self::Id(id) => id.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests;
