//! Arbitrary commands, events and frames.
//!
//! What others are made of is boxed: as one value, the tree of a whole event is too large for the stack of a test.

use chat_protocol::{
    ClientId, Command, Dialect, EncodeContext, Endpoint, ErrorCode, Event, FetchHistory, History, Language,
    Limits, Message, MessagePosted, MessageText, Notification, Person, Presence, ReadMark, Refusal,
    RoomActivity, RoomId, RoomLabel, RoomName, RoomRef, SendMessage, SendNotification, Timestamp, Typing,
    Username,
};
use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::{Map, Value};

/// Any text at all: control characters, U+0000, marks of direction, and whatever JSON has to escape.
pub(crate) fn text() -> BoxedStrategy<String> {
    const NASTY: [&str; 10] =
        ["", " ", "\0", "\"\\/", "\u{2028}\u{2029}", "\u{feff}", "\u{7f}", "<script>", "{limit}", "server"];
    prop_oneof![
        vec(any::<char>(), 0..40).prop_map(String::from_iter),
        "[a-z ]{1,12}",
        select(NASTY.to_vec()).prop_map(str::to_owned),
    ]
    .boxed()
}

pub(crate) fn dialect() -> impl Strategy<Value = Dialect> {
    select(Dialect::ALL)
}

fn id<T: TryFrom<i64, Error: std::fmt::Debug> + std::fmt::Debug>() -> impl Strategy<Value = T> {
    prop_oneof![1..100_i64, 1..=i64::MAX, Just(i64::MAX)].prop_map(|number| T::try_from(number).unwrap())
}

pub(crate) fn timestamp() -> impl Strategy<Value = Timestamp> {
    let (first, last) = (Timestamp::MIN.as_micros(), Timestamp::MAX.as_micros());
    let whole_seconds = (first / 1_000_000..=last / 1_000_000).prop_map(|seconds| seconds * 1_000_000);
    prop_oneof![first..=last, whole_seconds, Just(first), Just(last)]
        .prop_map(|micros| Timestamp::from_micros(micros).unwrap())
}

fn room_name() -> impl Strategy<Value = RoomName> {
    prop_oneof!["[a-zA-Z0-9_.-]{1,94}", "[\\p{Alphabetic}\\p{N}]{1,20}", "[0-9]{1,30}"]
        .prop_filter_map("no name of a room", |name| RoomName::new(&name).ok())
}

fn username() -> BoxedStrategy<Username> {
    prop_oneof!["[a-zA-Z0-9@.+_-]{1,150}", "\\PC{1,20}"]
        .prop_filter_map("no name of a person", |name| Username::new(&name).ok())
        .boxed()
}

fn client_id() -> impl Strategy<Value = ClientId> {
    "[!-~]{1,64}".prop_map(|mark| ClientId::new(&mark).unwrap())
}

fn message_text() -> impl Strategy<Value = MessageText> {
    text().prop_filter_map("no text of a message", |text| MessageText::new(&text, &Limits::default()).ok())
}

fn room_ref() -> impl Strategy<Value = RoomRef> {
    prop_oneof![room_name().prop_map(RoomRef::Name), id::<RoomId>().prop_map(RoomRef::Id)]
}

pub(crate) fn command() -> impl Strategy<Value = Command> {
    let send = (of(room_ref()), message_text(), of(username()), of(client_id())).prop_map(
        |(room, text, claimed_sender, client_id)| {
            Command::SendMessage(SendMessage { room, text, claimed_sender, client_id })
        },
    );
    let fetch = (of(room_ref()), of(id()), of(1..=u32::MAX))
        .prop_map(|(room, before, limit)| Command::FetchHistory(FetchHistory { room, before, limit }));
    let notify = (username(), message_text())
        .prop_map(|(recipient, text)| Command::SendNotification(SendNotification { recipient, text }));
    let typing = any::<bool>().prop_map(|is_typing| Command::SetTyping { is_typing });
    prop_oneof![4 => send, 2 => fetch, 1 => notify, 1 => typing, 1 => Just(Command::MarkRead)]
}

fn person() -> BoxedStrategy<Person> {
    (of(id()), of(username())).prop_map(|(id, name)| Person { id, name }).boxed()
}

fn message() -> BoxedStrategy<Message> {
    (of(id()), person(), text(), of(timestamp()), any::<Option<bool>>(), of(client_id()))
        .prop_map(|(id, sender, text, sent_at, is_read, client_id)| Message {
            id,
            sender,
            text: text.into(),
            sent_at,
            is_read,
            client_id,
        })
        .boxed()
}

