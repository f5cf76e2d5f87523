//! One frame of each kind, and plain structs for those of `typed`.

use chat_protocol::{
    ClientId, Dialect, Endpoint, ErrorCode, Event, History, Message, MessageId, MessagePosted, Notification,
    NotificationId, Person, Presence, ReadMark, Refusal, RoomActivity, RoomId, RoomLabel, RoomName,
    Timestamp, Typing, UserId, Username,
};
use serde::{Deserialize, Serialize};

const TEXT: &str = "Shall we meet at noon? Привет, 你好 🍜";

/// The frames of clients, each by its name.
pub(crate) const CLIENT_FRAMES: [(Dialect, &str, &str); 10] = [
    (Dialect::Command, "fetch_message", r#"{"command":"fetch_message","roomName":"lobby"}"#),
    (
        Dialect::Command,
        "new_message",
        r#"{"content":"Shall we meet at noon? Привет, 你好 🍜","command":"new_message","username":"amy","roomName":["lobby"]}"#,
    ),
    (Dialect::Plain, "message", r#"{"message":"Shall we meet at noon? Привет, 你好 🍜","username":"amy"}"#),
    (
        Dialect::Group,
        "chat",
        r#"{"message":"Shall we meet at noon? Привет, 你好 🍜","type":"chat","groupname":"7"}"#,
    ),
    (
        Dialect::Group,
        "notification",
        r#"{"message":"Shall we meet at noon? Привет, 你好 🍜","type":"notification","user_name":"ben"}"#,
    ),
    (Dialect::Remetente, "message", r#"{"message":"Shall we meet at noon? Привет, 你好 🍜"}"#),
    (
        Dialect::Typed,
        "chat_message",
        r#"{"type":"chat_message","message":"Shall we meet at noon? Привет, 你好 🍜"}"#,
    ),
    (
        Dialect::Typed,
        "chat_message_escaped",
        r#"{"type":"chat_message","message":"Shall we meet at noon? \u041f\u0440\u0438\u0432\u0435\u0442, \u4f60\u597d \ud83c\udf5c"}"#,
    ),
    (Dialect::Typed, "typing", r#"{"type":"typing","is_typing":true}"#),
    (Dialect::Typed, "mark_read", r#"{"type":"mark_read"}"#),
];

fn message() -> Message {
    Message {
        id: Some(MessageId::new(123_456).unwrap()),
        sender: person(),
        text: TEXT.into(),
        sent_at: Some(Timestamp::from_rfc3339("2024-03-09T13:04:33.253530Z").unwrap()),
        is_read: Some(false),
        client_id: Some(ClientId::new("018f2c-9a").unwrap()),
    }
}

fn person() -> Person {
    Person { id: Some(UserId::new(2).unwrap()), name: Some(Username::new("amy").unwrap()) }
}

fn room() -> RoomLabel {
    RoomLabel {
        id: Some(RoomId::new(7).unwrap()),
        name: Some(RoomName::new("lobby").unwrap()),
        display_name: Some("The lobby".into()),
        as_referred: None,
    }
}

/// A message was posted.
pub(crate) fn posted() -> Event {
    Event::MessagePosted(MessagePosted { room: room(), message: message() })
}

/// What a server tells, each by its name; a dialect that has no form for an event leaves it out.
pub(crate) fn events() -> Vec<(&'static str, Endpoint, Event)> {
    let refused = || Event::Refused(Refusal::new(ErrorCode::BlankMessage));
    vec![
        ("message_posted", Endpoint::Room, posted()),
        ("message_accepted", Endpoint::Room, Event::MessageAccepted(message())),
        ("history_of_50", Endpoint::Room, Event::HistoryFetched(History { messages: vec![message(); 50] })),
        (
            "room_active",
            Endpoint::Listener,
            Event::RoomActive(RoomActivity {
                room: room(),
                members: vec![Username::new("amy").unwrap(), Username::new("ben").unwrap()],
                message: message(),
            }),
        ),
        (
            "presence_changed",
            Endpoint::Room,
            Event::PresenceChanged(Presence { user: person(), is_online: true }),
        ),
        ("typing_changed", Endpoint::Room, Event::TypingChanged(Typing { user: person(), is_typing: true })),
        (
            "messages_read",
            Endpoint::Room,
            Event::MessagesRead(ReadMark {
                room: RoomId::new(7).ok(),
                reader: person(),
                up_to: MessageId::new(123_456).ok(),
            }),
        ),
        (
            "notification_received",
            Endpoint::Room,
            Event::NotificationReceived(Notification {
                id: NotificationId::new(3).ok(),
                sender: person(),
                text: TEXT.into(),
                sent_at: message().sent_at,
            }),
        ),
        ("refused", Endpoint::Room, refused()),
        ("refused_on_the_listener", Endpoint::Listener, refused()),
    ]
}

/// What a client sends, read without dialects.
#[derive(Deserialize)]
pub(crate) struct PlainClientFrame {
    #[serde(rename = "type")]
    _kind: String,
    pub(crate) message: String,
}

/// What a server sends, written without dialects.
#[derive(Serialize, Deserialize)]
pub(crate) struct PlainServerFrame {
    #[serde(rename = "type")]
    kind: String,
    message_id: i64,
    message: String,
    user_id: i64,
    username: String,
    timestamp: String,
    is_read: bool,
    client_id: String,
}
