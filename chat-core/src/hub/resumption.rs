//! What a client that comes back has missed.

use std::convert::Infallible;

use chat_protocol::{RoomId, RoomRef, Since};
use parking_lot::Mutex;
use tokio::sync::{mpsc, oneshot};

use super::subscribers::EntryId;
use crate::storage::Room;

/// A room of which a connection wants what it has missed.
#[derive(Debug)]
pub(crate) struct Missed {
    pub(crate) room: Room,
    pub(crate) entry: EntryId,
    pub(crate) since: Since,
}

/// What a connection wants of the rooms that it carries, and who reads that for it; most want nothing.
#[derive(Debug, Default)]
pub(crate) struct Resumption(Option<Box<Mutex<State>>>);

#[derive(Debug)]
struct State {
    /// Of rooms that it does not carry yet.
    wanted: Vec<Since>,
    /// Rooms of which something was wanted.
    resumed: Vec<RoomId>,
    /// To the [`CatchUp`](crate::CatchUp) of the connection, while there is one.
    to_reader: Option<mpsc::UnboundedSender<Missed>>,
    /// Dropped when the connection ends.
    is_connected: Option<oneshot::Sender<Infallible>>,
}

/// What the reader of a connection hears.
#[derive(Debug)]
pub(crate) struct ToRead {
    /// Every room of which something is wanted, as the connection enters it.
    pub(crate) missed: mpsc::UnboundedReceiver<Missed>,
    /// Comes to an end with the connection.
    pub(crate) connected: oneshot::Receiver<Infallible>,
}

impl Resumption {
    /// Of a client that comes back.
    pub(crate) fn new(wanted: Vec<Since>) -> (Self, ToRead) {
        let (to_reader, missed) = mpsc::unbounded_channel();
        let (is_connected, connected) = oneshot::channel();
        let resumed = Vec::new();
        let state = State { wanted, resumed, to_reader: Some(to_reader), is_connected: Some(is_connected) };
        (Self(Some(Box::new(Mutex::new(state)))), ToRead { missed, connected })
    }

    /// What is wanted of a room. It is wanted once.
    pub(super) fn take(&self, room: &Room, is_home: bool) -> Option<Since> {
        let mut state = self.0.as_ref()?.lock();
        let place = state.wanted.iter().position(|since| is_about(since, room, is_home))?;
        let since = state.wanted.swap_remove(place);
        state.resumed.push(room.id);
        Some(since)
    }

    /// Has what was missed read.
    pub(super) fn begin(&self, missed: Missed) {
        let state = self.0.as_ref().map(|state| state.lock());
        let reader = state.as_ref().and_then(|state| state.to_reader.as_ref());
        if reader.is_some_and(|reader| reader.send(missed).is_err()) {
            tracing::warn!("nobody reads what a connection has missed");
        }
    }

    /// What is wanted of rooms that the connection does not carry. It is asked for once.
    pub(crate) fn take_rest(&self) -> Vec<Since> {
        self.0.as_ref().map(|state| std::mem::take(&mut state.lock().wanted)).unwrap_or_default()
    }

    /// Whether the connection reads, or has read, what it had missed of a room: it has had every message of it since.
    pub(crate) fn is_of(&self, room: RoomId) -> bool {
        self.0.as_ref().is_some_and(|state| state.lock().resumed.contains(&room))
    }

    /// Lets the reader end.
    pub(crate) fn end(&self) {
        if let Some(state) = &self.0 {
            let mut state = state.lock();
            state.to_reader = None;
            state.is_connected = None;
        }
    }
}

/// Whether it is about this room, which the client goes to (`is_home`) or carries besides.
fn is_about(since: &Since, room: &Room, is_home: bool) -> bool {
    match &since.room {
        None => is_home,
        Some(reference) if reference.as_id() == Some(room.id) => true,
        Some(RoomRef::Name(name)) => *name == room.name,
        Some(RoomRef::Id(_)) => false,
    }
}
