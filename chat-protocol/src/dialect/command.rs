//! The dialect of the `command` document: frames told apart by `command`, history, and the listener socket.

use alloc::borrow::Cow;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::convert::{self, ErrorBody};
use super::{Codec, EncodeContext, Endpoint, Probe, from_json, kind_of, unknown_kind};
use crate::json::{Value, read_fields};
use crate::wire::{SecondsRunTogether, WireId, room_to_wire, to_json};
use crate::{
    Behavior, Command, DecodeError, Event, FetchHistory, History, Limits, Message, MessageId, MessagePosted,
    RoomActivity, RoomLabel, RoomName, SendMessage, TextOrNumber, ValueError,
};

/// What a client sends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "command", rename_all = "snake_case")]
pub enum ClientFrame<'a> {
    /// Asks for history, newest first.
    FetchMessage {
        /// The room; the document's page sends it as it got it, which may be an array of one.
        #[serde(rename = "roomName")]
        room_name: TextOrNumber<'a>,
        /// Only messages older than the one with this id (additive).
        #[serde(skip_serializing_if = "Option::is_none")]
        before: Option<WireId>,
        /// Most messages to answer with (additive).
        #[serde(skip_serializing_if = "Option::is_none")]
        limit: Option<WireId>,
    },
    /// Posts a message.
    NewMessage {
        /// The text.
        content: Cow<'a, str>,
        /// Who the client says it is.
        #[serde(skip_serializing_if = "Option::is_none")]
        username: Option<Cow<'a, str>>,
        /// The room.
        #[serde(rename = "roomName")]
        room_name: TextOrNumber<'a>,
        /// The client's mark on this send (additive).
        #[serde(skip_serializing_if = "Option::is_none")]
        client_id: Option<Cow<'a, str>>,
    },
}

/// What a server sends to a socket of a room.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "command", rename_all = "snake_case")]
pub enum ServerFrame<'a> {
    /// The answer to `fetch_message`.
    FetchMessage(FetchMessage<'a>),
    /// A message was posted.
    NewMessage(NewMessage<'a>),
    /// A command was refused. The document's page skips it.
    Error(ErrorBody<'a>),
}

/// The answer to `fetch_message`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FetchMessage<'a> {
    /// The messages, newest first.
    #[serde(borrow)]
    pub message: Vec<Line<'a>>,
}

/// A message was posted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewMessage<'a> {
    /// Always `chat_message`.
    #[serde(rename = "type", borrow, default = "chat_message")]
    pub kind: Cow<'a, str>,
    /// The message.
    #[serde(borrow)]
    pub message: Line<'a>,
    /// The mark that its sender put on it (additive).
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub client_id: Option<Cow<'a, str>>,
}

/// What a server sends to a socket of the listener. Every frame has `members_list`: the page's script runs over it
/// without a look.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ListenerFrame<'a> {
    /// A message was posted to a room that one listens to.
    ChatMessage(ChatMessage<'a>),
    /// A frame was refused.
    Error(ListenerError<'a>),
}

/// A message was posted to a room that one listens to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChatMessage<'a> {
    /// The message.
    #[serde(borrow)]
    pub message: Line<'a>,
    /// The names of the room's members.
    #[serde(borrow)]
    pub members_list: Vec<Cow<'a, str>>,
    /// The room.
    #[serde(rename = "roomName", borrow)]
    pub room_name: Cow<'a, str>,
    /// Who wrote it, once more: the page's script looks for it here.
    #[serde(borrow, default)]
    pub username: Cow<'a, str>,
    /// What it says, once more: the page's script looks for it here.
    #[serde(borrow, default)]
    pub content: Cow<'a, str>,
}

/// A frame was refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ListenerError<'a> {
    /// Always empty.
    pub members_list: [&'a str; 0],
    /// The reason.
    #[serde(flatten)]
    pub body: ErrorBody<'a>,
}

impl<'a> From<ErrorBody<'a>> for ListenerError<'a> {
    fn from(body: ErrorBody<'a>) -> Self {
        Self { members_list: [], body }
    }
}

