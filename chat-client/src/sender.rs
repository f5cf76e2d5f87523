//! The handle that says things to the server.

use std::sync::Arc;

use chat_protocol::{Command, FetchHistory, SendMessage, SendNotification, Username};
use tokio_tungstenite::tungstenite::Message;

use crate::connection::Connection;
use crate::error::ClientError;
use crate::voice::Voice;

/// Says things over the connection of a [`Client`](crate::Client). Clones share the connection.
///
/// Every method waits until the operating system has taken the frame, not until the server has answered: the answer
/// is an event of the client. A server that takes nothing any more makes them wait; the end of the connection makes
/// them fail.
///
/// # Cancel safety
///
/// When a method's future is dropped before it is done, the frame is either not sent at all, or sent whole. What the
/// operating system had no room for then goes out before the next frame.
#[derive(Debug, Clone)]
pub struct Sender(Arc<Shared>);

/// What all handles of a connection share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) connection: Connection,
    pub(crate) voice: Voice,
}

impl Sender {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Self(shared)
    }

    /// Posts a message to the room of the connection.
    ///
    /// # Errors
    ///
    /// As [`send`](Self::send); and where the text is blank, too long, or contains U+0000.
    pub async fn send_text(&self, text: &str) -> Result<(), ClientError> {
        let send =
            SendMessage { room: None, text: self.0.voice.text(text)?, claimed_sender: None, client_id: None };
        self.send(Command::SendMessage(send)).await
    }

    /// Asks for the newest messages of the room. The answer is [`Event::HistoryFetched`](crate::Event).
    ///
    /// For older ones, [`send`](Self::send) a [`FetchHistory`] that says before which.
    ///
    /// # Errors
    ///
    /// As [`send`](Self::send). Only the dialect [`Dialect::Command`](chat_protocol::Dialect::Command) has a form for it.
    pub async fn fetch_history(&self) -> Result<(), ClientError> {
        let fetch = FetchHistory { room: None, before: None, limit: None };
        self.send(Command::FetchHistory(fetch)).await
    }

    /// Lets the others in the room know whether one is typing.
    ///
    /// # Errors
    ///
    /// As [`send`](Self::send). Only the dialect [`Dialect::Typed`](chat_protocol::Dialect::Typed) has a form for it.
    pub async fn set_typing(&self, is_typing: bool) -> Result<(), ClientError> {
        self.send(Command::SetTyping { is_typing }).await
    }

    /// Says that one has read all there is in the room.
    ///
    /// # Errors
    ///
    /// As [`send`](Self::send). Only the dialect [`Dialect::Typed`](chat_protocol::Dialect::Typed) has a form for it.
    pub async fn mark_read(&self) -> Result<(), ClientError> {
        self.send(Command::MarkRead).await
    }

    /// Leaves a notification for somebody.
    ///
    /// # Errors
    ///
    /// As [`send_text`](Self::send_text). Only the dialect [`Dialect::Group`](chat_protocol::Dialect::Group) has a form for it.
    pub async fn notify(&self, recipient: Username, text: &str) -> Result<(), ClientError> {
        let send = SendNotification { recipient, text: self.0.voice.text(text)? };
        self.send(Command::SendNotification(send)).await
    }

    /// Says anything that the dialect has a form for. Where the command has no room, it is about that of the URL.
    ///
    /// # Errors
    ///
    /// [`ClientError::is_invalid_command`] where the dialect has no form for the command: nothing was sent.
    /// [`ClientError::is_closed`] where the connection has ended: part of what was sent before may not have arrived.
    pub async fn send(&self, command: Command) -> Result<(), ClientError> {
        let frame = self.0.voice.encode(command)?;
        Ok(self.0.connection.send(Message::text(frame)).await?)
    }
}
