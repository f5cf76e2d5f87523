//! What is stored, as values.

use std::fmt;
use std::sync::Arc;

use chat_protocol::{
    ClientId, MessageId, NotificationId, RoomId, RoomName, Seq, Timestamp, UserId, Username,
};

use super::StorageError;

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
    /// Somebody talking to the owner of a listing. A listing that is given to somebody else leads to another room: the
    /// new owner was not there for what was said before, and the old one is not there for what comes after.
    Listing {
        /// The listing.
        listing: i64,
        /// Whose it is.
        owner: UserId,
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

    /// The text that earlier versions kept in databases for this purpose, where it was another one. It did not say whose
    /// the listing was: such a room is for this purpose only where the owner, who is told beside it, is a member.
    #[must_use]
    pub fn former_text(self) -> Option<(String, UserId)> {
        match self {
            Self::OneToOne(..) => None,
            Self::Listing { listing, owner, caller } => Some((format!("listing:{listing}:{caller}"), owner)),
        }
    }
}

impl fmt::Display for Purpose {
    /// The same text for the same purpose, for databases to keep unique.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.canonical() {
            Self::OneToOne(one, other) => write!(f, "one-to-one:{one}:{other}"),
            Self::Listing { listing, owner, caller } => write!(f, "listing:{listing}:{owner}:{caller}"),
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

/// Which messages of a room stay: those that are within every bound given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Keep {
    /// So many of the newest.
    pub newest: Option<u32>,
    /// The first one that was taken in at this time or later, and all after it.
    pub since: Option<Timestamp>,
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
