//! What nodes tell each other, as it goes over the wire, and its translation from and to what it means.
//!
//! The bytes are those of `postcard`: fields by their order, without names. So whatever changes here must change
//! [`VERSION`](super::payload::VERSION).

use chat_core::storage::{Access, User};
use chat_core::{Activity, Audience, Content, Moment, Standing};
use chat_protocol as chat;
use serde::{Deserialize, Serialize};

use super::payload::Unreadable;

#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Wire<'a> {
    Told {
        #[serde(borrow)]
        event: Told<'a>,
        all_but: Option<i64>,
    },
    Active {
        #[serde(borrow)]
        room: RoomLabel<'a>,
        #[serde(borrow)]
        message: Message<'a>,
        #[serde(borrow)]
        names: Vec<&'a str>,
        members: Vec<i64>,
        is_open: bool,
    },
    Posted {
        seq: i64,
        #[serde(borrow)]
        room: RoomLabel<'a>,
        #[serde(borrow)]
        message: Message<'a>,
    },
    Typing {
        user: i64,
        name: &'a str,
        is_typing: bool,
    },
    Presence {
        user: i64,
        name: &'a str,
        is_online: bool,
        as_of: u64,
    },
    Removed(i64),
    Joined(i64),
    /// Something of the topic was lost on its way to Redis.
    Lost,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Told<'a> {
    Read {
        room: Option<i64>,
        #[serde(borrow)]
        reader: Person<'a>,
        up_to: Option<i64>,
    },
    Notification {
        id: Option<i64>,
        #[serde(borrow)]
        sender: Person<'a>,
        text: &'a str,
        sent_at: Option<i64>,
    },
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Person<'a> {
    id: Option<i64>,
    name: Option<&'a str>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct RoomLabel<'a> {
    id: Option<i64>,
    name: Option<&'a str>,
    display_name: Option<&'a str>,
    #[serde(borrow)]
    as_referred: Option<RoomRef<'a>>,
}

#[derive(Debug, Serialize, Deserialize)]
enum RoomRef<'a> {
    Name(&'a str),
    Id(i64),
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Message<'a> {
    id: Option<i64>,
    #[serde(borrow)]
    sender: Person<'a>,
    text: &'a str,
    sent_at: Option<i64>,
    is_read: Option<bool>,
    client_id: Option<&'a str>,
}

impl<'a> Wire<'a> {
    /// `None` for what nodes do not tell each other.
    pub(super) fn new(content: &'a Content) -> Option<Self> {
        Some(match content {
            Content::Told { event, audience } => Self::Told {
                event: Told::new(event)?,
                all_but: match audience {
                    Audience::Everyone => None,
                    Audience::EveryoneBut(user) => Some(user.value()),
                },
            },
            Content::Active(Activity { told, access, members }) => Self::Active {
                room: RoomLabel::new(&told.room),
                message: Message::new(&told.message),
                names: told.members.iter().map(chat::Username::as_str).collect(),
                members: members.iter().map(|member| member.value()).collect(),
                is_open: *access == Access::Open,
            },
            Content::Posted { seq, event: chat::Event::MessagePosted(posted) } => Self::Posted {
                seq: seq.value(),
                room: RoomLabel::new(&posted.room),
                message: Message::new(&posted.message),
            },
            Content::Typing { user, is_typing } => {
                Self::Typing { user: user.id.value(), name: user.name.as_str(), is_typing: *is_typing }
            }
            Content::Presence { user, standing } => Self::Presence {
                user: user.id.value(),
                name: user.name.as_str(),
                is_online: standing.is_online,
                as_of: standing.as_of.0,
            },
            Content::Removed(user) => Self::Removed(user.value()),
            Content::Joined(room) => Self::Joined(room.value()),
            _ => return None,
        })
    }

    /// What it means; `None` where something was lost.
    pub(super) fn read(self) -> Result<Option<Content>, Unreadable> {
        Ok(Some(match self {
            Self::Told { event, all_but } => Content::Told {
                event: event.read()?,
                audience: id(all_but)?.map_or(Audience::Everyone, Audience::EveryoneBut),
            },
            Self::Active { room, message, names, members, is_open } => Content::Active(Activity {
                told: chat::RoomActivity {
                    room: room.read()?,
                    members: names.into_iter().map(name).collect::<Result<_, _>>()?,
                    message: message.read()?,
                },
                access: if is_open { Access::Open } else { Access::MembersOnly },
                members: members.into_iter().map(known_id).collect::<Result<_, _>>()?,
            }),
            Self::Posted { seq, room, message } => Content::Posted {
                seq: known_id(seq)?,
                event: chat::Event::MessagePosted(chat::MessagePosted {
                    room: room.read()?,
                    message: message.read()?,
                }),
            },
            Self::Typing { user, name, is_typing } => {
                Content::Typing { user: known_user(user, name)?, is_typing }
            }
            Self::Presence { user, name, is_online, as_of } => Content::Presence {
                user: known_user(user, name)?,
                standing: Standing { is_online, as_of: Moment(as_of) },
            },
            Self::Removed(user) => Content::Removed(known_id(user)?),
            Self::Joined(room) => Content::Joined(known_id(room)?),
            Self::Lost => return Ok(None),
        }))
    }
}

