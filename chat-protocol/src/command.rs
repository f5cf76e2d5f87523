//! What a client wants, whichever dialect it says it in.

use crate::{ClientId, MessageId, MessageText, RoomRef, Username};

/// One thing that a client asks of the server.
///
/// Where a command has a `room`, `None` means the room of the connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Posts a message to a room.
    SendMessage(SendMessage),
    /// Asks for a page of a room's history.
    FetchHistory(FetchHistory),
    /// Says that one is typing, or no longer.
    SetTyping {
        /// Whether one is typing.
        is_typing: bool,
    },
    /// Says that one has read all there is in the room.
    MarkRead,
    /// Leaves a notification for a person.
    SendNotification(SendNotification),
}

/// The message to post.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SendMessage {
    /// The room to post to.
    pub room: Option<RoomRef>,
    /// What to post.
    pub text: MessageText,
    /// Who the frame says its sender is. Believed in guest mode only.
    pub claimed_sender: Option<Username>,
    /// The client's mark on this send: sent again with the same mark, it is stored once.
    pub client_id: Option<ClientId>,
}

/// The page of history to fetch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FetchHistory {
    /// The room whose history to fetch.
    pub room: Option<RoomRef>,
    /// Only messages older than this one; `None` for the newest.
    pub before: Option<MessageId>,
    /// Most messages to answer with, at least 1; `None` for the server's own page size.
    pub limit: Option<u32>,
}

/// The notification to leave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SendNotification {
    /// The person to notify.
    pub recipient: Username,
    /// What to say.
    pub text: MessageText,
}
