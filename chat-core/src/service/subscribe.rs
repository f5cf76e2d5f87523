//! What connections hear: rooms, and topics of other kinds; and that this node receives it from others.

use std::collections::HashSet;
use std::sync::Arc;

use chat_protocol::{RoomId, UserId};
use tokio::sync::oneshot;

use super::Inner;
use super::task::{self, Task};
use crate::hub::{Connection, Edge};
use crate::storage::Room;
use crate::{Content, StorageError, Topic};

/// Who follows a topic that comes to be heard here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Follower {
    /// The driver, after its other tasks. It is waited for.
    Driver,
    /// Whoever asks is at one of these tasks: it would wait for itself.
    ThisTask,
}

impl Inner {
    /// Lets the connections of a user that carry all their rooms carry this one, too, on whichever node they are.
    pub(super) async fn carry(&self, room: &Room, user: UserId) {
        self.publish_with(Topic::User(user), || Content::Joined(room.id));
        self.carry_here(room, user, Follower::Driver).await;
    }

    /// Lets connections here carry a room of which another node has made their user a member. This is a task of
    /// the driver's.
    pub(super) async fn carry_joined(&self, room: RoomId, user: UserId) -> Result<(), StorageError> {
        if let Some(room) = self.storage.room(room).await? {
            self.carry_here(&room, user, Follower::ThisTask).await;
        }
        Ok(())
    }

    async fn carry_here(&self, room: &Room, user: UserId, follower: Follower) {
        for connection in self.hub.connections(Topic::User(user)) {
            if !connection.carries_all_rooms() || !connection.may_know(room.access) {
                continue;
            }
            let entered = async {
                self.enter_by(follower, room, &connection).await?;
                if !self.storage.is_member(room.id, user).await? {
                    self.exit(room.id, &connection);
                }
                Ok::<(), StorageError>(())
            };
            if let Err(error) = entered.await {
                // They are a member all the same, and hear it when they connect again.
                let error = &error as &dyn std::error::Error;
                tracing::warn!(error, "a connection does not carry a room of its user");
            }
        }
    }

    /// Lets a connection hear all rooms of its user.
    pub(super) async fn enter_all(
        &self,
        connection: &Arc<Connection>,
        user: UserId,
    ) -> Result<(), StorageError> {
        let rooms = self.storage.rooms_of(user, None).await?;
        for room in rooms.iter().filter(|room| connection.may_know(room.access)) {
            self.enter(room, connection).await?;
        }
        // Whoever was removed from one of them meanwhile was not there yet to be put out.
        let still: HashSet<RoomId> =
            self.storage.rooms_of(user, None).await?.into_iter().map(|room| room.id).collect();
        for room in rooms.iter().filter(|room| !still.contains(&room.id)) {
            self.exit(room.id, connection);
        }
        Ok(())
    }

    pub(super) async fn enter(&self, room: &Room, connection: &Arc<Connection>) -> Result<(), StorageError> {
        self.enter_by(Follower::Driver, room, connection).await
    }

    async fn enter_by(
        &self,
        follower: Follower,
        room: &Room,
        connection: &Arc<Connection>,
    ) -> Result<(), StorageError> {
        let topic = Topic::Room(room.id);
        let edge = if let Some(edge) = self.hub.enter(room, connection, None) {
            edge
        } else {
            // Before anybody hears it, so that nothing that is stored later is taken for delivered.
            let newest = self.storage.newest(room.id).await?.map(|newest| newest.seq);
            self.hub.enter(room, connection, Some(newest)).unwrap_or(Edge::Unchanged)
        };
        self.follow(topic, follower).await;
        if edge == Edge::Crossed {
            self.relays.room_in_use(room);
        }
        if edge == Edge::Crossed && self.layer.has_subscribers(topic) {
            // What other nodes have posted before they were heard here.
            self.late_rooms.find(room.id);
        }
        Ok(())
    }

    /// Lets a connection hear a room no longer.
    pub(super) fn exit(&self, room: RoomId, connection: &Connection) {
        if self.hub.exit(room, connection) == Edge::Crossed {
            self.leave_to_driver(Task::Follow { topic: Topic::Room(room), done: None });
        }
    }

    pub(super) async fn subscribe(&self, topic: Topic, connection: &Arc<Connection>) {
        self.hub.subscribe(topic, connection);
        self.follow(topic, Follower::Driver).await;
    }

    pub(super) fn unsubscribe(&self, topic: Topic, connection: &Connection) {
        if self.hub.unsubscribe(topic, connection) == Edge::Crossed {
            self.leave_to_driver(Task::Follow { topic, done: None });
        }
    }

    /// Waits until a topic is received from other nodes, too; also who is not the first to hear it here.
    async fn follow(&self, topic: Topic, follower: Follower) {
        if self.followed.lock().contains(&topic) {
            return;
        }
        match follower {
            Follower::Driver => {
                let (done, is_done) = oneshot::channel();
                self.leave_to_driver(Task::Follow { topic, done: Some(done) });
                // Ends when the driver drops its half: it has no more to say than that.
                drop(is_done.await);
            }
            Follower::ThisTask => task::follow(self, topic).await,
        }
    }
}
