//! What a database must do for the service.
//!
//! One trait for each kind of thing that is stored, and [`Storage`] for all of them together. All calls may come at
//! once from many tasks. A call that returns has taken effect for every call that begins afterwards; a call that is
//! given up (its future dropped) has taken effect or not, as a whole. What a call returns `Ok` for survives a crash
//! of the process, save in storages that say that they forget.

mod record;

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use chat_protocol::{MessageId, NotificationId, RoomId, RoomName, Seq, Timestamp, UserId, Username};
use thiserror::Error;

pub use record::{
    Access, Appended, FurthestReaders, Joining, Leaving, NewMessage, NewRoom, Profile, Purpose, Room,
    StoredMessage, StoredNotification, User,
};

/// Why a storage could not do what it was asked.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StorageError {
    /// The database failed or could not be reached; the same call may work later.
    #[error("the database failed")]
    Database(#[source] Box<dyn StdError + Send + Sync>),
    /// What the database holds makes no sense.
    #[error("the database holds something unreadable: {what}")]
    Corrupt {
        /// What was being read.
        what: &'static str,
    },
}

impl StorageError {
    /// Wraps the error of a database driver.
    pub fn database(source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self::Database(source.into())
    }
}

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

    /// All users, by id.
    ///
    /// # Errors
    ///
    /// [`StorageError`] where the database fails.
    async fn users(&self) -> Result<Vec<User>, StorageError>;

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
    /// [`StorageError`] where the database fails, or the name of the room to be made is taken.
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
    /// [`StorageError`] where the database fails.
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

    /// The rooms that a user is a member of, by id.
    ///
    /// # Errors
    ///
    /// [`StorageError`] where the database fails.
    async fn rooms_of(&self, user: UserId) -> Result<Vec<Room>, StorageError>;
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
    /// [`StorageError`] where the database fails; then none of them is stored, or (where the connection broke at the
    /// worst moment) all of them are.
    async fn append(&self, messages: &[NewMessage]) -> Result<Vec<Appended>, StorageError>;

    /// The place of a message in a room; `None` where the room has no such message.
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
}

/// Notifications.
#[async_trait]
pub trait NotificationStorage {
    /// Stores a notification.
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

    /// The notifications of a user that were not cleared, oldest first.
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

/// Everything that the service needs stored.
pub trait Storage:
    UserStorage
    + RoomStorage
    + MessageStorage
    + NotificationStorage
    + ProfileStorage
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
        + fmt::Debug
        + Send
        + Sync
        + 'static
{
}
