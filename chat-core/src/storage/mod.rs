//! What a database must do for the service.
//!
//! One trait for each kind of thing that is stored, and [`Storage`] for all of them together. All calls may come at
//! once from many tasks. A call that returns has taken effect for every call that begins afterwards; a call that is
//! given up (its future dropped) has taken effect or not, as a whole. What a call returns `Ok` for survives a crash
//! of the process and of the machine, save in storages that say that they forget.
//!
//! Every call returns within a bounded time, whatever has become of the database: one that does not answer is an error.
//! Once it answers again, calls succeed again, without anybody doing anything about it.

mod error;
#[cfg(test)]
pub(crate) mod examples;
mod record;

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use chat_protocol::{MessageId, NotificationId, RoomId, RoomName, Seq, Timestamp, UserId, Username};

pub use error::StorageError;
pub use record::{
    Access, Appended, FurthestReaders, Joining, Keep, Leaving, NewMessage, NewRoom, Profile, Purpose, Room,
    StoredMessage, StoredNotification, User,
};

/// People.
#[async_trait]
pub trait UserStorage {
    /// The user of this name; made now where there is none. Asked twice at once, it makes one.
    ///
    /// # Errors
    ///
    /// [`StorageError`] where the database fails.
    async fn ensure_user(&self, name: &Username) -> Result<User, StorageError>;

    /// The user with this id, which another system gives out; made now where there is none, renamed where the name has
    /// changed. Whoever had the name before under another id is renamed to their
    /// [`displaced_name`](User::displaced_name).
    ///
    /// # Errors
    ///
    /// [`StorageError`] where the database fails.
    async fn adopt_user(&self, id: UserId, name: &Username) -> Result<User, StorageError>;

    /// Leaves the ids up to this one to another system. Whoever is made here from now on gets a greater one, so that
    /// nobody who is [adopted](Self::adopt_user) under one of them takes over the row of somebody else. The storage
    /// remembers it; where it has left more before, this changes nothing.
    ///
    /// # Errors
    ///
    /// [`StorageError`] where the database fails.
    async fn reserve_user_ids(&self, up_to: UserId) -> Result<(), StorageError>;

    /// The user of this name.
    ///
    /// # Errors
    ///
    /// [`StorageError`] where the database fails.
    async fn user_named(&self, name: &Username) -> Result<Option<User>, StorageError>;

    /// The user with this id.
    ///
    /// # Errors
    ///
    /// [`StorageError`] where the database fails.
    async fn user(&self, id: UserId) -> Result<Option<User>, StorageError>;

    /// Up to `limit` users, by id.
    ///
    /// # Errors
    ///
    /// [`StorageError`] where the database fails.
    async fn users(&self, limit: u32) -> Result<Vec<User>, StorageError>;

    /// Remembers when a user was last connected. An earlier time than the one stored changes nothing.
    ///
    /// # Errors
    ///
    /// [`StorageError`] where the database fails.
    async fn record_last_seen(&self, user: UserId, at: Timestamp) -> Result<(), StorageError>;

    /// When a user was last connected; `None` for one who never went offline.
    ///
    /// # Errors
    ///
    /// [`StorageError`] where the database fails.
    async fn last_seen(&self, user: UserId) -> Result<Option<Timestamp>, StorageError>;
}

/// Rooms and their members.
#[async_trait]
pub trait RoomStorage {
    /// The room of this name; an open one is made now where there is none. Asked twice at once, it makes one.
    ///
    /// # Errors
    ///
    /// [`StorageError`] where the database fails.
    async fn ensure_room(&self, name: &RoomName) -> Result<Room, StorageError>;

    /// The room of this name.
    ///
    /// # Errors
    ///
    /// [`StorageError`] where the database fails.
    async fn room_named(&self, name: &RoomName) -> Result<Option<Room>, StorageError>;

    /// The room with this id.
    ///
    /// # Errors
    ///
    /// [`StorageError`] where the database fails.
    async fn room(&self, id: RoomId) -> Result<Option<Room>, StorageError>;

    /// Makes a room with its first members, all at once. `None` where there is one of this name.
    ///
    /// # Errors
    ///
    /// [`StorageError`] where the database fails.
    async fn create_room(&self, room: &NewRoom) -> Result<Option<Room>, StorageError>;

