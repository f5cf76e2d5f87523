//! The dialect of the `typed` document: frames told apart by `type`; confirmations, presence, typing, read marks.

use alloc::borrow::Cow;
use alloc::string::String;
use alloc::sync::Arc;

use serde::{Deserialize, Serialize};

use super::convert::{self, ErrorBody};
use super::{Codec, EncodeContext, Probe, from_json, kind_of, unknown_kind};
use crate::json::read_fields;
use crate::wire::{Rfc3339, WireId, to_json};
use crate::{
    Arrival, Behavior, Command, DecodeError, Event, Language, Limits, Message, MessagePosted, Person,
    Presence, ReadMark, RoomLabel, Typing,
};

/// What a client sends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ClientFrame<'a> {
    /// Posts a message.
    ChatMessage {
        /// The text.
        message: Cow<'a, str>,
        /// Who the client says it is (additive).
        #[serde(skip_serializing_if = "Option::is_none")]
        username: Option<Cow<'a, str>>,
        /// The client's mark on this send (additive).
        #[serde(skip_serializing_if = "Option::is_none")]
        client_id: Option<Cow<'a, str>>,
    },
    /// Starts or stops typing.
    Typing {
        /// Whether one is typing.
        is_typing: bool,
    },
    /// Marks everything as read.
    MarkRead,
}

/// What a server sends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ServerFrame<'a> {
    /// A message was posted.
    ChatMessage(ChatMessage<'a>),
    /// One's own message was stored.
    MessageSent(MessageSent<'a>),
    /// Somebody came online or went offline.
    UserStatus(UserStatus<'a>),
    /// Somebody started or stopped typing.
    TypingIndicator(TypingIndicator<'a>),
    /// Somebody has read the room.
    MessagesMarkedRead(MessagesMarkedRead<'a>),
    /// A command was refused.
    Error(ErrorBody<'a>),
}

/// A message was posted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChatMessage<'a> {
    /// Its id.
    pub message_id: Option<WireId>,
    /// The text.
    #[serde(borrow)]
    pub message: Cow<'a, str>,
    /// Who wrote it.
    pub user_id: Option<WireId>,
    /// The writer's name.
    #[serde(borrow)]
    pub username: Cow<'a, str>,
    /// When it was stored.
    pub timestamp: Option<Rfc3339>,
    /// Whether some other member has read it.
    pub is_read: bool,
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
    pub timestamp: Option<Rfc3339>,
    /// The mark that one put on it (additive).
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub client_id: Option<Cow<'a, str>>,
}

/// Somebody came online or went offline.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserStatus<'a> {
    /// Who.
    pub user_id: Option<WireId>,
    /// Their name.
    #[serde(borrow)]
    pub username: Cow<'a, str>,
    /// Whether they are connected.
    pub is_online: bool,
    /// The same in words.
    #[serde(borrow)]
    pub message: Cow<'a, str>,
}

/// Somebody started or stopped typing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TypingIndicator<'a> {
    /// Who.
    pub user_id: Option<WireId>,
    /// Their name.
    #[serde(borrow)]
    pub username: Cow<'a, str>,
    /// Whether they are typing.
    pub is_typing: bool,
}

/// Somebody has read the room.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessagesMarkedRead<'a> {
    /// The room, by the number that the client used for it.
    pub room_id: Option<WireId>,
    /// Who has read it (additive).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_id: Option<WireId>,
    /// Their name (additive).
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub username: Option<Cow<'a, str>>,
    /// The newest message that they have read (additive).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message_id: Option<WireId>,
}

impl<'a> ClientFrame<'a> {
    /// Reads the frame, checking the types of its fields but not yet their values.
    ///
    /// # Errors
    ///
    /// [`DecodeError`] names the field and the reason.
    pub fn from_json(text: &'a str) -> Result<Self, DecodeError> {
        const NAMES: [&str; 5] = ["type", "message", "is_typing", "username", "client_id"];
        let [kind, message, is_typing, username, client_id] = read_fields(text, NAMES)?;
        match kind.as_text("type")? {
            "chat_message" => Ok(Self::ChatMessage {
                message: message.text("message")?,
                username: username.optional_text("username")?,
                client_id: client_id.optional_text("client_id")?,
            }),
            "typing" => Ok(Self::Typing { is_typing: is_typing.boolean("is_typing")? }),
            "mark_read" => Ok(Self::MarkRead),
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
            "chat_message" => from_json(text).map(Self::ChatMessage),
            "message_sent" => from_json(text).map(Self::MessageSent),
            "user_status" => from_json(text).map(Self::UserStatus),
            "typing_indicator" => from_json(text).map(Self::TypingIndicator),
            "messages_marked_read" => from_json(text).map(Self::MessagesMarkedRead),
            "error" => from_json(text).map(Self::Error),
            other => Err(unknown_kind("type", other)),
        }
    }
}

pub(super) struct Dialect;

impl Codec for Dialect {
    fn behavior(&self) -> Behavior {
        Behavior { arrival: Arrival::ReadsAll, ..Behavior::ONE_ROOM }
    }

    fn recognizes(&self, probe: &Probe<'_>) -> bool {
        matches!(probe.kind(), Some("chat_message" | "typing" | "mark_read"))
    }

    fn decode_command(&self, text: &str, limits: &Limits) -> Result<Command, DecodeError> {
        Ok(match ClientFrame::from_json(text)? {
            ClientFrame::ChatMessage { message, username, client_id } => {
                Command::SendMessage(convert::send_here(
                    convert::message_text(message, "message", limits)?,
                    convert::claimed_sender(username, "username")?,
                    convert::client_id(client_id)?,
                ))
            }
            ClientFrame::Typing { is_typing } => Command::SetTyping { is_typing },
            ClientFrame::MarkRead => Command::MarkRead,
        })
    }

    fn encode_command(&self, command: &Command) -> Option<String> {
        match command {
            Command::SendMessage(send) => to_json(&ClientFrame::ChatMessage {
                message: Cow::Borrowed(send.text.as_str()),
                username: send.claimed_sender.as_ref().map(|name| Cow::Borrowed(name.as_str())),
                client_id: convert::shown_client_id(send.client_id.as_ref()),
            }),
            Command::SetTyping { is_typing } => to_json(&ClientFrame::Typing { is_typing: *is_typing }),
            Command::MarkRead => to_json(&ClientFrame::MarkRead),
            Command::FetchHistory(_) | Command::SendNotification(_) => None,
        }
    }

    fn decode_event(&self, text: &str) -> Result<Event, DecodeError> {
        ServerFrame::from_json(text).map(ServerFrame::into_event)
    }

    fn encode_event(&self, event: &Event, context: &EncodeContext) -> Option<String> {
        convert::written(server_frame(event, context))
    }
}

fn server_frame<'a>(event: &'a Event, context: &EncodeContext) -> Option<ServerFrame<'a>> {
    match event {
        Event::MessagePosted(MessagePosted { message, .. }) => Some(chat_message(message)),
        Event::MessageAccepted(message) => Some(message_sent(message)),
        Event::PresenceChanged(presence) => Some(user_status(presence, context.language)),
        Event::TypingChanged(Typing { user, is_typing }) => {
            Some(ServerFrame::TypingIndicator(TypingIndicator {
                user_id: WireId::of(user.id),
                username: convert::shown_name(user),
                is_typing: *is_typing,
            }))
        }
        Event::MessagesRead(mark) => Some(ServerFrame::MessagesMarkedRead(MessagesMarkedRead {
            room_id: WireId::of(context.room_number.or(mark.room)),
            user_id: WireId::of(mark.reader.id),
            username: mark.reader.name.as_ref().map(|name| Cow::Borrowed(name.as_str())),
            message_id: WireId::of(mark.up_to),
        })),
        Event::Refused(refusal) => Some(ServerFrame::Error(ErrorBody::of(refusal, context.language))),
        Event::HistoryFetched(_) | Event::RoomActive(_) | Event::NotificationReceived(_) => None,
    }
}

