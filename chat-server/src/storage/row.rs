//! From rows to values, whichever database they are of.

use std::sync::Arc;

use chat_core::StorageError;
use chat_core::storage::{Access, FurthestReaders, Profile, Room, StoredMessage, StoredNotification, User};
use chat_protocol::{ClientId, IdError, RoomId, RoomName, Seq, Timestamp, UserId, Username};
use sqlx::FromRow;

use crate::accounts::{Account, PasswordHash, Session, SessionHash};

/// Makes structs that rows of either database are read into. PostgreSQL's go by the names of the columns; SQLite's by their
/// order, which is cheaper: a query has them in that of the fields.
macro_rules! rows {
    ($($(#[$about:meta])* struct $row:ident { $($(#[$told:meta])* $field:ident: $type:ty,)* })*) => {
        $(
            $(#[$about])*
            #[derive(FromRow)]
            pub(super) struct $row {
                $($(#[$told])* $field: $type,)*
            }

            impl TryFrom<&rusqlite::Row<'_>> for $row {
                type Error = rusqlite::Error;

                fn try_from(row: &rusqlite::Row<'_>) -> Result<Self, Self::Error> {
                    let mut columns = 0..;
                    let mut column = || columns.next().unwrap_or(usize::MAX);
                    Ok(Self { $($field: row.get(column())?,)* })
                }
            }
        )*
    };
}

rows! {
    struct UserRow {
        id: i64,
        name: String,
    }

    struct RoomRow {
        id: i64,
        name: String,
        display_name: Option<String>,
        access: String,
        owner_id: Option<i64>,
    }

    struct ProfileRow {
        email: String,
        picture: String,
        city: String,
        first_name: String,
        last_name: String,
        gender: String,
    }

    struct NotificationRow {
        id: i64,
        sender_id: i64,
        sender_name: String,
        text: String,
        sent_at: i64,
    }

    /// The columns are those of [`account_columns`].
    struct AccountRow {
        id: i64,
        name: String,
        password_hash: String,
        is_active: bool,
        generation: i64,
        created_at: i64,
    }

    struct SessionRow {
        hash: Vec<u8>,
        user_id: i64,
        name: String,
        expires_at: i64,
    }

    /// What a room has more than it is to keep.
    struct SurplusRow {
        /// Up to which nothing is there, removed already or by somebody else.
        base: i64,
        /// Up to which there are too many.
        too_many: Option<i64>,
        /// Up to which they are too old, as far as one step goes.
        too_old: Option<i64>,
    }
}

/// A message, whose texts may be read where SQLite has them. The columns are those of [`message_columns`].
#[derive(FromRow)]
pub(super) struct MessageRow<T> {
    id: i64,
    room_id: i64,
    seq: i64,
    sender_id: i64,
    sender_name: T,
    text: T,
    sent_at: i64,
    client_id: Option<T>,
}

impl<'r> MessageRow<&'r str> {
    pub(super) fn of(row: &'r rusqlite::Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            id: row.get(0)?,
            room_id: row.get(1)?,
            seq: row.get(2)?,
            sender_id: row.get(3)?,
            sender_name: row.get_ref(4)?.as_str()?,
            text: row.get_ref(5)?.as_str()?,
            sent_at: row.get(6)?,
            client_id: row.get_ref(7)?.as_str_or_null()?,
        })
    }
}

/// What a [`RoomRow`] needs of `rooms`.
macro_rules! room_columns {
    () => {
        "id, name, display_name, access, owner_id"
    };
}
pub(super) use room_columns;

/// What a [`MessageRow`] needs of `messages AS m JOIN users AS u`.
macro_rules! message_columns {
    () => {
        "m.id, m.room_id, m.seq, m.sender_id, u.name AS sender_name, m.text, m.sent_at, m.client_id \
         FROM messages AS m JOIN users AS u ON u.id = m.sender_id "
    };
}
pub(super) use message_columns;

/// What an [`AccountRow`] needs of the two tables.
macro_rules! account_columns {
    () => {
        "u.id, u.name, a.password_hash, a.is_active, a.generation, a.created_at \
         FROM accounts AS a JOIN users AS u ON u.id = a.user_id "
    };
}
pub(super) use account_columns;

pub(super) fn id<T: TryFrom<i64, Error = IdError>>(value: i64) -> Result<T, StorageError> {
    T::try_from(value).map_err(|_| StorageError::Corrupt { what: "an id" })
}

/// The place of a message in a room.
pub(super) fn place((room, seq): (i64, i64)) -> Result<(RoomId, Seq), StorageError> {
    Ok((id(room)?, id(seq)?))
}

pub(super) fn timestamp(micros: i64) -> Result<Timestamp, StorageError> {
    Timestamp::from_micros(micros).map_err(|_| StorageError::Corrupt { what: "a time" })
}

pub(super) fn user(user_id: i64, name: &str) -> Result<User, StorageError> {
    let name = Username::new(name).map_err(|_| StorageError::Corrupt { what: "the name of a user" })?;
    Ok(User { id: id(user_id)?, name })
}

/// How the access to a room is written.
pub(super) const fn access_text(access: Access) -> &'static str {
    match access {
        Access::Open => "open",
        Access::MembersOnly => "members",
    }
}

fn access(text: &str) -> Result<Access, StorageError> {
    match text {
        "open" => Ok(Access::Open),
        "members" => Ok(Access::MembersOnly),
        _ => Err(StorageError::Corrupt { what: "the access to a room" }),
    }
}

impl UserRow {
    pub(super) fn read(self) -> Result<User, StorageError> {
        user(self.id, &self.name)
    }
}

impl RoomRow {
    pub(super) fn read(self) -> Result<Room, StorageError> {
        let name =
            RoomName::new(&self.name).map_err(|_| StorageError::Corrupt { what: "the name of a room" })?;
        let access = access(&self.access)?;
        let owner = self.owner_id.map(id).transpose()?;
        Ok(Room { id: id(self.id)?, name, display_name: self.display_name.map(Arc::from), access, owner })
    }
}

impl<T: AsRef<str> + Into<Arc<str>>> MessageRow<T> {
    pub(super) fn read(self) -> Result<StoredMessage, StorageError> {
        let sender = user(self.sender_id, self.sender_name.as_ref())?;
        self.read_by(sender)
    }

    /// Reads the one that comes after another. Who wrote that has often written this, too, and is then read only once.
    pub(super) fn read_after(self, another: Option<&StoredMessage>) -> Result<StoredMessage, StorageError> {
        let sender =
            another.map(|message| &message.sender).filter(|sender| sender.id.value() == self.sender_id);
        match sender.cloned() {
            Some(sender) => self.read_by(sender),
            None => self.read(),
        }
    }

    fn read_by(self, sender: User) -> Result<StoredMessage, StorageError> {
        let client_id = self.client_id.as_ref().map(|text| ClientId::new(text.as_ref())).transpose();
        Ok(StoredMessage {
            id: id(self.id)?,
            room: id(self.room_id)?,
            seq: id(self.seq)?,
            sender,
            text: self.text.into(),
            sent_at: timestamp(self.sent_at)?,
            client_id: client_id.map_err(|_| StorageError::Corrupt { what: "a client id" })?,
        })
    }
}

impl ProfileRow {
    pub(super) fn read(self) -> Profile {
        let Self { email, picture, city, first_name, last_name, gender } = self;
        Profile { email, picture, city, first_name, last_name, gender }
    }
}

impl NotificationRow {
    pub(super) fn read(self, recipient: UserId) -> Result<StoredNotification, StorageError> {
        Ok(StoredNotification {
            id: id(self.id)?,
            sender: user(self.sender_id, &self.sender_name)?,
            recipient,
            text: self.text.into(),
            sent_at: timestamp(self.sent_at)?,
        })
    }
}

impl AccountRow {
    pub(super) fn read(self) -> Result<Account, StorageError> {
        Ok(Account {
            user: user(self.id, &self.name)?,
            password_hash: PasswordHash::new(self.password_hash),
            is_active: self.is_active,
            generation: self.generation,
            created_at: timestamp(self.created_at)?,
        })
    }
}

impl SessionRow {
    pub(super) fn read(self) -> Result<Session, StorageError> {
        let corrupt = StorageError::Corrupt { what: "the hash of a session" };
        Ok(Session {
            hash: SessionHash(self.hash.try_into().map_err(|_| corrupt)?),
            user: user(self.user_id, &self.name)?,
            expires_at: timestamp(self.expires_at)?,
        })
    }
}

impl SurplusRow {
    /// The number of the last message to be removed now, where one is.
    pub(super) fn end(&self, at_most: u32) -> Option<i64> {
        let end = self.too_many.max(self.too_old)?.min(self.base + i64::from(at_most));
        (end > self.base).then_some(end)
    }
}

/// Reads the furthest marks of a room, the furthest first.
pub(super) fn furthest(marks: Vec<(i64, i64)>) -> Result<FurthestReaders, StorageError> {
    let mut furthest = FurthestReaders::default();
    for (place, (user, seq)) in furthest.0.iter_mut().zip(marks) {
        *place = Some((id(user)?, id(seq)?));
    }
    Ok(furthest)
}
