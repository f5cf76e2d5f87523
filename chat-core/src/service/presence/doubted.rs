//! Looks into rooms that may have missed who comes and goes: something between the nodes was lost, or the roster was away.

use std::collections::HashSet;

use chat_protocol::RoomId;
use futures::future::join_all;
use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio::time::Instant;

use super::{Keeper, TRY_AGAIN_AFTER, USERS_AT_ONCE};
use crate::{RosterAway, StorageError};

/// Rooms that are looked into together: others wait meanwhile.
const ROOMS_AT_ONCE: usize = 32;

/// Rooms of which it is not certain that they were told who is online.
#[derive(Debug, Default)]
pub(in crate::service) struct DoubtedRooms {
    rooms: Mutex<HashSet<RoomId>>,
    pub(super) found: Notify,
}

impl DoubtedRooms {
    pub(in crate::service) fn add(&self, rooms: impl IntoIterator<Item = RoomId>) {
        self.rooms.lock().extend(rooms);
        self.found.notify_one();
    }

    fn take(&self) -> HashSet<RoomId> {
        std::mem::take(&mut *self.rooms.lock())
    }
}

impl Keeper<'_> {
    /// Notes which rooms on this node may have missed something.
    pub(super) async fn begin_to_look(&mut self) {
        // The roster may have lost everything: then all nodes tell it again first.
        self.beat().await;
        self.doubted.extend(self.inner.doubted_rooms.take());
    }

    /// Tells some rooms what they may have missed. They may be many, and others have their turn in between.
    pub(super) async fn look_into_rooms(&mut self) {
        let some: Vec<_> = self.doubted.drain(..self.doubted.len().min(ROOMS_AT_ONCE)).collect();
        let looked = join_all(some.iter().map(|room| self.look_into(*room))).await;
        let is_unsteady = self.unsteady_until.is_some();
        let again = some.into_iter().zip(looked).filter(|(_, looked)| is_unsteady || looked.is_err());
        let again: Vec<_> = again.map(|(room, _)| room).collect();
        if !again.is_empty() {
            self.inner.doubted_rooms.rooms.lock().extend(again);
            self.unsteady_until.get_or_insert_with(|| Instant::now() + TRY_AGAIN_AFTER);
        }
    }

    async fn look_into(&self, room: RoomId) -> Result<(), Unsettled> {
        let members = self.inner.storage.members(room).await?;
        for members in members.chunks(USERS_AT_ONCE) {
            let ids: Vec<_> = members.iter().map(|member| member.id).collect();
            let standings = self.inner.layer.standings(&ids).await?;
            for (member, standing) in members.iter().zip(standings) {
                let may_be_missing = self.unsteady_until.is_some();
                if standing.is_online || (!may_be_missing && self.inner.hub.was_told_online(room, member.id))
                {
                    self.inner.hub.tell_presence(room, member, standing);
                }
            }
        }
        Ok(())
    }
}

/// Why a room could not be looked into.
#[derive(Debug, thiserror::Error)]
enum Unsettled {
    #[error(transparent)]
    Storage(#[from] StorageError),
    #[error(transparent)]
    Roster(#[from] RosterAway),
}
