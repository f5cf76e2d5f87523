//! One connected client, and what it asks for.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use chat_protocol::{
    Command, Event, FetchHistory, MessageId, ReadMark, RoomRef, SendMessage, SendNotification, Seq, Username,
};
use parking_lot::Mutex;
use tokio::time::Instant;

use super::Inner;
use super::commit::{Origin, Submission};
use super::presence::Occasion;
use super::task::Task;
use super::unconfirmed::Unconfirmed;
use crate::hub::{Connection, Trust};
use crate::room::typing::Whence;
use crate::room::view;
use crate::storage::{NewMessage, Room, User};
use crate::{Audience, CommandError, StorageError, Topic};

/// A connected client. Dropped, it has left: it hears nothing more, types no more, and may be offline.
#[derive(Debug)]
pub struct Session {
    pub(super) inner: Arc<Inner>,
    pub(super) connection: Arc<Connection>,
    pub(super) place: Place,
    /// The last user that a frame of this guest claimed to be, so that not every frame asks the storage.
    pub(super) claimed: Mutex<Option<User>>,
    /// Whether storage has kept the connection from hearing what it is to hear.
    pub(super) is_unsettled: AtomicBool,
}

/// Where a client is.
#[derive(Debug)]
pub(super) enum Place {
    Room(Room),
    Listener,
}

impl Session {
    /// Does what the client asks; answers reach its transport as events.
    ///
    /// When this returns `Ok` for a message, the message is stored and has been delivered to everybody on this node.
    /// A client's commands are done in order if they are handled one after another.
    ///
    /// # Errors
    ///
    /// [`CommandError`] says why it was not done. The transport has not been told.
    pub async fn handle(&self, command: Command) -> Result<(), CommandError> {
        match command {
            Command::SendMessage(send) => self.hand_in(send).await?.await,
            Command::FetchHistory(fetch) => self.fetch_history(self.here().await?, fetch).await,
            Command::SetTyping { is_typing } => self.set_typing(self.here().await?, is_typing).await,
            Command::MarkRead => self.mark_read(self.here().await?).await,
            Command::SendNotification(send) => {
                self.here().await?;
                self.send_notification(send).await
            }
        }
    }

