//! From where on a client that comes back wants a room's messages: `?since=` when it connects.

use core::str::FromStr;

use thiserror::Error;

use crate::{IdError, MessageId, NameError, RoomName, RoomRef};

/// The last message that a client has had of a room: it wants those after it.
///
/// Written as the id of the message, or 0 where it has had none; before it, with a colon, the room, where that is not the
/// one that the client goes to. Several stand after one another with commas, and the first word on a room counts.
///
/// ```
/// use chat_protocol::Since;
///
/// let since: Since = "lobby:41".parse()?;
/// assert_eq!(since.room.map(|room| room.to_string()).as_deref(), Some("lobby"));
/// assert_eq!(since.message.map(|message| message.value()), Some(41));
/// assert_eq!("0".parse(), Ok(Since { room: None, message: None }));
/// # Ok::<(), chat_protocol::SinceError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Since {
    /// The room; `None` for the one that the client goes to.
    pub room: Option<RoomRef>,
    /// The message; `None` where it has had none, and wants all.
    pub message: Option<MessageId>,
}

/// Why a text is no [`Since`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SinceError {
    /// What should be the id of a message, or 0, is not.
    #[error(
        "since is the id of a message, or room:id for several rooms, separated by commas; 0 stands for the beginning"
    )]
    Message(#[from] IdError),
    /// No room has such a name.
    #[error("no room has the name in since: {0}")]
    Room(#[from] NameError),
}

impl FromStr for Since {
    type Err = SinceError;

    fn from_str(text: &str) -> Result<Self, SinceError> {
        let (room, message) = match text.rsplit_once(':') {
            Some((room, message)) => (Some(RoomName::new(room)?.into()), message),
            None => (None, text),
        };
        let message = match message {
            "0" => None,
            id => Some(id.parse()?),
        };
        Ok(Self { room, message })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_are_refused() {
        for slip in
            ["", "x", "-1", "+1", "00", " 7", "1e3", "lobby:", "7:", "lobby:7 8", "9223372036854775808"]
        {
            assert!(matches!(slip.parse::<Since>(), Err(SinceError::Message(_))), "{slip}");
        }
        for slip in [":7", ":", "a:b:7", "lobby/:7", "7,8:9"] {
            assert!(matches!(slip.parse::<Since>(), Err(SinceError::Room(_))), "{slip}");
        }
    }
}
