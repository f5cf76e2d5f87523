//! What happened, whichever dialect it is told in.
//!
//! A dialect tells less than there is to know: `plain` gives no time, `remetente` no user id. So what some dialect
//! leaves out is an `Option` here. The server fills all of them in; a client finds what its dialect tells.

use alloc::borrow::Cow;
use alloc::sync::Arc;
use alloc::vec::Vec;

use crate::{
    ClientId, DecodeError, ErrorCode, MessageId, NotificationId, RoomId, RoomName, RoomRef, TextError,
    Timestamp, UserId, Username, ValueError,
};

/// One thing that a client is told.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// A message was posted to a room.
    MessagePosted(MessagePosted),
    /// One's own message was stored.
    MessageAccepted(Message),
    /// The answer to a request for history.
    HistoryFetched(History),
    /// A message was posted to some room of the listener.
    RoomActive(RoomActivity),
    /// Somebody came online or went offline.
    PresenceChanged(Presence),
    /// Somebody started or stopped typing.
    TypingChanged(Typing),
    /// Somebody has read a room up to some message.
    MessagesRead(ReadMark),
    /// Somebody left one a notification.
    NotificationReceived(Notification),
    /// One's command was refused.
    Refused(Refusal),
}

/// A message as a client sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Its id.
    pub id: Option<MessageId>,
    /// Who wrote it.
    pub sender: Person,
    /// What it says.
    pub text: Arc<str>,
    /// When it was stored.
    pub sent_at: Option<Timestamp>,
    /// Whether some other member has read it.
    pub is_read: Option<bool>,
    /// The mark that its sender put on it.
    pub client_id: Option<ClientId>,
}

/// A person as a client sees one.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Person {
    /// The id.
    pub id: Option<UserId>,
    /// The name.
    pub name: Option<Username>,
}

/// A room as a client sees it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RoomLabel {
    /// Its id.
    pub id: Option<RoomId>,
    /// Its name.
    pub name: Option<RoomName>,
    /// What people call it.
    pub display_name: Option<Arc<str>>,
    /// How the frame that caused the event referred to it, to be given back in the same form.
    pub as_referred: Option<RoomRef>,
}

/// A message was posted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessagePosted {
    /// The room.
    pub room: RoomLabel,
    /// The message.
    pub message: Message,
}

/// A page of a room's history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct History {
    /// Newest first.
    pub messages: Vec<Message>,
}

/// A message was posted to a room that one listens to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoomActivity {
    /// The room.
    pub room: RoomLabel,
    /// Its members.
    pub members: Vec<Username>,
    /// The message.
    pub message: Message,
}

/// Somebody came or went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Presence {
    /// Who.
    pub user: Person,
    /// Whether they are connected anywhere.
    pub is_online: bool,
}

/// Somebody started or stopped typing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Typing {
    /// Who.
    pub user: Person,
    /// Whether they are typing.
    pub is_typing: bool,
}

/// Somebody has read a room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadMark {
    /// The room.
    pub room: Option<RoomId>,
    /// Who has read it.
    pub reader: Person,
    /// The newest message that they have read; `None` in an empty room.
    pub up_to: Option<MessageId>,
}

/// Something that somebody wanted one to know, kept until it is cleared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notification {
    /// Its id.
    pub id: Option<NotificationId>,
    /// Who left it.
    pub sender: Person,
    /// What it says.
    pub text: Arc<str>,
    /// When it was stored.
    pub sent_at: Option<Timestamp>,
}

/// Why a command was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The reason, for programs.
    pub code: ErrorCode,
    /// The field of the frame that is to blame.
    pub field: Option<Cow<'static, str>>,
    /// The limit that was exceeded.
    pub limit: Option<usize>,
    /// The reason, for people. `None` lets the dialect say it in the language of the server.
    pub text: Option<Arc<str>>,
    /// The mark of the send that was refused.
    pub client_id: Option<ClientId>,
}

impl Refusal {
    /// A refusal for this reason, with nothing more to say.
    #[must_use]
    pub const fn new(code: ErrorCode) -> Self {
        Self { code, field: None, limit: None, text: None, client_id: None }
    }
}

impl From<ErrorCode> for Refusal {
    fn from(code: ErrorCode) -> Self {
        Self::new(code)
    }
}

impl From<&DecodeError> for Refusal {
    fn from(error: &DecodeError) -> Self {
        let limit = match error {
            DecodeError::InvalidValue { reason: ValueError::Text(TextError::TooLong { max }), .. } => {
                Some(*max)
            }
            _ => None,
        };
        Self { field: error.field().map(Cow::Borrowed), limit, ..Self::new(error.code()) }
    }
}