impl<'a> Told<'a> {
    fn new(event: &'a chat::Event) -> Option<Self> {
        Some(match event {
            chat::Event::MessagesRead(chat::ReadMark { room, reader, up_to }) => Self::Read {
                room: room.map(chat::RoomId::value),
                reader: Person::new(reader),
                up_to: up_to.map(chat::MessageId::value),
            },
            chat::Event::NotificationReceived(chat::Notification { id, sender, text, sent_at }) => {
                Self::Notification {
                    id: id.map(chat::NotificationId::value),
                    sender: Person::new(sender),
                    text,
                    sent_at: sent_at.map(chat::Timestamp::as_micros),
                }
            }
            _ => return None,
        })
    }

    fn read(self) -> Result<chat::Event, Unreadable> {
        Ok(match self {
            Self::Read { room, reader, up_to } => chat::Event::MessagesRead(chat::ReadMark {
                room: id(room)?,
                reader: reader.read()?,
                up_to: id(up_to)?,
            }),
            Self::Notification { id: number, sender, text, sent_at } => {
                chat::Event::NotificationReceived(chat::Notification {
                    id: id(number)?,
                    sender: sender.read()?,
                    text: text.into(),
                    sent_at: time(sent_at)?,
                })
            }
        })
    }
}

impl<'a> Person<'a> {
    fn new(person: &'a chat::Person) -> Self {
        Self {
            id: person.id.map(chat::UserId::value),
            name: person.name.as_ref().map(chat::Username::as_str),
        }
    }

    fn read(self) -> Result<chat::Person, Unreadable> {
        Ok(chat::Person { id: id(self.id)?, name: self.name.map(name).transpose()? })
    }
}

impl<'a> RoomLabel<'a> {
    fn new(room: &'a chat::RoomLabel) -> Self {
        Self {
            id: room.id.map(chat::RoomId::value),
            name: room.name.as_ref().map(chat::RoomName::as_str),
            display_name: room.display_name.as_deref(),
            as_referred: room.as_referred.as_ref().map(|reference| match reference {
                chat::RoomRef::Name(name) => RoomRef::Name(name.as_str()),
                chat::RoomRef::Id(id) => RoomRef::Id(id.value()),
            }),
        }
    }

    fn read(self) -> Result<chat::RoomLabel, Unreadable> {
        let as_referred = match self.as_referred {
            None => None,
            Some(RoomRef::Name(name)) => Some(chat::RoomRef::Name(room_name(name)?)),
            Some(RoomRef::Id(id)) => Some(chat::RoomRef::Id(known_id(id)?)),
        };
        Ok(chat::RoomLabel {
            id: id(self.id)?,
            name: self.name.map(room_name).transpose()?,
            display_name: self.display_name.map(Into::into),
            as_referred,
        })
    }
}

impl<'a> Message<'a> {
    fn new(message: &'a chat::Message) -> Self {
        Self {
            id: message.id.map(chat::MessageId::value),
            sender: Person::new(&message.sender),
            text: &message.text,
            sent_at: message.sent_at.map(chat::Timestamp::as_micros),
            is_read: message.is_read,
            client_id: message.client_id.as_ref().map(chat::ClientId::as_str),
        }
    }

    fn read(self) -> Result<chat::Message, Unreadable> {
        let client_id = self.client_id.map(chat::ClientId::new).transpose();
        Ok(chat::Message {
            id: id(self.id)?,
            sender: self.sender.read()?,
            text: self.text.into(),
            sent_at: time(self.sent_at)?,
            is_read: self.is_read,
            client_id: client_id.map_err(|_| Unreadable)?,
        })
    }
}

fn known_user(user: i64, text: &str) -> Result<User, Unreadable> {
    Ok(User { id: known_id(user)?, name: name(text)? })
}

fn known_id<T: TryFrom<i64>>(value: i64) -> Result<T, Unreadable> {
    T::try_from(value).map_err(|_| Unreadable)
}

fn id<T: TryFrom<i64>>(value: Option<i64>) -> Result<Option<T>, Unreadable> {
    value.map(known_id).transpose()
}

fn name(text: &str) -> Result<chat::Username, Unreadable> {
    chat::Username::new(text).map_err(|_| Unreadable)
}

fn room_name(text: &str) -> Result<chat::RoomName, Unreadable> {
    chat::RoomName::new(text).map_err(|_| Unreadable)
}

fn time(micros: Option<i64>) -> Result<Option<chat::Timestamp>, Unreadable> {
    micros.map(chat::Timestamp::from_micros).transpose().map_err(|_| Unreadable)
}
