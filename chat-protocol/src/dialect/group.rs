//! The dialect of the `group` document: one socket for all rooms of its user, and stored notifications.

use alloc::borrow::Cow;
use alloc::string::{String, ToString};
use alloc::sync::Arc;

use serde::{Deserialize, Serialize};

use super::convert::{self, ErrorBody};
use super::{Codec, EncodeContext, Probe, from_json, kind_of, unknown_kind};
use crate::json::read_fields;
use crate::wire::{Rfc3339, WireId, room_from_wire, room_to_wire, to_json};
use crate::{
    Behavior, Command, DecodeError, Echo, Event, Limits, Message, MessagePosted, Person, RoomLabel, Scope,
    SendMessage, SendNotification, TextOrNumber,
};

/// What a client sends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ClientFrame<'a> {
    /// Posts a message to a room.
    Chat {
        /// The text.
        message: Cow<'a, str>,
        /// The room: its id, as a string (what the document's page sends) or a number.
        groupname: TextOrNumber<'a>,
        /// Who the client says it is (additive).
        #[serde(skip_serializing_if = "Option::is_none")]
        username: Option<Cow<'a, str>>,
        /// The client's mark on this send (additive).
        #[serde(skip_serializing_if = "Option::is_none")]
        client_id: Option<Cow<'a, str>>,
    },
    /// Leaves a notification for a person.
    Notification {
        /// The text.
        message: Cow<'a, str>,
        /// The name of the person.
        user_name: Cow<'a, str>,
    },
}

/// What a server sends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ServerFrame<'a> {
    /// A message was posted to a room.
    Chat(Chat<'a>),
    /// One's own message was stored (additive): told of those that one has put a mark on.
    MessageSent(MessageSent<'a>),
    /// Somebody left one a notification.
    Notification(Notification<'a>),
    /// A command was refused.
    Error(ErrorBody<'a>),
}

/// A message was posted to a room.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chat<'a> {
    /// The text.
    #[serde(borrow)]
    pub message: Cow<'a, str>,
    /// The room, in the form in which the sender named it.
    #[serde(borrow)]
    pub group_name: TextOrNumber<'a>,
    /// What people call the room.
    #[serde(borrow)]
    pub display_name: Cow<'a, str>,
    /// The room's id, however the sender named it (additive).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub room_id: Option<WireId>,
    /// Who wrote it (additive).
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub from_user: Option<Cow<'a, str>>,
    /// When it was stored (additive).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub date: Option<Rfc3339>,
    /// Its id (additive).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message_id: Option<WireId>,
    /// The mark that its sender put on it (additive).
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub client_id: Option<Cow<'a, str>>,
}

/// One's own message was stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageSent<'a> {
    /// Its id.
    pub message_id: Option<WireId>,
    /// The text.
    #[serde(borrow)]
    pub message: Cow<'a, str>,
    /// When it was stored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub date: Option<Rfc3339>,
    /// The mark that one put on it.
    #[serde(borrow)]
    pub client_id: Cow<'a, str>,
}

/// Somebody left one a notification.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notification<'a> {
    /// The text.
    #[serde(borrow)]
    pub message: Cow<'a, str>,
    /// Its id in the database.
    pub id: Option<WireId>,
    /// Who left it (additive).
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub from_user: Option<Cow<'a, str>>,
    /// When it was stored (additive).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub date: Option<Rfc3339>,
}

impl<'a> ClientFrame<'a> {
    /// Reads the frame, checking the types of its fields but not yet their values.
    ///
    /// # Errors
    ///
    /// [`DecodeError`] names the field and the reason.
    pub fn from_json(text: &'a str) -> Result<Self, DecodeError> {
        const NAMES: [&str; 6] = ["type", "message", "groupname", "user_name", "username", "client_id"];
        let [kind, message, groupname, recipient, username, client_id] = read_fields(text, NAMES)?;
        match kind.as_text("type")? {
            "chat" => Ok(Self::Chat {
                message: message.text("message")?,
                groupname: groupname.text_or_number("groupname")?,
                username: username.optional_text("username")?,
                client_id: client_id.optional_text("client_id")?,
            }),
            "notification" => Ok(Self::Notification {
                message: message.text("message")?,
                user_name: recipient.text("user_name")?,
            }),
            other => Err(unknown_kind("type", other)),
        }
    }
}

impl<'a> ServerFrame<'a> {
    /// Reads the frame.
    ///
    /// # Errors
    ///
    /// [`DecodeError`] where it is none of these.
    pub fn from_json(text: &'a str) -> Result<Self, DecodeError> {
        match &*kind_of(text, "type")? {
            "chat" => from_json(text).map(Self::Chat),
            "message_sent" => from_json(text).map(Self::MessageSent),
            "notification" => from_json(text).map(Self::Notification),
            "error" => from_json(text).map(Self::Error),
            other => Err(unknown_kind("type", other)),
        }
    }
}

pub(super) struct Dialect;

impl Codec for Dialect {
    fn behavior(&self) -> Behavior {
        Behavior { scope: Scope::User, echo: Echo::ToOtherConnections, ..Behavior::ONE_ROOM }
    }

    fn recognizes(&self, probe: &Probe<'_>) -> bool {
        matches!(probe.kind(), Some("chat" | "notification"))
    }