/// A message as the document shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line<'a> {
    /// Who wrote it.
    #[serde(rename = "__str__", borrow)]
    pub sender: Cow<'a, str>,
    /// What it says.
    #[serde(borrow)]
    pub content: Cow<'a, str>,
    /// When it was stored.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timestamp: Option<SecondsRunTogether>,
    /// Its id (additive).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message_id: Option<WireId>,
}

fn chat_message() -> Cow<'static, str> {
    Cow::Borrowed("chat_message")
}

impl<'a> ClientFrame<'a> {
    /// Reads the frame, checking the types of its fields but not yet their values.
    ///
    /// # Errors
    ///
    /// [`DecodeError`] names the field and the reason.
    pub fn from_json(text: &'a str) -> Result<Self, DecodeError> {
        const NAMES: [&str; 7] =
            ["command", "roomName", "content", "username", "client_id", "before", "limit"];
        let [command, room_name, content, username, client_id, before, limit] = read_fields(text, NAMES)?;
        match command.as_text("command")? {
            "fetch_message" => Ok(Self::FetchMessage {
                room_name: room_name.text_or_number("roomName")?,
                before: optional_id(before, "before")?,
                limit: optional_id(limit, "limit")?,
            }),
            "new_message" => Ok(Self::NewMessage {
                content: content.text("content")?,
                username: username.optional_text("username")?,
                room_name: room_name.text_or_number("roomName")?,
                client_id: client_id.optional_text("client_id")?,
            }),
            other => Err(unknown_kind("command", other)),
        }
    }
}

fn optional_id(value: Value<'_>, field: &'static str) -> Result<Option<WireId>, DecodeError> {
    Ok(value.optional_integer(field)?.map(WireId))
}

impl<'a> Line<'a> {
    fn of(message: &'a Message) -> Self {
        Self {
            sender: convert::shown_name(&message.sender),
            content: Cow::Borrowed(&message.text),
            timestamp: message.sent_at.map(SecondsRunTogether),
            message_id: WireId::of(message.id),
        }
    }

    fn into_message(self, client_id: Option<Cow<'_, str>>) -> Message {
        Message {
            id: self.message_id.and_then(WireId::typed),
            sender: convert::named(Some(&self.sender)),
            text: Arc::from(self.content),
            sent_at: self.timestamp.map(|SecondsRunTogether(at)| at),
            is_read: None,
            client_id: convert::known_client_id(client_id),
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
        match &*kind_of(text, "command")? {
            "fetch_message" => from_json(text).map(Self::FetchMessage),
            "new_message" => from_json(text).map(Self::NewMessage),
            "error" => from_json(text).map(Self::Error),
            other => Err(unknown_kind("command", other)),
        }
    }
}

impl<'a> ListenerFrame<'a> {
    /// Reads the frame.
    ///
    /// # Errors
    ///
    /// [`DecodeError`] where it is none of these.
    pub fn from_json(text: &'a str) -> Result<Self, DecodeError> {
        match &*kind_of(text, "type")? {
            "chat_message" => from_json(text).map(Self::ChatMessage),
            "error" => from_json::<ErrorBody<'_>>(text).map(|body| Self::Error(body.into())),
            other => Err(unknown_kind("type", other)),
        }
    }
}

pub(super) struct Dialect;

impl Codec for Dialect {
    fn behavior(&self) -> Behavior {
        Behavior::ONE_ROOM
    }

    fn recognizes(&self, probe: &Probe<'_>) -> bool {
        probe.has("command")
    }

    fn decode_command(&self, text: &str, limits: &Limits) -> Result<Command, DecodeError> {
        match ClientFrame::from_json(text)? {
            ClientFrame::FetchMessage { room_name, before, limit } => {
                Ok(Command::FetchHistory(FetchHistory {
                    room: Some(convert::room_ref(&room_name, "roomName")?),
                    before: before.map(message_id).transpose()?,
                    limit: limit.map(count).transpose()?,
                }))
            }
            ClientFrame::NewMessage { content, username, room_name, client_id } => {
                Ok(Command::SendMessage(SendMessage {
                    room: Some(convert::room_ref(&room_name, "roomName")?),
                    text: convert::message_text(content, "content", limits)?,
                    claimed_sender: convert::claimed_sender(username, "username")?,
                    client_id: convert::client_id(client_id)?,
                }))
            }
        }
    }

