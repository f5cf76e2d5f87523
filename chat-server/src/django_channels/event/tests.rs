use std::sync::Arc;

use chat_core::storage::{Access, User};
use chat_protocol::{MessageId, RoomId, RoomName, Seq, Timestamp, UserId, Username};
use proptest::prelude::*;
use serde_json::Value;

use super::*;
use crate::django_channels::core_layer::SALT_LENGTH;

/// What Django and `channels_redis` themselves have written.
const VECTORS: &str = include_str!("../../../tests/vectors/channels_redis.json");

fn hex(text: &Value) -> Vec<u8> {
    let digits: Vec<u8> =
        text.as_str().unwrap().chars().map(|c| c.to_digit(16).unwrap().try_into().unwrap()).collect();
    digits.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}

fn vectors() -> Value {
    serde_json::from_str(VECTORS).unwrap()
}

#[test]
fn every_vector_is_read() {
    let vectors = vectors();
    let mut seen = 0;
    for vector in vectors["msgpack"].as_array().unwrap() {
        for (key, skipped) in [("core_member_hex", SALT_LENGTH), ("pubsub_payload_hex", 0)] {
            let Some(bytes) = vector.get(key).map(hex) else { continue };
            let event = Event::decode(&bytes[skipped..]).unwrap();
            let expected = &vector["message"];
            assert_eq!(event.kind, expected["type"].as_str(), "{vector}");
            assert_eq!(event.message, expected["message"].as_str(), "{vector}");
            assert_eq!(event.name(), expected["username"].as_str(), "{vector}");
            let channels: Vec<&str> = match &expected[CHANNELS] {
                Value::Array(channels) => channels.iter().map(|channel| channel.as_str().unwrap()).collect(),
                other => other.as_str().into_iter().collect(),
            };
            assert_eq!(event.channels, channels, "{vector}");
            seen += 1;
        }
    }
    assert!(seen > 10, "{seen}");
}

#[test]
fn dictionaries_are_written_as_python_writes_them() {
    let digits: Vec<String> = (0..16).map(|number| number.to_string()).collect();
    let sixteen: Vec<_> =
        digits.iter().zip(0..).map(|(key, number)| (&**key, Field::Integer(number))).collect();
    let chat = [
        ("type", Field::Text("chat_message")),
        ("message", Field::Text("héllo")),
        ("username", Field::Text("u")),
    ];
    let channels = ["specific.aa!bb", "specific.aa!cc"];
    let group_send = [("type", Field::Text("x")), (CHANNELS, Field::Texts(&channels))];
    let vectors = vectors();
    for (name, fields) in
        [("chat", &chat[..]), ("with channels (group_send)", &group_send), ("16 keys", &sixteen)]
    {
        let vectors = vectors["msgpack"].as_array().unwrap();
        let vector = vectors.iter().find(|vector| vector["name"] == name).unwrap();
        assert_eq!(encode(fields, Vec::new()), hex(&vector["pubsub_payload_hex"]), "{name}");
    }
}

fn room() -> Room {
    Room {
        id: RoomId::new(3).unwrap(),
        name: RoomName::new("lobby").unwrap(),
        display_name: None,
        access: Access::Open,
        owner: None,
    }
}

fn message(text: &str) -> StoredMessage {
    StoredMessage {
        id: MessageId::new(70_000).unwrap(),
        room: RoomId::new(3).unwrap(),
        seq: Seq::FIRST,
        sender: User { id: UserId::new(200).unwrap(), name: Username::new("王小明").unwrap() },
        text: Arc::from(text),
        sent_at: Timestamp::from_micros(1_759_460_400_000_000).unwrap(),
        client_id: None,
    }
}

#[test]
fn what_is_posted_has_what_consumers_read() {
    let (room, message) = (room(), message("hello"));
    let posted = Posted { kind: "chat.message", room: &room, message: &message, sent_by: "chat" };
    let bytes = posted.encode(&["specific.aa!bb"], vec![1, 2]);
    assert_eq!(bytes[..2], [1, 2]);
    let event = Event::decode(&bytes[2..]).unwrap();
    let expected = Event {
        kind: Some("chat.message"),
        message: Some("hello"),
        names: [Some("王小明"); 3],
        user_id: Some(200),
        sent_by: Some("chat"),
        channels: vec!["specific.aa!bb"],
    };
    assert_eq!(event, expected);
    assert!(event.is_for("chat_message"));
    assert!(!event.is_for("chat_messages"));
    let bytes = posted.encode(&[], Vec::new());
    assert!(Event::decode(&bytes).unwrap().channels.is_empty());
    assert!(!bytes.windows(CHANNELS.len()).any(|window| window == CHANNELS.as_bytes()));
}

#[test]
fn who_says_it_is_found_under_any_of_the_names() {
    for (key, value, name) in [
        ("username", "amy", Some("amy")),
        ("remetente", "amy", Some("amy")),
        ("user", "amy", Some("amy")),
        ("user", "", None),
        ("sender", "amy", None),
    ] {
        let bytes = encode(&[(key, Field::Text(value))], Vec::new());
        assert_eq!(Event::decode(&bytes).unwrap().name(), name, "{key}");
    }
    let bytes = encode(&[("username", Field::Integer(5)), ("user", Field::Text("amy"))], Vec::new());
    assert_eq!(Event::decode(&bytes).unwrap().name(), Some("amy"));
}

#[test]
fn what_is_no_dictionary_is_refused() {
    let deep: Vec<u8> = std::iter::repeat_n(0x91, 100_000).collect();
    let claims_much = [0x81, 0xa1, b'k', 0xdd, 0xff, 0xff, 0xff, 0xff];
    let long_text = [0x81, 0xa1, b'k', 0xdb, 0xff, 0xff, 0xff, 0xff, b'x'];
    for (bytes, problem) in [
        (&b""[..], Malformed::Short),
        (b"\xa1x", Malformed::NotADictionary),
        (b"{\"type\": \"x\"}", Malformed::NotADictionary),
        (b"\x81\xa1k", Malformed::Short),
        (b"\x81\xa1k\xc1", Malformed::Reserved),
        (b"\xdf\xff\xff\xff\xff", Malformed::Short),
        (&claims_much, Malformed::Short),
        (&long_text, Malformed::Short),
        (&[&b"\x81\xa1k"[..], &deep].concat(), Malformed::Short),
    ] {
        assert_eq!(Event::decode(bytes), Err(problem), "{bytes:?}");
    }
    assert!(matches!(Event::decode(b"\x81\xa4type\xa1\xff"), Err(Malformed::NotUtf8(_))));
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        drop(Event::decode(&bytes));
        // More of those that begin well.
        drop(Event::decode(&[&[0x8f, 0xa4][..], b"type", &bytes].concat()));
    }

    #[test]
    fn what_is_cut_short_or_changed_is_read_or_refused(
        text in ".{0,80}",
        at in any::<prop::sample::Index>(),
        byte in any::<u8>(),
    ) {
        let (room, message) = (room(), message(&text));
        let posted = Posted { kind: "chat_message", room: &room, message: &message, sent_by: "chat" };
        let mut bytes = posted.encode(&["specific.aa!bb"], Vec::new());
        prop_assert_eq!(Event::decode(&bytes).unwrap().message, Some(&*text));
        let at = at.index(bytes.len());
        prop_assert!(Event::decode(&bytes[..at]).is_err());
        bytes[at] = byte;
        drop(Event::decode(&bytes));
    }
}
