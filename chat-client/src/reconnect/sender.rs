//! The handle that says things, whatever becomes of the connection.

use std::sync::Arc;

use chat_protocol::{ClientId, Command, FetchHistory, SendMessage, SendNotification, Username};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, TryAcquireError, mpsc};

use super::marks::Marks;
use super::outbox::Draft;
use crate::connection::MAX_WRITE_BUFFER_BYTES;
use crate::error::{ClientError, ErrorKind};
use crate::voice::Voice;

/// Says things for a [`ReconnectingClient`](super::ReconnectingClient). Clones say them for the same one.
///
/// What is said goes into the client's outbox, and from there to the server while the client is polled. A message stays
/// there until the server has confirmed that it is stored ([`Update::Confirmed`](super::Update::Confirmed)), and is sent
/// again on each connection until then; by its mark, the server stores it once. Anything else stays until a connection
/// takes it, and is sent once.
///
/// Where the outbox is full, the methods wait for room in it. Who polls the client in the same task uses
/// [`try_send`](Self::try_send): it does not wait.
///
/// # Cancel safety
///
/// When a method's future is dropped before it is done, nothing was put into the outbox.
#[derive(Debug, Clone)]
pub struct ReconnectingSender(Arc<Shared>);

/// What all senders of a client share.
#[derive(Debug)]
struct Shared {
    voice: Voice,
    marks: Arc<Marks>,
    /// As many permits as there is room in the outbox.
    room: Arc<Semaphore>,
    drafts: mpsc::UnboundedSender<Queued>,
}

/// A draft on its way to the outbox, with its place there.
pub(super) type Queued = (Draft, OwnedSemaphorePermit);

impl ReconnectingSender {
    pub(super) fn new(
        voice: Voice,
        marks: Arc<Marks>,
        room: Arc<Semaphore>,
        drafts: mpsc::UnboundedSender<Queued>,
    ) -> Self {
        Self(Arc::new(Shared { voice, marks, room, drafts }))
    }

    /// Posts a message to the room of the connection, and gives the mark by which it is confirmed or refused.
    ///
    /// # Errors
    ///
    /// As [`send`](Self::send); and where the text is blank, too long, or contains U+0000.
    pub async fn send_text(&self, text: &str) -> Result<ClientId, ClientError> {
        let client_id = self.0.marks.make();
        self.send(self.message(text, &client_id)?).await?;
        Ok(client_id)
    }

    /// Asks for the newest messages of the room, as [`Sender::fetch_history`](crate::Sender::fetch_history) does.
    ///
    /// # Errors
    ///
    /// As [`send`](Self::send).
    pub async fn fetch_history(&self) -> Result<(), ClientError> {
        let fetch = FetchHistory { room: None, before: None, limit: None };
        self.send(Command::FetchHistory(fetch)).await.map(drop)
    }

    /// Lets the others in the room know whether one is typing.
    ///
    /// # Errors
    ///
    /// As [`send`](Self::send).
    pub async fn set_typing(&self, is_typing: bool) -> Result<(), ClientError> {
        self.send(Command::SetTyping { is_typing }).await.map(drop)
    }

    /// Says that one has read all there is in the room.
    ///
    /// # Errors
    ///
    /// As [`send`](Self::send).
    pub async fn mark_read(&self) -> Result<(), ClientError> {
        self.send(Command::MarkRead).await.map(drop)
    }

    /// Leaves a notification for somebody. It may be lost with the connection: no server tells that it is stored.
    ///
    /// # Errors
    ///
    /// As [`send_text`](Self::send_text).
    pub async fn notify(&self, recipient: Username, text: &str) -> Result<(), ClientError> {
        let send = SendNotification { recipient, text: self.0.voice.text(text)? };
        self.send(Command::SendNotification(send)).await.map(drop)
    }

    /// Says anything that the dialect has a form for, and gives the mark of a message: its own, or a new one where it has
    /// none.
    ///
    /// # Errors
    ///
    /// [`ClientError::is_invalid_command`] where the dialect has no form for the command, or it posts to a room that the
    /// connection does not hear, so that nothing would confirm it;
    /// [`ClientError::is_closed`] where the client has ended. Nothing was sent.
    pub async fn send(&self, command: Command) -> Result<Option<ClientId>, ClientError> {
        let draft = self.draft(command)?;
        let room = Arc::clone(&self.0.room).acquire_owned().await.map_err(|_| ErrorKind::Gone)?;
        Ok(self.queue(draft, room)?)
    }

    /// As [`send`](Self::send), but without waiting.
    ///
    /// # Errors
    ///
    /// As [`send`](Self::send); and [`ClientError::is_full`] where the outbox has no room.
    pub fn try_send(&self, command: Command) -> Result<Option<ClientId>, ClientError> {
        let draft = self.draft(command)?;
        let room = Arc::clone(&self.0.room).try_acquire_owned().map_err(|error| match error {
            TryAcquireError::NoPermits => ErrorKind::Full,
            TryAcquireError::Closed => ErrorKind::Gone,
        })?;
        Ok(self.queue(draft, room)?)
    }

    /// As [`send_text`](Self::send_text), but without waiting.
    ///
    /// # Errors
    ///
    /// As [`send_text`](Self::send_text); and [`ClientError::is_full`] where the outbox has no room.
    pub fn try_send_text(&self, text: &str) -> Result<ClientId, ClientError> {
        let client_id = self.0.marks.make();
        self.try_send(self.message(text, &client_id)?)?;
        Ok(client_id)
    }

    fn message(&self, text: &str, client_id: &ClientId) -> Result<Command, ErrorKind> {
        let text = self.0.voice.text(text)?;
        let client_id = Some(client_id.clone());
        Ok(Command::SendMessage(SendMessage { room: None, text, claimed_sender: None, client_id }))
    }

    fn draft(&self, mut command: Command) -> Result<Draft, ErrorKind> {
        let send = match &mut command {
            Command::SendMessage(send) => {
                if !self.0.voice.hears(send.room.as_ref()) {
                    return Err(ErrorKind::NotHeard(self.0.voice.dialect));
                }
                send.client_id.get_or_insert_with(|| self.0.marks.make());
                Some(send.clone())
            }
            _ => None,
        };
        let frame = self.0.voice.encode(command)?;
        if frame.len() > MAX_WRITE_BUFFER_BYTES / 2 {
            return Err(ErrorKind::TooLong);
        }
        Ok(Draft { frame, send })
    }

    fn queue(&self, draft: Draft, room: OwnedSemaphorePermit) -> Result<Option<ClientId>, ErrorKind> {
        let client_id = draft.send.as_ref().and_then(|send| send.client_id.clone());
        self.0.drafts.send((draft, room)).map_err(|_| ErrorKind::Gone)?;
        Ok(client_id)
    }
}
