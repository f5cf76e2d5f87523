//! From rows to values.

use std::sync::Arc;

use chat_core::StorageError;
use chat_core::storage::{Access, Room, StoredMessage, User};
use chat_protocol::{ClientId, IdError, RoomName, Timestamp, Username};
use sqlx::FromRow;

#[derive(FromRow)]
pub(super) struct UserRow {
    id: i64,
    name: String,
}

#[derive(FromRow)]
pub(super) struct RoomRow {
    id: i64,
    name: String,
    display_name: Option<String>,
    access: String,
    owner_id: Option<i64>,
}

/// The columns are those of [`MESSAGE_COLUMNS`].
#[derive(FromRow)]
pub(super) struct MessageRow {
    id: i64,
    room_id: i64,
    seq: i64,
    sender_id: i64,
    sender_name: String,
    text: String,
    sent_at: i64,
    client_id: Option<String>,
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

pub(super) fn id<T: TryFrom<i64, Error = IdError>>(value: i64) -> Result<T, StorageError> {
    T::try_from(value).map_err(|_| StorageError::Corrupt { what: "an id" })
}

pub(super) fn timestamp(micros: i64) -> Result<Timestamp, StorageError> {
    Timestamp::from_micros(micros).map_err(|_| StorageError::Corrupt { what: "a time" })
}

pub(super) fn user(user_id: i64, name: &str) -> Result<User, StorageError> {
    let name = Username::new(name).map_err(|_| StorageError::Corrupt { what: "the name of a user" })?;
    Ok(User { id: id(user_id)?, name })
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
        let access = match &*self.access {
            "open" => Access::Open,
            "members" => Access::MembersOnly,
            _ => return Err(StorageError::Corrupt { what: "the access to a room" }),
        };
        let owner = self.owner_id.map(id).transpose()?;
        Ok(Room { id: id(self.id)?, name, display_name: self.display_name.map(Arc::from), access, owner })
    }
}

impl MessageRow {
    pub(super) fn read(self) -> Result<StoredMessage, StorageError> {
        let client_id = match self.client_id {
            Some(text) => {
                Some(ClientId::new(&text).map_err(|_| StorageError::Corrupt { what: "a client id" })?)
            }
            None => None,
        };
        Ok(StoredMessage {
            id: id(self.id)?,
            room: id(self.room_id)?,
            seq: id(self.seq)?,
            sender: user(self.sender_id, &self.sender_name)?,
            text: self.text.into(),
            sent_at: timestamp(self.sent_at)?,
            client_id,
        })
    }
}