fn room_label() -> BoxedStrategy<RoomLabel> {
    (of(id()), of(room_name()), of(text()), of(room_ref()))
        .prop_map(|(id, name, display_name, as_referred)| RoomLabel {
            id,
            name,
            display_name: display_name.map(Into::into),
            as_referred,
        })
        .boxed()
}

fn refusal() -> BoxedStrategy<Refusal> {
    (select(ErrorCode::ALL), of(text()), any::<Option<usize>>(), of(text()), of(client_id()))
        .prop_map(|(code, field, limit, text, client_id)| Refusal {
            code,
            field: field.map(Into::into),
            limit,
            text: text.map(Into::into),
            client_id,
        })
        .boxed()
}

fn notification() -> BoxedStrategy<Notification> {
    (of(id()), person(), text(), of(timestamp()))
        .prop_map(|(id, sender, text, sent_at)| Notification { id, sender, text: text.into(), sent_at })
        .boxed()
}

pub(crate) fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        (room_label(), message())
            .prop_map(|(room, message)| Event::MessagePosted(MessagePosted { room, message })),
        message().prop_map(Event::MessageAccepted),
        vec(message(), 0..4).prop_map(|messages| Event::HistoryFetched(History { messages })),
        (room_label(), vec(username(), 0..4), message()).prop_map(|(room, members, message)| {
            Event::RoomActive(RoomActivity { room, members, message })
        }),
        (person(), any::<bool>())
            .prop_map(|(user, is_online)| Event::PresenceChanged(Presence { user, is_online })),
        (person(), any::<bool>())
            .prop_map(|(user, is_typing)| Event::TypingChanged(Typing { user, is_typing })),
        (of(id()), person(), of(id())).prop_map(|(room, reader, up_to)| Event::MessagesRead(ReadMark {
            room,
            reader,
            up_to
        })),
        notification().prop_map(Event::NotificationReceived),
        refusal().prop_map(Event::Refused),
    ]
}

pub(crate) fn context() -> impl Strategy<Value = EncodeContext> {
    (select(&[Endpoint::Room, Endpoint::Listener][..]), select(&Language::ALL[..]), of(id()))
        .prop_map(|(endpoint, language, room_number)| EncodeContext { endpoint, language, room_number })
}

/// A frame that some dialect writes, of a client or of a server.
fn frame() -> impl Strategy<Value = String> {
    let of_client = (dialect(), command()).prop_map(|(dialect, command)| dialect.encode_command(&command));
    let of_server = (dialect(), event(), context())
        .prop_map(|(dialect, event, context)| dialect.encode_event(&event, &context));
    prop_oneof![of_client, of_server].prop_filter_map("no form for it", |frame| frame)
}

/// A frame after an accident: characters lost, changed, doubled or added.
fn damaged_frame() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        any::<char>().prop_map(String::from),
        select(
            &["\"", "{", "}", "[", "]", ":", ",", "\\", "\\ud800", "null", "-1", "1e999", "\"type\":"][..]
        )
        .prop_map(str::to_owned),
    ];
    let damage = (any::<Index>(), 0..4_usize, piece);
    (frame(), vec(damage, 1..4)).prop_map(|(frame, damages)| {
        let mut characters: Vec<char> = frame.chars().collect();
        for (at, lost, piece) in damages {
            let at = at.index(characters.len() + 1);
            let end = characters.len().min(at + lost);
            characters.splice(at..end, piece.chars());
        }
        characters.into_iter().collect()
    })
}

/// JSON of any shape, with the keys and kinds that dialects look for more often than not.
fn json() -> impl Strategy<Value = Value> {
    let words = [
        "command",
        "type",
        "message",
        "content",
        "roomName",
        "username",
        "client_id",
        "before",
        "limit",
        "groupname",
        "group_name",
        "display_name",
        "user_name",
        "is_typing",
        "is_read",
        "members_list",
        "remetente",
        "error",
        "fetch_message",
        "new_message",
        "chat",
        "notification",
        "chat_message",
        "message_sent",
        "typing_indicator",
        "__str__",
        "timestamp",
        "7",
        "2025-10-03T03:00:00Z",
    ];
    let word = prop_oneof![3 => select(words.to_vec()).prop_map(str::to_owned), 1 => text()];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        word.clone().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 8, move |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::from),
            vec((word.clone(), inner), 0..8).prop_map(|fields| Value::from(Map::from_iter(fields))),
        ]
    })
}

/// Whatever may come over a socket.
pub(crate) fn input() -> impl Strategy<Value = String> {
    prop_oneof![
        1 => text(),
        1 => frame(),
        3 => damaged_frame(),
        3 => json().prop_map(|value| value.to_string()),
    ]
}