    fn encode_command(&self, command: &Command) -> Option<String> {
        match command {
            Command::FetchHistory(fetch) => to_json(&ClientFrame::FetchMessage {
                room_name: room_to_wire(fetch.room.as_ref()?),
                before: WireId::of(fetch.before),
                limit: WireId::of(fetch.limit),
            }),
            Command::SendMessage(send) => to_json(&ClientFrame::NewMessage {
                content: Cow::Borrowed(send.text.as_str()),
                username: send.claimed_sender.as_ref().map(|name| Cow::Borrowed(name.as_str())),
                room_name: room_to_wire(send.room.as_ref()?),
                client_id: convert::shown_client_id(send.client_id.as_ref()),
            }),
            Command::SetTyping { .. } | Command::MarkRead | Command::SendNotification(_) => None,
        }
    }

    fn decode_event(&self, text: &str) -> Result<Event, DecodeError> {
        let [members_list] = read_fields(text, ["members_list"])?;
        if !members_list.is_absent() {
            return ListenerFrame::from_json(text).map(ListenerFrame::into_event);
        }
        Ok(match ServerFrame::from_json(text)? {
            ServerFrame::FetchMessage(FetchMessage { message }) => Event::HistoryFetched(History {
                messages: message.into_iter().map(|line| line.into_message(None)).collect(),
            }),
            ServerFrame::NewMessage(NewMessage { message, client_id, .. }) => {
                Event::MessagePosted(MessagePosted {
                    room: RoomLabel::default(),
                    message: message.into_message(client_id),
                })
            }
            ServerFrame::Error(body) => body.into_event(),
        })
    }

    fn encode_event(&self, event: &Event, context: &EncodeContext) -> Option<String> {
        match context.endpoint {
            Endpoint::Room => convert::written(room_frame(event, context)),
            Endpoint::Listener => convert::written(listener_frame(event, context)),
        }
    }
}

fn room_frame<'a>(event: &'a Event, context: &EncodeContext) -> Option<ServerFrame<'a>> {
    match event {
        Event::MessagePosted(MessagePosted { message, .. }) => Some(ServerFrame::NewMessage(NewMessage {
            kind: chat_message(),
            message: Line::of(message),
            client_id: convert::shown_client_id(message.client_id.as_ref()),
        })),
        Event::HistoryFetched(history) => Some(ServerFrame::FetchMessage(FetchMessage {
            message: history.messages.iter().map(Line::of).collect(),
        })),
        Event::Refused(refusal) => Some(ServerFrame::Error(ErrorBody::of(refusal, context.language))),
        _ => None,
    }
}

fn listener_frame<'a>(event: &'a Event, context: &EncodeContext) -> Option<ListenerFrame<'a>> {
    match event {
        Event::RoomActive(RoomActivity { room, members, message }) => {
            Some(ListenerFrame::ChatMessage(ChatMessage {
                message: Line::of(message),
                members_list: members.iter().map(|name| Cow::Borrowed(name.as_str())).collect(),
                room_name: Cow::Borrowed(room.name.as_ref().map_or("", RoomName::as_str)),
                username: convert::shown_name(&message.sender),
                content: Cow::Borrowed(&message.text),
            }))
        }
        Event::Refused(refusal) => {
            Some(ListenerFrame::Error(ErrorBody::of(refusal, context.language).into()))
        }
        _ => None,
    }
}

impl ListenerFrame<'_> {
    fn into_event(self) -> Event {
        match self {
            Self::ChatMessage(ChatMessage { message, members_list, room_name, .. }) => {
                Event::RoomActive(RoomActivity {
                    room: RoomLabel { name: RoomName::new(&room_name).ok(), ..RoomLabel::default() },
                    members: members_list.iter().filter_map(|name| convert::known_name(name)).collect(),
                    message: message.into_message(None),
                })
            }
            Self::Error(ListenerError { body, .. }) => body.into_event(),
        }
    }
}

fn message_id(WireId(id): WireId) -> Result<MessageId, DecodeError> {
    MessageId::new(id).map_err(|reason| convert::invalid("before", ValueError::Id(reason)))
}

fn count(WireId(count): WireId) -> Result<u32, DecodeError> {
    match u32::try_from(count) {
        Ok(count) if count > 0 => Ok(count),
        _ => Err(convert::invalid("limit", ValueError::Count)),
    }
}
