//! A way in and out for another chat system that shares rooms with this one.

use std::fmt;
use std::sync::Arc;

use chat_protocol::{ClientId, MessageText};
use parking_lot::RwLock;
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;

use super::commit::{Origin, Submission};
use super::{ChatService, Inner};
use crate::CommandError;
use crate::storage::{NewMessage, Room, StoredMessage, User};

/// One thing that a relay hears.
#[derive(Debug, Clone)]
pub enum Relayed {
    /// Somebody on this node has come to hear a room that nobody here heard before.
    RoomInUse(Room),
    /// This node has stored a message, which did not come by this relay.
    MessagePosted {
        /// The room.
        room: Room,
        /// The message.
        message: StoredMessage,
    },
    /// So many of the oldest things were dropped, because they were not taken in time.
    Missed(u64),
}

/// A message from another system.
#[derive(Debug, Clone)]
pub struct ForeignMessage {
    /// The room that it goes to.
    pub room: Room,
    /// Who wrote it.
    pub sender: User,
    /// What it says.
    pub text: MessageText,
    /// Handed in again with the same mark, it is stored once.
    pub mark: Option<ClientId>,
}

/// Posts what another system says. Clones post by the same relay.
#[derive(Debug, Clone)]
pub struct RelayInlet {
    inner: Arc<Inner>,
    relay: RelayId,
}

/// Hears what is posted on this node, the messages of a room in the order in which they are stored.
#[derive(Debug)]
pub struct RelayOutlet {
    heard: broadcast::Receiver<Relayed>,
}

/// Tells the relays of a service apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct RelayId(u64);

impl ChatService {
    /// A way in and out for another system. What is posted by the inlet does not come out of the outlet.
    ///
    /// `queued` is the most that waits to be taken out; past it the oldest is dropped. Nobody waits for a relay.
    #[must_use]
    pub fn relay(&self, queued: usize) -> (RelayInlet, RelayOutlet) {
        let relay = RelayId(self.0.next_connection_id().0);
        let (tell, heard) = broadcast::channel(queued.max(1));
        self.0.relays.add(relay, tell);
        (RelayInlet { inner: Arc::clone(&self.0), relay }, RelayOutlet { heard })
    }
}

impl RelayInlet {
    /// Posts a message to a room. When this returns, it is stored, and everybody in the room on this node has it.
    ///
    /// Messages that are handed in one after the other are stored in that order, also where nobody waits in between.
    /// Whoever hands one in is trusted: it is not asked whether the sender may enter the room.
    ///
    /// # Errors
    ///
    /// [`CommandError::Storage`] where it could not be stored; [`CommandError::Closed`] where the service is closed.
    pub async fn post(&self, message: ForeignMessage) -> Result<StoredMessage, CommandError> {
        let ForeignMessage { room, sender, text, mark } = message;
        let message = NewMessage {
            room: room.id,
            sender,
            text: text.into(),
            sent_at: self.inner.clock.now(),
            client_id: mark,
        };
        let (submission, answered) = Submission::new(message, room, Origin::Relay(self.relay), None);
        self.inner.submit(submission, answered).await?.await
    }
}

impl RelayOutlet {
    /// The next thing; waits for it. `None` once the service is closed and everything has been told.
    ///
    /// Given up while it waits, it has taken nothing.
    pub async fn next(&mut self) -> Option<Relayed> {
        match self.heard.recv().await {
            Ok(relayed) => Some(relayed),
            Err(RecvError::Lagged(missed)) => Some(Relayed::Missed(missed)),
            Err(RecvError::Closed) => None,
        }
    }
}

/// The relays of a service.
pub(super) struct Relays {
    /// `None` once nothing more will happen.
    list: RwLock<Option<Vec<Told>>>,
}

struct Told {
    relay: RelayId,
    tell: broadcast::Sender<Relayed>,
}

impl Default for Relays {
    fn default() -> Self {
        Self { list: RwLock::new(Some(Vec::new())) }
    }
}

impl Relays {
    fn add(&self, relay: RelayId, tell: broadcast::Sender<Relayed>) {
        if let Some(list) = &mut *self.list.write() {
            list.retain(|told| told.tell.receiver_count() > 0);
            list.push(Told { relay, tell });
        }
    }

    /// Lets every outlet end, after what it has been told.
    pub(super) fn end(&self) {
        self.list.write().take();
    }

    pub(super) fn room_in_use(&self, room: &Room) {
        self.tell(|_| true, || Relayed::RoomInUse(room.clone()));
    }

    pub(super) fn posted(&self, room: &Room, message: &StoredMessage, origin: &Origin) {
        let is_new_to = |relay| !matches!(origin, Origin::Relay(by) if *by == relay);
        self.tell(is_new_to, || Relayed::MessagePosted { room: room.clone(), message: message.clone() });
    }

    fn tell(&self, is_for: impl Fn(RelayId) -> bool, relayed: impl Fn() -> Relayed) {
        for told in self.list.read().iter().flatten().filter(|told| is_for(told.relay)) {
            // An outlet that was dropped wants nothing more.
            drop(told.tell.send(relayed()));
        }
    }
}

impl fmt::Debug for Relays {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.list.read().iter().flatten().map(|told| told.relay)).finish()
    }
}
