//! What a client that comes back has missed.

use chat_protocol::RoomId;
use parking_lot::Mutex;
use tokio::sync::mpsc;

use crate::Since;
use crate::storage::Room;

/// A room of which a connection wants what it has missed.
#[derive(Debug)]
pub(crate) struct Missed {
    pub(crate) room: Room,
    pub(crate) since: Since,
}

/// What a connection wants of the rooms that it carries, and who reads that for it.
#[derive(Debug, Default)]
pub(crate) struct Resumption(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// Of rooms that it does not carry yet.
    wanted: Vec<Since>,
    /// Rooms of which something was wanted.
    resumed: Vec<RoomId>,
    /// To the [`CatchUp`](crate::CatchUp) of the connection, while there is one.
    to_reader: Option<mpsc::UnboundedSender<Missed>>,
}

impl Resumption {
    /// Of a client that comes back. The receiver is told of every room as the connection enters it.
    pub(crate) fn new(wanted: Vec<Since>) -> (Self, mpsc::UnboundedReceiver<Missed>) {
        let (to_reader, missed) = mpsc::unbounded_channel();
        (Self(Mutex::new(State { wanted, resumed: Vec::new(), to_reader: Some(to_reader) })), missed)
    }

    /// What is wanted of a room. It is wanted once.
    pub(super) fn take(&self, room: &Room, is_home: bool) -> Option<Missed> {
        let mut state = self.0.lock();
        let place = state.wanted.iter().position(|since| since.is_about(room, is_home))?;
        let since = state.wanted.swap_remove(place);
        state.resumed.push(room.id);
        Some(Missed { room: room.clone(), since })
    }

    /// Has what was missed read.
    pub(super) fn begin(&self, missed: Missed) {
        let state = self.0.lock();
        let gone = state.to_reader.as_ref().and_then(|reader| reader.send(missed).err());
        if gone.is_some() {
            tracing::warn!("nobody reads what a connection has missed");
        }
    }

    /// What is wanted of rooms that the connection does not carry. It is asked for once.
    pub(crate) fn take_rest(&self) -> Vec<Since> {
        std::mem::take(&mut self.0.lock().wanted)
    }

    /// Whether the connection reads, or has read, what it had missed of a room: it has had every message of it since.
    pub(crate) fn is_of(&self, room: RoomId) -> bool {
        self.0.lock().resumed.contains(&room)
    }

    /// Lets the reader end.
    pub(crate) fn end(&self) {
        self.0.lock().to_reader = None;
    }
}
