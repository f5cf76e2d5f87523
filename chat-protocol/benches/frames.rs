//! How long it takes to read and to write one frame of each kind, in each dialect.
//!
//! `baseline` is `serde_json` with a plain struct for the `typed` chat frame: what a server would pay without dialects.

#![allow(clippy::unwrap_used, reason = "a frame that is not valid has no time")]

use std::hint::black_box;

use chat_protocol::{
    ClientId, Command, Dialect, EncodeContext, Endpoint, ErrorCode, Event, History, Limits, Message,
    MessageId, MessagePosted, Notification, NotificationId, Person, Presence, ReadMark, Refusal,
    RoomActivity, RoomId, RoomLabel, RoomName, Timestamp, Typing, UserId, Username,
};
use criterion::{Criterion, Throughput};
use serde::{Deserialize, Serialize};

const TEXT: &str = "Shall we meet at noon? Привет, 你好 🍜";

/// The frames of clients, each by its name.
const CLIENT_FRAMES: [(Dialect, &str, &str); 10] = [
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

/// What a server tells, each by its name; a dialect that has no form for an event leaves it out.
fn events() -> Vec<(&'static str, Endpoint, Event)> {
    let refused = || Event::Refused(Refusal::new(ErrorCode::BlankMessage));
    vec![
        (
            "message_posted",
            Endpoint::Room,
            Event::MessagePosted(MessagePosted { room: room(), message: message() }),
        ),
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

fn client_frames(criterion: &mut Criterion) {
    let limits = Limits::default();
    let mut group = criterion.benchmark_group("client");
    for (dialect, name, frame) in CLIENT_FRAMES {
        let command: Command = dialect.decode_command(frame, &limits).unwrap();
        group.throughput(Throughput::Bytes(frame.len() as u64));
        group.bench_function(format!("recognize/{dialect}/{name}"), |bencher| {
            bencher.iter(|| Dialect::recognize(black_box(frame)));
        });
        group.bench_function(format!("decode/{dialect}/{name}"), |bencher| {
            bencher.iter(|| dialect.decode_command(black_box(frame), &limits));
        });
        group.bench_function(format!("encode/{dialect}/{name}"), |bencher| {
            bencher.iter(|| dialect.encode_command(black_box(&command)));
        });
    }
    group.finish();
}

fn server_frames(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("server");
    for (name, endpoint, event) in events() {
        let context = EncodeContext { endpoint, ..EncodeContext::default() };
        for &dialect in Dialect::ALL {
            // The endpoint is all one to the dialects that have no listener.
            let is_distinct = endpoint == Endpoint::Room || dialect == Dialect::Command;
            let Some(frame) = dialect.encode_event(&event, &context).filter(|_| is_distinct) else {
                continue;
            };
            group.throughput(Throughput::Bytes(frame.len() as u64));
            group.bench_function(format!("encode/{dialect}/{name}"), |bencher| {
                bencher.iter(|| dialect.encode_event(black_box(&event), &context));
            });
            group.bench_function(format!("decode/{dialect}/{name}"), |bencher| {
                bencher.iter(|| dialect.decode_event(black_box(&frame)));
            });
        }
    }
    group.finish();
}

#[derive(Deserialize)]
struct PlainClientFrame {
    #[serde(rename = "type")]
    _kind: String,
    message: String,
}

#[derive(Serialize, Deserialize)]
struct PlainServerFrame {
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

fn baseline(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("baseline");
    for (dialect, name, frame) in CLIENT_FRAMES {
        if dialect == Dialect::Typed && name.starts_with("chat_message") {
            group.throughput(Throughput::Bytes(frame.len() as u64));
            group.bench_function(format!("client/decode/{name}"), |bencher| {
                bencher.iter(|| {
                    serde_json::from_str::<PlainClientFrame>(black_box(frame)).map(|frame| frame.message)
                });
            });
        }
    }
    let posted = Event::MessagePosted(MessagePosted { room: room(), message: message() });
    let frame = Dialect::Typed.encode_event(&posted, &EncodeContext::default()).unwrap();
    let plain: PlainServerFrame = serde_json::from_str(&frame).unwrap();
    group.throughput(Throughput::Bytes(frame.len() as u64));
    group.bench_function("server/encode/chat_message", |bencher| {
        bencher.iter(|| serde_json::to_string(black_box(&plain)));
    });
    group.bench_function("server/decode/chat_message", |bencher| {
        bencher.iter(|| serde_json::from_str::<PlainServerFrame>(black_box(&frame)));
    });
    group.finish();
}

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    client_frames(&mut criterion);
    server_frames(&mut criterion);
    baseline(&mut criterion);
    criterion.final_summary();
}
