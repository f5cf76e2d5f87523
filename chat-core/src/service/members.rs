//! Who becomes a member of a room and who ceases to be one, and what that does to open connections.

use std::collections::HashSet;
use std::sync::Arc;

use chat_protocol::{RoomId, RoomRef, UserId};
use tokio::time::{MissedTickBehavior, interval};

use super::presence::Occasion;
use super::task::Task;
use super::{ChatService, Inner};
use crate::hub::{Connection, Trust};
use crate::storage::{Joining, Leaving, NewRoom, Purpose, Room, User};
use crate::{CloseReason, Content, StorageError, Topic};

impl ChatService {
    /// Makes somebody a member of a room, whoever may enter it. Their connections that carry all their rooms carry it
    /// from now on.
    ///
    /// # Errors
    ///
    /// [`StorageError`] where storage fails.
    pub async fn add_member(&self, room: &Room, user: &User) -> Result<Joining, StorageError> {
        let joining = self.0.storage.join(room.id, user.id).await?;
        if joining == Joining::Joined {
            tracing::info!(target: "audit", action = "join", user = %user.name, room = %room.name);
            self.0.see_to(Occasion::Member { user: user.clone(), room: room.id });
            self.0.carry(room, user.id).await;
        }
        Ok(joining)
    }

    /// Makes a room. Its members' connections that carry all their rooms carry it from now on. `None` where there is one
    /// of this name.
    ///
    /// # Errors
    ///
    /// [`StorageError`] where storage fails.
    pub async fn create_room(&self, room: &NewRoom) -> Result<Option<Room>, StorageError> {
        let made = self.0.storage.create_room(room).await?;
        if let Some(made) = &made {
            self.0.carry_to_all(made, &room.members).await;
        }
        Ok(made)
    }

    /// The room for a purpose; made now, as given, where there is none. Its members' connections that carry all their
    /// rooms carry it from now on.
    ///
    /// # Errors
    ///
    /// [`StorageError`] where storage fails.
    pub async fn room_for(&self, purpose: Purpose, room: &NewRoom) -> Result<Room, StorageError> {
        let found = self.0.storage.room_for(purpose, room).await?;
        // Also for who asks second: the first may not have come so far. Who has left since does not come back by it.
        for member in &room.members {
            if self.0.storage.is_member(found.id, *member).await? {
                self.0.carry(&found, *member).await;
            }
        }
        Ok(found)
    }

    /// The room of a name, or, where that is numeric, of an id, where somebody who has proved who they are may enter it.
    ///
    /// # Errors
    ///
    /// [`StorageError`] where storage fails.
    pub async fn room_open_to(
        &self,
        reference: &RoomRef,
        user: Option<&User>,
    ) -> Result<Option<Room>, StorageError> {
        self.0.accessible_room(reference, Trust::Proven, user).await
    }

    /// Makes somebody a member of a room no longer. Their connections to it are closed at once, and those that carry all
    /// their rooms carry it no longer.
    ///
    /// # Errors
    ///
    /// [`StorageError`] where storage fails.
    pub async fn remove_member(&self, room: RoomId, user: UserId) -> Result<Leaving, StorageError> {
        let leaving = self.0.storage.leave(room, user).await?;
        if leaving == Leaving::Left {
            tracing::info!(target: "audit", action = "remove", user = %user, room = %room);
            self.0.evict(room, |member| member == user);
            self.0.hub.forget_presence(room, user);
            self.0.publish_with(Topic::Room(room), || Content::Removed(user));
        }
        Ok(leaving)
    }
}

impl Inner {
    async fn carry_to_all(&self, room: &Room, members: &[UserId]) {
        for member in members {
            self.carry(room, *member).await;
        }
    }

    /// Takes out of a room whom another node has removed, and who has not come back since.
    pub(super) async fn evict_removed(&self, room: RoomId, user: UserId) -> Result<(), StorageError> {
        if !self.storage.is_member(room, user).await? {
            self.evict(room, |member| member == user);
            self.hub.forget_presence(room, user);
        }
        Ok(())
    }

    /// Takes the connections of these users out of a room.
    fn evict(&self, room: RoomId, is_out: impl Fn(UserId) -> bool) {
        self.evict_of(self.hub.connections(Topic::Room(room)), room, is_out);
    }

    /// Takes those of these connections out of a room that are of these users.
    fn evict_of(&self, connections: Vec<Arc<Connection>>, room: RoomId, is_out: impl Fn(UserId) -> bool) {
        for connection in connections {
            if !connection.user.get().is_some_and(|user| is_out(user.id)) {
                continue;
            }
            if connection.home == Some(room) && !connection.carries_all_rooms() {
                // First, for then it has had what was said before.
                let unheard = self.hub.leave(&connection);
                connection.transport.close(CloseReason::Removed);
                for topic in unheard {
                    self.leave_to_driver(Task::Follow { topic, done: None });
                }
            } else {
                self.exit(room, &connection);
            }
        }
    }

    /// Takes those out of rooms for members only who are not members any more.
    async fn check_members(&self) -> Result<(), StorageError> {
        for room in self.hub.closed_rooms() {
            // Before the members are read: who becomes one meanwhile is not among them, and stays.
            let here = self.hub.connections(Topic::Room(room));
            let members: HashSet<UserId> =
                self.storage.members(room).await?.into_iter().map(|member| member.id).collect();
            self.evict_of(here, room, |user| !members.contains(&user));
        }
        Ok(())
    }
}

/// Looks now and then whether another process, such as the command line, has removed somebody from a room.
pub(super) async fn watch(inner: &Inner) {
    let mut ticks = interval(inner.config.members_checked_every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    // A change is told once: what could not be looked into then must be looked into later.
    let mut is_due = false;
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            () = inner.closing() => return,
        }
        let checked = async {
            is_due |= inner.storage.changed_elsewhere().await?;
            if is_due {
                inner.check_members().await?;
                is_due = false;
            }
            Ok::<(), StorageError>(())
        };
        if let Err(error) = checked.await {
            tracing::warn!(error = &error as &dyn std::error::Error, "members could not be checked");
        }
    }
}
