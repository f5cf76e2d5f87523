//! Delivers what was stored and could not be delivered as it was: in a loop of its own, so that nobody who sends waits for it.
//!
//! Messages come late in two ways. Something else has written to the room (another node, a command), and a message comes
//! too early, because those before it have not been delivered here: then they are read from storage. Or nobody knows what
//! became of a transaction: a connection that breaks during a commit, or a database that does not answer in time, may
//! store the messages all the same. Their senders were told that they are not confirmed; if they are stored, they must be
//! heard. So those rooms are looked into, at longer and longer intervals, until the transaction cannot be under way any
//! more.

use std::collections::HashMap;
use std::time::Duration;

use chat_protocol::RoomId;
use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio::time::Instant;

use super::listeners::{self, Posted};
use super::{Inner, reached};
use crate::StorageError;
use crate::hub::{Posting, Posts};
use crate::room::view;

/// Messages that are read at once.
const PAGE: u32 = 100;

/// How long to wait before a room is looked into again: after a failure, or, for the first time, in doubt.
const LOOK_AGAIN_AFTER: Duration = Duration::from_millis(500);

/// Past this pause between two looks there is no doubt any more. They come after 0.5, 1, 2 … 64 seconds.
const LONGEST_PAUSE: Duration = Duration::from_secs(64);

/// The rooms that are to be looked into.
#[derive(Debug, Default)]
pub(super) struct LateRooms {
    looks: Mutex<HashMap<RoomId, Look>>,
    /// Wakes the loop when there is something new.
    found: Notify,
}

#[derive(Debug, Clone, Copy)]
struct Look {
    due: Instant,
    /// The pause before the next look, where it is not known whether there will be anything to see.
    doubt: Option<Duration>,
}

impl LateRooms {
    /// A message of a room came too early.
    pub(super) fn find(&self, room: RoomId) {
        self.add(room, Look { due: Instant::now(), doubt: None });
    }

    /// Nobody knows what became of a message to a room.
    pub(super) fn doubt(&self, room: RoomId) {
        self.add(room, Look { due: Instant::now(), doubt: Some(LOOK_AGAIN_AFTER) });
    }

    /// Of two reasons to look, the earlier time counts, and the longer doubt.
    fn add(&self, room: RoomId, look: Look) {
        let mut looks = self.looks.lock();
        let known = looks.entry(room).or_insert(look);
        known.due = known.due.min(look.due);
        known.doubt = match (known.doubt, look.doubt) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        };
        drop(looks);
        self.found.notify_one();
    }

    /// Takes what is due; tells when something else will be.
    fn take_due(&self, now: Instant) -> (Vec<(RoomId, Look)>, Option<Instant>) {
        let mut looks = self.looks.lock();
        let due = looks.extract_if(|_, look| look.due <= now).collect();
        (due, looks.values().map(|look| look.due).min())
    }
}

/// Looks into rooms until the service is closed.
pub(super) async fn run(inner: &Inner) {
    loop {
        let (due, next) = inner.late_rooms.take_due(Instant::now());
        if due.is_empty() {
            tokio::select! {
                () = inner.late_rooms.found.notified() => {}
                () = reached(next) => {}
                () = inner.closing() => return,
            }
        }
        for (room, look) in due {
            let looked = tokio::select! {
                looked = deliver_late(inner, room, look) => looked,
                () = inner.closing() => return,
            };
            let pause = match (looked, look.doubt) {
                (Ok(()), None) => continue,
                (Ok(()), Some(pause)) if pause > LONGEST_PAUSE => continue,
                (Ok(()), Some(pause)) => pause,
                (Err(error), _) => {
                    tracing::warn!(error = &error as &dyn std::error::Error, %room, "messages come late");
                    LOOK_AGAIN_AFTER
                }
            };
            let doubt = look.doubt.map(|_| pause * 2);
            inner.late_rooms.add(room, Look { due: Instant::now() + pause, doubt });
        }
    }
}

/// Delivers what is stored of a room and has not been delivered, a page at a time.
async fn deliver_late(inner: &Inner, room: RoomId, look: Look) -> Result<(), StorageError> {
    // What was stored here goes first, as it is: it knows who does not hear it.
    inner.commits.pass(room).await;
    // Nobody who hears a room, nobody who misses anything.
    while let (Some(known), Some(delivered)) = (inner.hub.room(room), inner.hub.delivered(room)) {
        let page = inner.storage.messages_after(room, delivered, PAGE).await?;
        if page.is_empty() {
            break;
        }
        let mut told = Vec::new();
        for run in page.chunk_by(|one, next| one.seq.next() == next.seq) {
            // What is missing before it is not stored any more.
            run.iter().take(1).for_each(|first| inner.hub.skip_to(room, first.seq));
            let mut posts = Posts::default();
            for message in run {
                posts.push(message.seq, None, view::message_posted(&known, None, message));
            }
            let Posting { posted, .. } = inner.hub.post(room, posts);
            for message in run.get(posted).unwrap_or_default() {
                // In doubt, it is a message of this node, of which no other has heard.
                if look.doubt.is_some() {
                    let event = || view::message_posted(&known, None, message);
                    inner.publish_posted(room, message.seq, event);
                }
                if listeners::may_be_there(inner) {
                    told.push(Posted { room: known.clone(), message: message.clone() });
                }
            }
        }
        listeners::tell(inner, told).await;
    }
    Ok(())
}