    fn decode_command(&self, text: &str, limits: &Limits) -> Result<Command, DecodeError> {
        match ClientFrame::from_json(text)? {
            ClientFrame::Chat { message, groupname, username, client_id } => {
                Ok(Command::SendMessage(SendMessage {
                    room: Some(convert::room_ref(&groupname, "groupname")?),
                    text: convert::message_text(message, "message", limits)?,
                    claimed_sender: convert::claimed_sender(username, "username")?,
                    client_id: convert::client_id(client_id)?,
                }))
            }
            ClientFrame::Notification { message, user_name } => {
                Ok(Command::SendNotification(SendNotification {
                    recipient: convert::username(&user_name, "user_name")?,
                    text: convert::message_text(message, "message", limits)?,
                }))
            }
        }
    }

    fn encode_command(&self, command: &Command) -> Option<String> {
        match command {
            Command::SendMessage(send) => to_json(&ClientFrame::Chat {
                message: Cow::Borrowed(send.text.as_str()),
                groupname: room_to_wire(send.room.as_ref()?),
                username: send.claimed_sender.as_ref().map(|name| Cow::Borrowed(name.as_str())),
                client_id: convert::shown_client_id(send.client_id.as_ref()),
            }),
            Command::SendNotification(send) => to_json(&ClientFrame::Notification {
                message: Cow::Borrowed(send.text.as_str()),
                user_name: Cow::Borrowed(send.recipient.as_str()),
            }),
            Command::FetchHistory(_) | Command::SetTyping { .. } | Command::MarkRead => None,
        }
    }

    fn decode_event(&self, text: &str) -> Result<Event, DecodeError> {
        Ok(match ServerFrame::from_json(text)? {
            ServerFrame::Chat(Chat {
                message,
                group_name,
                display_name,
                room_id,
                from_user,
                date,
                message_id,
                client_id,
            }) => Event::MessagePosted(MessagePosted {
                room: RoomLabel {
                    id: room_id.and_then(WireId::typed),
                    display_name: Some(Arc::from(display_name)),
                    as_referred: room_from_wire(&group_name),
                    ..RoomLabel::default()
                },
                message: Message {
                    id: message_id.and_then(WireId::typed),
                    sender: convert::named(from_user.as_deref()),
                    text: Arc::from(message),
                    sent_at: date.map(|Rfc3339(at)| at),
                    is_read: None,
                    client_id: convert::known_client_id(client_id),
                },
            }),
            ServerFrame::MessageSent(MessageSent { message_id, message, date, client_id }) => {
                Event::MessageAccepted(Message {
                    id: message_id.and_then(WireId::typed),
                    sender: Person::default(),
                    text: Arc::from(message),
                    sent_at: date.map(|Rfc3339(at)| at),
                    is_read: None,
                    client_id: convert::known_client_id(Some(client_id)),
                })
            }
            ServerFrame::Notification(Notification { message, id, from_user, date }) => {
                Event::NotificationReceived(crate::Notification {
                    id: id.and_then(WireId::typed),
                    sender: convert::named(from_user.as_deref()),
                    text: Arc::from(message),
                    sent_at: date.map(|Rfc3339(at)| at),
                })
            }
            ServerFrame::Error(body) => body.into_event(),
        })
    }

    fn encode_event(&self, event: &Event, context: &EncodeContext) -> Option<String> {
        convert::written(server_frame(event, context))
    }
}

fn server_frame<'a>(event: &'a Event, context: &EncodeContext) -> Option<ServerFrame<'a>> {
    match event {
        Event::MessagePosted(MessagePosted { room, message }) => Some(ServerFrame::Chat(Chat {
            message: Cow::Borrowed(&message.text),
            group_name: group_name(room),
            display_name: display_name(room),
            room_id: WireId::of(room.id),
            from_user: from_user(&message.sender),
            date: message.sent_at.map(Rfc3339),
            message_id: WireId::of(message.id),
            client_id: convert::shown_client_id(message.client_id.as_ref()),
        })),
        // Who has put no mark on it, such as the document's page, has no use for this.
        Event::MessageAccepted(message) => Some(ServerFrame::MessageSent(MessageSent {
            message_id: WireId::of(message.id),
            message: Cow::Borrowed(&message.text),
            date: message.sent_at.map(Rfc3339),
            client_id: convert::shown_client_id(message.client_id.as_ref())?,
        })),
        Event::NotificationReceived(notification) => Some(ServerFrame::Notification(Notification {
            message: Cow::Borrowed(&notification.text),
            id: WireId::of(notification.id),
            from_user: from_user(&notification.sender),
            date: notification.sent_at.map(Rfc3339),
        })),
        Event::Refused(refusal) => Some(ServerFrame::Error(ErrorBody::of(refusal, context.language))),
        _ => None,
    }
}

/// The room as the sender named it; for messages from other dialects its id as a string, as it stands in the ids of
/// the page's elements.
fn group_name(room: &RoomLabel) -> TextOrNumber<'_> {
    match (&room.as_referred, room.id) {
        (Some(reference), _) => room_to_wire(reference),
        (None, Some(id)) => TextOrNumber::Text(Cow::Owned(id.to_string())),
        (None, None) => {
            TextOrNumber::Text(Cow::Borrowed(room.name.as_ref().map_or("", |name| name.as_str())))
        }
    }
}

fn display_name(room: &RoomLabel) -> Cow<'_, str> {
    let name = || room.name.as_ref().map_or("", |name| name.as_str());
    Cow::Borrowed(room.display_name.as_deref().unwrap_or_else(name))
}

fn from_user(person: &Person) -> Option<Cow<'_, str>> {
    person.name.as_ref().map(|name| Cow::Borrowed(name.as_str()))
}
