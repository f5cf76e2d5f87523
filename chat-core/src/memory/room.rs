//! What is kept of one room.

use std::collections::{HashMap, VecDeque};

use chat_protocol::{ClientId, MessageId, Seq, UserId};

use super::storage::count;
use crate::storage::{Keep, Room, StoredMessage};

#[derive(Debug)]
pub(super) struct RoomRecord {
    pub(super) room: Room,
    pub(super) members: Vec<UserId>,
    pub(super) messages: VecDeque<StoredMessage>,
    pub(super) marks: HashMap<(UserId, ClientId), Seq>,
    pub(super) read_marks: HashMap<UserId, Seq>,
    /// The newest message that was removed.
    pub(super) last_pruned: Option<(MessageId, Seq)>,
}

impl RoomRecord {
    pub(super) fn last_seq(&self) -> Option<Seq> {
        self.messages.back().map(|newest| newest.seq).or(self.last_pruned.map(|(_, seq)| seq))
    }

    pub(super) fn message(&self, seq: Seq) -> Option<&StoredMessage> {
        let place = self.messages.partition_point(|stored| stored.seq < seq);
        self.messages.get(place).filter(|stored| stored.seq == seq)
    }

    pub(super) fn seq_of(&self, message: MessageId) -> Option<Seq> {
        let place = self.messages.partition_point(|stored| stored.id < message);
        let kept = self.messages.get(place).map(|stored| (stored.id, stored.seq));
        [kept, self.last_pruned].into_iter().flatten().find(|(id, _)| *id == message).map(|(_, seq)| seq)
    }

    /// How many of the oldest messages are not to be kept.
    pub(super) fn surplus(&self, keep: &Keep) -> usize {
        let too_many = keep.newest.map_or(0, |newest| self.messages.len().saturating_sub(count(newest)));
        let too_old = keep.since.map_or(0, |since| {
            self.messages.iter().position(|stored| stored.sent_at >= since).unwrap_or(self.messages.len())
        });
        too_many.max(too_old)
    }

    pub(super) fn forget_oldest(&mut self) {
        let Some(oldest) = self.messages.pop_front() else { return };
        self.last_pruned = Some((oldest.id, oldest.seq));
        if let Some(client_id) = oldest.client_id {
            self.marks.remove(&(oldest.sender.id, client_id));
        }
    }
}
