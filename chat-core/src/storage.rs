//! What a database must do for the service.
//!
//! One trait for each kind of thing that is stored, and [`Storage`] for all of them together. All calls may come at
//! once from many tasks. A call that returns has taken effect for every call that begins afterwards; a call that is
//! given up (its future dropped) has taken effect or not, as a whole. What a call returns `Ok` for survives a crash
//! of the process, save in storages that say that they forget.

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use chat_protocol::{
    ClientId, MessageId, NotificationId, RoomId, RoomName, Seq, Timestamp, UserId, Username,
};
use thiserror::Error;

/// A person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// The id.
    pub id: UserId,
    /// The name; no two users have the same.
    pub name: Username,
}

impl User {
    /// The name that is left for a user whose name another one has taken over: theirs, and their id.
    ///
    /// # Errors
    ///
    /// [`StorageError::Corrupt`] where not even that is a name, which cannot be.
    pub fn displaced_name(&self) -> Result<Username, StorageError> {
        let suffix = format!("~{}", self.id);
        let kept = Username::MAX_CHARS - suffix.len();
        let name: String = self.name.as_str().chars().take(kept).collect();
        Username::new(&(name + &suffix)).map_err(|_| StorageError::Corrupt { what: "the name of a user" })
    }
}

/// A room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Room {
    /// The id.
    pub id: RoomId,
    /// The name; no two rooms have the same.
    pub name: RoomName,
    /// What people call it, where that is not the name.
    pub display_name: Option<Arc<str>>,
    /// Who may enter.
    pub access: Access,
    /// Who looks after it.
    pub owner: Option<UserId>,
}

/// Who may enter a room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Everybody.
    Open,
    /// Its members.
    MembersOnly,
}

/// A room to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewRoom {
    /// The name.
    pub name: RoomName,
    /// What people call it, where that is not the name.
    pub display_name: Option<Arc<str>>,
    /// Who may enter.
    pub access: Access,
    /// Who looks after it: may add members and remove them.
    pub owner: Option<UserId>,
    /// Who is a member from the beginning.
    pub members: Vec<UserId>,
}

/// What a room is for, where there must be only one such room.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Purpose {
    /// Two people talking to each other; which of them comes first makes no difference.
    OneToOne(UserId, UserId),
    /// Somebody talking to the owner of a listing.
    Listing {
        /// The listing.
        listing: i64,
        /// Who asks.
        caller: UserId,
    },
}

impl Purpose {
    /// The one of several ways to say the same.
    #[must_use]
    pub fn canonical(self) -> Self {
        match self {
            Self::OneToOne(one, other) => Self::OneToOne(one.min(other), one.max(other)),
            Self::Listing { .. } => self,
        }
    }
}

impl fmt::Display for Purpose {
    /// The same text for the same purpose, for databases to keep unique.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.canonical() {
            Self::OneToOne(one, other) => write!(f, "one-to-one:{one}:{other}"),
            Self::Listing { listing, caller } => write!(f, "listing:{listing}:{caller}"),
        }
    }
}

/// What joining a room came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Joining {
    /// One has become a member.
    Joined,
    /// One was a member already.
    AlreadyMember,
}

/// What leaving a room came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Leaving {
    /// One is a member no longer.
    Left,
    /// One was none.
    NotAMember,
}

/// A message to be stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewMessage {
    /// The room; it must exist.
    pub room: RoomId,
    /// Who wrote it; must exist.
    pub sender: User,
    /// What it says.
    pub text: Arc<str>,
    /// When it was taken in.
    pub sent_at: Timestamp,
    /// The sender's mark. A message with the same mark from the same sender in the same room is stored once.
    pub client_id: Option<ClientId>,
}

/// A message as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredMessage {
    /// The id. Within a room, ids grow with `seq`.
    pub id: MessageId,
    /// The room.
    pub room: RoomId,
    /// Its place in the room: 1 for the first, without gaps.
    pub seq: Seq,
    /// Who wrote it.
    pub sender: User,
    /// What it says.
    pub text: Arc<str>,
    /// When it was taken in.
    pub sent_at: Timestamp,
    /// The sender's mark.
    pub client_id: Option<ClientId>,
}

/// What storing a message came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Appended {
    /// It is stored.
    New(StoredMessage),
    /// A message with the same mark was stored before; this is that one.
    Repeated(StoredMessage),
}

/// The two read marks of a room that are furthest on, of different users; the furthest first.
///
/// Two are enough to tell of any message whether somebody other than its sender has read it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct FurthestReaders(
    /// The marks.
    pub [Option<(UserId, Seq)>; 2],
);

/// A notification as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredNotification {
    /// The id.
    pub id: NotificationId,
    /// Who left it.
    pub sender: User,
    /// For whom.
    pub recipient: UserId,
    /// What it says.
    pub text: Arc<str>,
    /// When it was taken in.
    pub sent_at: Timestamp,
}

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

/// What others are told of a user, besides the name; empty where nobody has said.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Profile {
    /// The address for mail.
    pub email: String,
    /// The URL of a picture.
    pub picture: String,
    /// The city.
    pub city: String,
    /// The first name.
    pub first_name: String,
    /// The last name.
    pub last_name: String,
    /// The gender.
    pub gender: String,
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