    /// The room for a purpose; made now, as given, where there is none. Asked twice at once, it makes one.
    ///
    /// # Errors
    ///
    /// [`StorageError::Taken`] where the name of the room to be made is; [`StorageError`] where the database fails.
    async fn room_for(&self, purpose: Purpose, room: &NewRoom) -> Result<Room, StorageError>;

    /// All rooms, by id.
    ///
    /// # Errors
    ///
    /// [`StorageError`] where the database fails.
    async fn rooms(&self) -> Result<Vec<Room>, StorageError>;

    /// Makes a user a member of a room no longer.
    ///
    /// # Errors
    ///
    /// [`StorageError`] where the database fails.
    async fn leave(&self, room: RoomId, user: UserId) -> Result<Leaving, StorageError>;

    /// Makes a user a member of a room.
    ///
    /// # Errors
    ///
    /// [`StorageError::Missing`] where one of them does not exist; [`StorageError`] where the database fails.
    async fn join(&self, room: RoomId, user: UserId) -> Result<Joining, StorageError>;

    /// Whether another process may have changed who is a member of what since this was last asked.
    ///
    /// # Errors
    ///
    /// [`StorageError`] where the database fails.
    async fn changed_elsewhere(&self) -> Result<bool, StorageError>;

    /// Whether a user is a member of a room.
    ///
    /// # Errors
    ///
    /// [`StorageError`] where the database fails.
    async fn is_member(&self, room: RoomId, user: UserId) -> Result<bool, StorageError>;

    /// The members of a room, in the order in which they joined.
    ///
    /// # Errors
    ///
    /// [`StorageError`] where the database fails.
    async fn members(&self, room: RoomId) -> Result<Vec<User>, StorageError>;

    /// Up to `limit` of the rooms (`None`: all) that a user is a member of, by id.
    ///
    /// # Errors
    ///
    /// [`StorageError`] where the database fails.
    async fn rooms_of(&self, user: UserId, limit: Option<u32>) -> Result<Vec<Room>, StorageError>;
}

/// Messages and read marks.
#[async_trait]
pub trait MessageStorage {
    /// Stores messages in this order, all in one transaction, and gives each its id and its place in its room.
    ///
    /// The answer has one entry for each message, in the same order. When this returns, they are durable.
    ///
    /// # Errors
    ///
    /// [`StorageError::Missing`] where the room or the sender of one of them does not exist: none of them is stored.
    /// [`StorageError`] where the database fails; then none of them is stored, or (where the connection broke at the
    /// worst moment) all of them are.
    async fn append(&self, messages: &[NewMessage]) -> Result<Vec<Appended>, StorageError>;

    /// The place of a message in a room; also of the newest of those that were [removed](UpkeepStorage::prune), after
    /// which nothing is missing. `None` where the room has no such message.
    ///
    /// # Errors
    ///
    /// [`StorageError`] where the database fails.
    async fn seq_of(&self, room: RoomId, message: MessageId) -> Result<Option<Seq>, StorageError>;

    /// The newest message of a room.
    ///
    /// # Errors
    ///
    /// [`StorageError`] where the database fails.
    async fn newest(&self, room: RoomId) -> Result<Option<StoredMessage>, StorageError>;

    /// The place of the newest message of each of these rooms, in any order. Rooms that have none are left out.
    ///
    /// # Errors
    ///
    /// [`StorageError`] where the database fails.
    async fn newest_places(&self, rooms: &[RoomId]) -> Result<Vec<(RoomId, Seq)>, StorageError>;

    /// Up to `limit` messages of a room before a place (`None`: up to the newest), newest first.
    ///
    /// # Errors
    ///
    /// [`StorageError`] where the database fails.
    async fn messages_before(
        &self,
        room: RoomId,
        before: Option<Seq>,
        limit: u32,
    ) -> Result<Vec<StoredMessage>, StorageError>;

    /// Up to `limit` messages of a room after a place (`None`: from the oldest on), oldest first.
    ///
    /// # Errors
    ///
    /// [`StorageError`] where the database fails.
    async fn messages_after(
        &self,
        room: RoomId,
        after: Option<Seq>,
        limit: u32,
    ) -> Result<Vec<StoredMessage>, StorageError>;

    /// Moves a user's read mark in a room forward to a place. Marks never go back.
    ///
    /// # Errors
    ///
    /// [`StorageError`] where the database fails.
    async fn mark_read(&self, room: RoomId, user: UserId, up_to: Seq) -> Result<(), StorageError>;

