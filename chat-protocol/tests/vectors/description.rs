//! Commands and events as the vector files describe them.
//!
//! What a description leaves out is `None`. A field that no description has is an error, so that a slip of the pen
//! cannot pass for a case.

use chat_protocol::{
    ClientId, Command, EncodeContext, Endpoint, Event, FetchHistory, History, Limits, Message, MessagePosted,
    MessageText, Notification, Person, Presence, ReadMark, Refusal, RoomActivity, RoomId, RoomLabel,
    RoomName, RoomRef, SendMessage, SendNotification, Timestamp, Typing, Username,
};
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum CommandDescription {
    SendMessage(SendDescription),
    FetchHistory(FetchDescription),
    SetTyping(bool),
    MarkRead,
    SendNotification(NoteDescription),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SendDescription {
    text: String,
    room: Option<RoomDescription>,
    claimed_sender: Option<String>,
    client_id: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FetchDescription {
    room: Option<RoomDescription>,
    before: Option<i64>,
    limit: Option<u32>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NoteDescription {
    recipient: String,
    text: String,
}

/// A reference to a room: a string for a name, a number for an id.
#[derive(Deserialize)]
#[serde(untagged)]
pub(crate) enum RoomDescription {
    Id(i64),
    Name(String),
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum EventDescription {
    MessagePosted(PostedDescription),
    MessageAccepted(MessageDescription),
    HistoryFetched(Vec<MessageDescription>),
    RoomActive(ActivityDescription),
    PresenceChanged(PresenceDescription),
    TypingChanged(TypingDescription),
    MessagesRead(ReadDescription),
    NotificationReceived(NotificationDescription),
    Refused(RefusalDescription),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PostedDescription {
    #[serde(default)]
    room: LabelDescription,
    message: MessageDescription,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct MessageDescription {
    id: Option<i64>,
    #[serde(default)]
    sender: PersonDescription,
    text: String,
    sent_at: Option<String>,
    is_read: Option<bool>,
    client_id: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub(crate) struct PersonDescription {
    id: Option<i64>,
    name: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub(crate) struct LabelDescription {
    id: Option<i64>,
    name: Option<String>,
    display_name: Option<String>,
    as_referred: Option<RoomDescription>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ActivityDescription {
    room: LabelDescription,
    members: Vec<String>,
    message: MessageDescription,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PresenceDescription {
    user: PersonDescription,
    is_online: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TypingDescription {
    user: PersonDescription,
    is_typing: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReadDescription {
    room: Option<i64>,
    reader: PersonDescription,
    up_to: Option<i64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NotificationDescription {
    id: Option<i64>,
    #[serde(default)]
    sender: PersonDescription,
    text: String,
    sent_at: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RefusalDescription {
    code: String,
    field: Option<String>,
    limit: Option<usize>,
    text: Option<String>,
    client_id: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub(crate) struct ContextDescription {
    #[serde(default)]
    endpoint: EndpointDescription,
    language: Option<String>,
    room_number: Option<i64>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "snake_case")]
enum EndpointDescription {
    #[default]
    Room,
    Listener,
}

impl From<CommandDescription> for Command {
    fn from(description: CommandDescription) -> Self {
        match description {
            CommandDescription::SendMessage(send) => Self::SendMessage(SendMessage {
                room: send.room.map(RoomRef::from),
                text: text(&send.text),
                claimed_sender: send.claimed_sender.map(username),
                client_id: send.client_id.map(client_id),
            }),
            CommandDescription::FetchHistory(fetch) => Self::FetchHistory(FetchHistory {
                room: fetch.room.map(RoomRef::from),
                before: fetch.before.map(id),
                limit: fetch.limit,
            }),
            CommandDescription::SetTyping(is_typing) => Self::SetTyping { is_typing },
            CommandDescription::MarkRead => Self::MarkRead,
            CommandDescription::SendNotification(note) => Self::SendNotification(SendNotification {
                recipient: username(note.recipient),
                text: text(&note.text),
            }),
        }
    }
}

impl From<EventDescription> for Event {
    fn from(description: EventDescription) -> Self {
        use EventDescription as D;
        match description {
            D::MessagePosted(posted) => Self::MessagePosted(MessagePosted {
                room: posted.room.into(),
                message: posted.message.into(),
            }),
            D::MessageAccepted(message) => Self::MessageAccepted(message.into()),
            D::HistoryFetched(messages) => {
                Self::HistoryFetched(History { messages: messages.into_iter().map(Message::from).collect() })
            }
            D::RoomActive(activity) => Self::RoomActive(RoomActivity {
                room: activity.room.into(),
                members: activity.members.into_iter().map(username).collect(),
                message: activity.message.into(),
            }),
            D::PresenceChanged(presence) => {
                Self::PresenceChanged(Presence { user: presence.user.into(), is_online: presence.is_online })
            }
            D::TypingChanged(typing) => {
                Self::TypingChanged(Typing { user: typing.user.into(), is_typing: typing.is_typing })
            }
            D::MessagesRead(read) => Self::MessagesRead(ReadMark {
                room: read.room.map(id),
                reader: read.reader.into(),
                up_to: read.up_to.map(id),
            }),
            D::NotificationReceived(notification) => Self::NotificationReceived(Notification {
                id: notification.id.map(id),
                sender: notification.sender.into(),
                text: notification.text.into(),
                sent_at: notification.sent_at.map(timestamp),
            }),
            D::Refused(refusal) => Self::Refused(Refusal {
                code: refusal.code.parse().unwrap(),
                field: refusal.field.map(Into::into),
                limit: refusal.limit,
                text: refusal.text.map(Into::into),
                client_id: refusal.client_id.map(client_id),
            }),
        }
    }
}

impl From<ContextDescription> for EncodeContext {
    fn from(description: ContextDescription) -> Self {
        Self {
            endpoint: match description.endpoint {
                EndpointDescription::Room => Endpoint::Room,
                EndpointDescription::Listener => Endpoint::Listener,
            },
            language: description.language.map_or_else(Default::default, |tag| tag.parse().unwrap()),
            room_number: description.room_number.map(id),
        }
    }
}

impl From<MessageDescription> for Message {
    fn from(message: MessageDescription) -> Self {
        Self {
            id: message.id.map(id),
            sender: message.sender.into(),
            text: message.text.into(),
            sent_at: message.sent_at.map(timestamp),
            is_read: message.is_read,
            client_id: message.client_id.map(client_id),
        }
    }
}

impl From<PersonDescription> for Person {
    fn from(person: PersonDescription) -> Self {
        Self { id: person.id.map(id), name: person.name.map(username) }
    }
}

impl From<LabelDescription> for RoomLabel {
    fn from(label: LabelDescription) -> Self {
        Self {
            id: label.id.map(id),
            name: label.name.as_deref().map(room_name),
            display_name: label.display_name.map(Into::into),
            as_referred: label.as_referred.map(RoomRef::from),
        }
    }
}

impl From<RoomDescription> for RoomRef {
    fn from(room: RoomDescription) -> Self {
        match room {
            RoomDescription::Id(number) => Self::Id(RoomId::new(number).unwrap()),
            RoomDescription::Name(name) => Self::Name(room_name(&name)),
        }
    }
}

fn id<T: TryFrom<i64, Error: std::fmt::Debug>>(number: i64) -> T {
    T::try_from(number).unwrap()
}

fn room_name(name: &str) -> RoomName {
    RoomName::new(name).unwrap()
}

#[expect(clippy::needless_pass_by_value, reason = "maps options of owned texts")]
fn username(name: String) -> Username {
    Username::new(&name).unwrap()
}

#[expect(clippy::needless_pass_by_value, reason = "maps options of owned texts")]
fn client_id(mark: String) -> ClientId {
    ClientId::new(&mark).unwrap()
}

#[expect(clippy::needless_pass_by_value, reason = "maps options of owned texts")]
fn timestamp(text: String) -> Timestamp {
    Timestamp::from_rfc3339(&text).unwrap()
}

fn text(text: &str) -> MessageText {
    MessageText::new(text, &Limits::default()).unwrap()
}