fn chat_message(message: &Message) -> ServerFrame<'_> {
    ServerFrame::ChatMessage(ChatMessage {
        message_id: WireId::of(message.id),
        message: Cow::Borrowed(&message.text),
        user_id: WireId::of(message.sender.id),
        username: convert::shown_name(&message.sender),
        timestamp: message.sent_at.map(Rfc3339),
        is_read: message.is_read.unwrap_or(false),
        client_id: convert::shown_client_id(message.client_id.as_ref()),
    })
}

fn message_sent(message: &Message) -> ServerFrame<'_> {
    ServerFrame::MessageSent(MessageSent {
        message_id: WireId::of(message.id),
        message: Cow::Borrowed(&message.text),
        timestamp: message.sent_at.map(Rfc3339),
        client_id: convert::shown_client_id(message.client_id.as_ref()),
    })
}

fn user_status(presence: &Presence, language: Language) -> ServerFrame<'_> {
    let username = convert::shown_name(&presence.user);
    ServerFrame::UserStatus(UserStatus {
        user_id: WireId::of(presence.user.id),
        message: Cow::Owned(language.presence(&username, presence.is_online)),
        username,
        is_online: presence.is_online,
    })
}

impl ServerFrame<'_> {
    fn into_event(self) -> Event {
        match self {
            Self::ChatMessage(ChatMessage {
                message_id,
                message,
                user_id,
                username,
                timestamp,
                is_read,
                client_id,
            }) => Event::MessagePosted(MessagePosted {
                room: RoomLabel::default(),
                message: Message {
                    id: message_id.and_then(WireId::typed),
                    sender: person(user_id, &username),
                    text: Arc::from(message),
                    sent_at: timestamp.map(|Rfc3339(at)| at),
                    is_read: Some(is_read),
                    client_id: convert::known_client_id(client_id),
                },
            }),
            Self::MessageSent(MessageSent { message_id, message, timestamp, client_id }) => {
                Event::MessageAccepted(Message {
                    id: message_id.and_then(WireId::typed),
                    sender: Person::default(),
                    text: Arc::from(message),
                    sent_at: timestamp.map(|Rfc3339(at)| at),
                    is_read: None,
                    client_id: convert::known_client_id(client_id),
                })
            }
            Self::UserStatus(UserStatus { user_id, username, is_online, message: _ }) => {
                Event::PresenceChanged(Presence { user: person(user_id, &username), is_online })
            }
            Self::TypingIndicator(TypingIndicator { user_id, username, is_typing }) => {
                Event::TypingChanged(Typing { user: person(user_id, &username), is_typing })
            }
            Self::MessagesMarkedRead(MessagesMarkedRead { room_id, user_id, username, message_id }) => {
                Event::MessagesRead(ReadMark {
                    room: room_id.and_then(WireId::typed),
                    reader: Person {
                        id: user_id.and_then(WireId::typed),
                        name: username.as_deref().and_then(convert::known_name),
                    },
                    up_to: message_id.and_then(WireId::typed),
                })
            }
            Self::Error(body) => body.into_event(),
        }
    }
}

fn person(id: Option<WireId>, name: &str) -> Person {
    Person { id: id.and_then(WireId::typed), name: convert::known_name(name) }
}