    /// Hands in a message; what this gives ends when the message is confirmed. A client that does not wait for that between
    /// two messages has many of them stored in one transaction.
    ///
    /// Messages that are handed in one after another are stored in that order. Wait for them in that order, too: whoever
    /// waits for one may be storing all of them.
    ///
    /// # Errors
    ///
    /// As [`handle`](Self::handle).
    pub async fn hand_in(&self, send: SendMessage) -> Result<Unconfirmed<'_>, CommandError> {
        let here = self.here().await?;
        let SendMessage { room: as_referred, text, claimed_sender, client_id } = send;
        let room = self.room_to_send_to(here, as_referred.as_ref()).await?;
        let sender = self.sender(&room, claimed_sender).await?;
        // Who gives no name shares it with all others who give none, and with them the marks that they make up.
        let mark = client_id.clone().filter(|_| !sender.name.is_anonymous());
        let message = NewMessage {
            room: room.id,
            sender,
            text: text.into(),
            sent_at: self.inner.clock.now(),
            client_id: mark,
        };
        let origin = Origin::Connection(Arc::clone(&self.connection));
        let (submission, answered) = Submission::new(message, room.clone(), origin, as_referred);
        let confirmation = self.inner.submit(submission, answered).await?;
        Ok(Unconfirmed::new(self, room, client_id, confirmation))
    }

    /// The room that the client is in, once the connection hears what it is to hear.
    async fn here(&self) -> Result<&Room, CommandError> {
        let Place::Room(room) = &self.place else { return Err(CommandError::ListenOnly) };
        if self.connection.has_left() {
            return Err(CommandError::NotAMember);
        }
        self.settle_rest().await?;
        Ok(room)
    }

    /// Tells the connections of this service apart.
    #[must_use]
    pub fn id(&self) -> u64 {
        self.connection.id.0
    }

    /// Who the client is; `None` for a guest who has not said.
    #[must_use]
    pub fn user(&self) -> Option<&User> {
        self.connection.user.get()
    }

    /// The room that the client is in; `None` at the listener socket.
    #[must_use]
    pub const fn room(&self) -> Option<&Room> {
        match &self.place {
            Place::Room(room) => Some(room),
            Place::Listener => None,
        }
    }

    async fn fetch_history(&self, here: &Room, fetch: FetchHistory) -> Result<(), CommandError> {
        let FetchHistory { room, before, limit } = fetch;
        let room = self.room_meant(here, room.as_ref()).await?;
        let Inner { storage, config, .. } = &*self.inner;
        let before = match before {
            Some(message) => Some(self.seq_of(&room, message).await?),
            None => None,
        };
        let limit = limit.unwrap_or(config.history_page).clamp(1, config.max_history_page.max(1));
        let (messages, readers) = storage.page_before(room.id, before, limit).await?;
        self.connection.deliver(&view::history(&messages, readers));
        Ok(())
    }

    async fn seq_of(&self, room: &Room, message: MessageId) -> Result<Seq, CommandError> {
        self.inner.storage.seq_of(room.id, message).await?.ok_or(CommandError::UnknownMessage)
    }

    async fn set_typing(&self, room: &Room, is_typing: bool) -> Result<(), CommandError> {
        let user = self.speaker().await?;
        let typist = (room.id, Whence::Here(self.connection.id));
        if is_typing {
            let lasting = self.inner.config.typing_lasts;
            self.inner.typing.lock().start(typist, user.clone(), Instant::now(), lasting);
            self.inner.typing_began.notify_one();
        } else {
            self.inner.typing.lock().stop(typist);
        }
        self.inner.tell_typing(room.id, self.connection.id, &user, is_typing);
        Ok(())
    }

    pub(super) fn stop_typing(&self, room: &Room) {
        let stopped = self.inner.typing.lock().stop((room.id, Whence::Here(self.connection.id)));
        if let Some(user) = stopped {
            self.inner.tell_typing(room.id, self.connection.id, &user, false);
        }
    }

    async fn mark_read(&self, room: &Room) -> Result<(), CommandError> {
        let up_to = match self.connection.user.get() {
            Some(user) => self.inner.read_all(room, user).await?,
            None => self.inner.storage.newest(room.id).await?.map(|newest| newest.id),
        };
        let reader = self.connection.user.get().map(view::person).unwrap_or_default();
        let event = Event::MessagesRead(ReadMark { room: Some(room.id), reader, up_to });
        let topic = Topic::Room(room.id);
        self.inner.hub.deliver(topic, &event, |_| true);
        self.inner.publish(topic, Audience::Everyone, &event);
        Ok(())
    }

    async fn send_notification(&self, send: SendNotification) -> Result<(), CommandError> {
        let SendNotification { recipient, text } = send;
        let storage = &self.inner.storage;
        let recipient = storage.user_named(&recipient).await?.ok_or(CommandError::UnknownUser)?;
        let sender = self.speaker().await?;
        let stored = storage.notify(&sender, recipient.id, text.into(), self.inner.clock.now()).await?;
        let event = view::notification(stored);
        let topic = Topic::User(recipient.id);
        self.inner.hub.deliver(topic, &event, |_| true);
        self.inner.publish(topic, Audience::Everyone, &event);
        Ok(())
    }

    /// Who the client is; the anonymous user for a guest who has not said.
    async fn speaker(&self) -> Result<User, StorageError> {
        match self.connection.user.get() {
            Some(user) => Ok(user.clone()),
            None => self.inner.anonymous().await.cloned(),
        }
    }

    /// Who sends a message: a guest is whom the frame says, anybody else is who they are.
    async fn sender(&self, room: &Room, claimed: Option<Username>) -> Result<User, CommandError> {
        let claimed = claimed.filter(|name| self.connection.trust == Trust::Guest && !name.is_anonymous());
        let Some(name) = claimed else { return Ok(self.speaker().await?) };
        if let Some(user) = self.connection.user.get().filter(|user| user.name == name) {
            return Ok(user.clone());
        }
        if let Some(user) = self.claimed.lock().as_ref().filter(|user| user.name == name) {
            return Ok(user.clone());
        }
        Box::pin(self.claim(room, &name)).await
    }

    /// Takes a guest for the user with this name from now on.
    async fn claim(&self, room: &Room, name: &Username) -> Result<User, CommandError> {
        name.check_new().map_err(CommandError::InvalidName)?;
        let user = self.inner.storage.ensure_user(name).await?;
        self.name(user.clone()).await?;
        self.join(room, &user).await?;
        *self.claimed.lock() = Some(user.clone());
        Ok(user)
    }

    /// The room to which a message goes. A connection that carries all rooms of its user sends to those only, and
    /// names them by id first: that is what its pages know.
    async fn room_to_send_to(&self, here: &Room, reference: Option<&RoomRef>) -> Result<Room, CommandError> {
        let Some(reference) = reference.filter(|_| self.connection.carries_all_rooms()) else {
            return self.room_meant(here, reference).await;
        };
        let by_id = reference.as_id().and_then(|id| self.connection.room_where(|room| room.id == id));
        let carried = by_id.or_else(|| match reference {
            RoomRef::Name(name) => self.connection.room_where(|room| room.name == *name),
            RoomRef::Id(_) => None,
        });
        carried.ok_or(CommandError::NotAMember)
    }

    /// The room that a frame means: nearly always the one that the client is in.
    async fn room_meant(&self, here: &Room, reference: Option<&RoomRef>) -> Result<Room, CommandError> {
        let Some(reference) = reference.filter(|reference| !is_name_of(reference, here)) else {
            return Ok(here.clone());
        };
        let user = self.connection.user.get();
        let room = Box::pin(self.inner.accessible_room(reference, self.connection.trust, user)).await?;
        room.ok_or(CommandError::UnknownRoom)
    }
}

/// Whether a reference is the name of a room; a number is, where the name is that number.
fn is_name_of(reference: &RoomRef, room: &Room) -> bool {
    match reference {
        RoomRef::Name(name) => *name == room.name,
        RoomRef::Id(id) => room.name.as_str().parse() == Ok(*id),
    }
}

impl Inner {
    /// Moves a user's read mark to the newest message of a room, and tells which that is.
    pub(super) async fn read_all(&self, room: &Room, user: &User) -> Result<Option<MessageId>, StorageError> {
        let Some(newest) = self.storage.newest(room.id).await? else { return Ok(None) };
        self.storage.mark_read(room.id, user.id, newest.seq).await?;
        Ok(Some(newest.id))
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        if let Place::Room(room) = &self.place {
            self.stop_typing(room);
        }
        self.connection.resumption.end();
        for topic in self.inner.hub.leave(&self.connection) {
            self.inner.leave_to_driver(Task::Follow { topic, done: None });
        }
        if let (Place::Room(_), Some(user)) = (&self.place, self.connection.user.get()) {
            let departs = Instant::now() + self.inner.config.presence_grace;
            self.inner.presence.lock().leave(user.id, departs);
            self.inner.see_to(Occasion::Connection { user: user.clone(), seen_to: None });
        }
    }
}