    /// The read marks of a room that are furthest on.
    ///
    /// # Errors
    ///
    /// [`StorageError`] where the database fails.
    async fn furthest_readers(&self, room: RoomId) -> Result<FurthestReaders, StorageError>;

    /// [`messages_before`](Self::messages_before) and [`furthest_readers`](Self::furthest_readers): what a page of history
    /// shows. To be implemented where it costs less to ask for both at once.
    ///
    /// # Errors
    ///
    /// [`StorageError`] where the database fails.
    async fn page_before(
        &self,
        room: RoomId,
        before: Option<Seq>,
        limit: u32,
    ) -> Result<(Vec<StoredMessage>, FurthestReaders), StorageError> {
        let messages = self.messages_before(room, before, limit).await?;
        Ok((messages, self.furthest_readers(room).await?))
    }
}

/// Most notifications that are kept for one user: anybody may send them, and some people never clear theirs.
pub const NOTIFICATIONS_PER_USER: u32 = 1_000;

/// Notifications.
#[async_trait]
pub trait NotificationStorage {
    /// Stores a notification. Where the recipient has [`NOTIFICATIONS_PER_USER`] already, the oldest of them is removed in
    /// the same transaction.
    ///
    /// # Errors
    ///
    /// [`StorageError`] where the database fails.
    async fn notify(
        &self,
        sender: &User,
        recipient: UserId,
        text: Arc<str>,
        sent_at: Timestamp,
    ) -> Result<StoredNotification, StorageError>;

    /// The notifications of a user that were not cleared, oldest first: the newest [`NOTIFICATIONS_PER_USER`], where
    /// there are more from before that bound.
    ///
    /// # Errors
    ///
    /// [`StorageError`] where the database fails.
    async fn notifications(&self, recipient: UserId) -> Result<Vec<StoredNotification>, StorageError>;

    /// Clears those of the given notifications that are the user's own.
    ///
    /// # Errors
    ///
    /// [`StorageError`] where the database fails.
    async fn clear_notifications(
        &self,
        recipient: UserId,
        ids: &[NotificationId],
    ) -> Result<(), StorageError>;
}

/// Profiles, and listings: things that somebody offers, and that others ask them about.
#[async_trait]
pub trait ProfileStorage {
    /// The profile of a user; an empty one where there is none.
    ///
    /// # Errors
    ///
    /// [`StorageError`] where the database fails.
    async fn profile(&self, user: UserId) -> Result<Profile, StorageError>;

    /// Puts a profile in the place of the one before.
    ///
    /// # Errors
    ///
    /// [`StorageError`] where the database fails.
    async fn set_profile(&self, user: UserId, profile: &Profile) -> Result<(), StorageError>;

    /// Who has put up a listing; `None` where there is no such listing.
    ///
    /// # Errors
    ///
    /// [`StorageError`] where the database fails.
    async fn listing_owner(&self, listing: i64) -> Result<Option<User>, StorageError>;

    /// Puts up a listing, or gives it to another owner.
    ///
    /// # Errors
    ///
    /// [`StorageError`] where the database fails.
    async fn set_listing(&self, listing: i64, owner: UserId) -> Result<(), StorageError>;
}

/// What keeps a database in order.
#[async_trait]
pub trait UpkeepStorage {
    /// Whether something could be stored now. Finds out by storing something.
    ///
    /// # Errors
    ///
    /// [`StorageError`] where it could not.
    async fn check(&self) -> Result<(), StorageError>;

    /// Removes the oldest messages of a room that are not to be kept, at most so many, and tells how many.
    ///
    /// What stays is the end of the room's messages, without a gap, and numbers are not given out again. A removed
    /// message's mark is forgotten with it.
    ///
    /// # Errors
    ///
    /// [`StorageError`] where the database fails.
    async fn prune(&self, room: RoomId, keep: &Keep, at_most: u32) -> Result<u64, StorageError>;
}

/// Everything that the service needs stored.
pub trait Storage:
    UserStorage
    + RoomStorage
    + MessageStorage
    + NotificationStorage
    + ProfileStorage
    + UpkeepStorage
    + fmt::Debug
    + Send
    + Sync
    + 'static
{
}

impl<T> Storage for T where
    T: UserStorage
        + RoomStorage
        + MessageStorage
        + NotificationStorage
        + ProfileStorage
        + UpkeepStorage
        + fmt::Debug
        + Send
        + Sync
        + 'static
{
}
