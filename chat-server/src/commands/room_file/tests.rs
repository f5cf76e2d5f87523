use chat_core::storage::{Room, StoredMessage, User};
use chat_protocol::{RoomId, UserId};
use proptest::prelude::*;

use super::*;

fn person(name: &str) -> User {
    User { id: UserId::new(1).unwrap(), name: Username::new(name).unwrap() }
}

fn den() -> Room {
    Room {
        id: RoomId::new(1).unwrap(),
        name: RoomName::new("den").unwrap(),
        display_name: Some("The \"Den\"\n<b>".into()),
        access: Access::MembersOnly,
        owner: Some(UserId::new(1).unwrap()),
    }
}

const HEAD: &str = r#"{"format":"chat-room","version":1,"room":{"name":"den","access":"open","members":[]}}"#;

const MESSAGE: &str =
    r#"{"seq":1,"message_id":1,"username":"amy","text":"hello","sent_at":"2025-10-03T03:00:00Z"}"#;

/// Everything that a file says, or what is wrong with it.
fn read(file: &str) -> Result<(RoomInFile, Vec<MessageInFile>), String> {
    let limits = Limits { max_text_chars: 10 };
    let said = |error: BadLine| crate::chain(&error);
    let (mut reader, room) = RoomReader::open(file.as_bytes(), limits).map_err(said)?;
    let mut messages = Vec::new();
    while let Some(message) = reader.next().map_err(said)? {
        messages.push(message);
    }
    Ok((room, messages))
}

#[test]
fn a_room_is_read_as_it_was_written() {
    let mut file = Vec::new();
    write_room(&mut file, &den(), Some(&person("amy")), &[person("amy"), person("علي")]).unwrap();
    let (room, messages) = read(std::str::from_utf8(&file).unwrap()).unwrap();
    assert!(messages.is_empty());
    assert_eq!((room.name, room.display_name), (den().name, den().display_name));
    assert_eq!((room.access, room.owner), (Access::MembersOnly, Some(person("amy").name)));
    assert_eq!(room.members, [person("amy").name, person("علي").name]);
}

#[test]
fn what_is_not_there_is_not_written() {
    let mut file = Vec::new();
    let room = Room { display_name: None, owner: None, access: Access::Open, ..den() };
    write_room(&mut file, &room, None, &[]).unwrap();
    assert_eq!(std::str::from_utf8(&file).unwrap(), format!("{HEAD}\n"));
}

#[test]
fn the_last_line_needs_no_end() {
    for file in [format!("{HEAD}\n{MESSAGE}"), format!("{HEAD}\r\n{MESSAGE}\n")] {
        assert_eq!(read(&file).unwrap().1.len(), 1);
    }
}

#[test]
fn a_gap_may_be_told() {
    let gap = MESSAGE.replace("\"seq\":1", "\"seq\":5,\"after\":1");
    assert_eq!(read(&format!("{HEAD}\n{MESSAGE}\n{gap}\n")).unwrap().1.len(), 2);
    assert_eq!(read(&format!("{HEAD}\n{gap}\n")).unwrap().1.len(), 1);
}

#[test]
fn a_room_may_have_more_to_tell_than_a_message() {
    let name = "x".repeat(usize::try_from(MAX_LINE_BYTES).unwrap());
    let room = Room { display_name: Some(name.as_str().into()), ..den() };
    let mut file = Vec::new();
    write_room(&mut file, &room, None, &[person("amy")]).unwrap();
    file.extend_from_slice(MESSAGE.as_bytes());
    let (room, messages) = read(std::str::from_utf8(&file).unwrap()).unwrap();
    assert_eq!(room.display_name.as_deref(), Some(&*name));
    assert_eq!((room.members, messages.len()), (vec![person("amy").name], 1));
}

#[test]
fn what_is_wrong_is_said_with_its_line_and_little_of_it() {
    let long = "x".repeat(100_000);
    let changed = |from: &str, to: &str| MESSAGE.replace(from, to);
    for (line, lines, hint) in [
        (1, String::new(), "missing"),
        (1, "hello".to_owned(), "not a line of the format"),
        (1, MESSAGE.to_owned(), "format"),
        (1, HEAD.replace("chat-room", &long), "its format is"),
        (1, HEAD.replace("\"version\":1", "\"version\":2,\"more\":0"), "version 2"),
        (1, HEAD.replace("den", "../den"), "`name`"),
        (1, HEAD.replace("[]", "[\"server\"]"), "`members`"),
        (2, "{}".to_owned(), "missing field"),
        (2, String::new(), "EOF"),
        (2, MESSAGE[..50].to_owned(), "EOF"),
        (2, changed("hello", " "), "`text`: it is blank"),
        (2, changed("hello", &long), "`text`: it has more than 10 characters"),
        (2, changed("\"hello\"", "null"), "null"),
        (2, changed("amy", "a\u{202e}my"), "`username`"),
        (2, changed("amy", &long), "`username`"),
        (2, changed("03T", "33T"), "`sent_at`"),
        (2, changed("\"seq\":1", "\"seq\":0"), "`seq`"),
        (2, changed("}", ",\"client_id\":\"a b\"}"), "`client_id`"),
        (2, changed("}", &format!(",\"\\u001b{long}\":1}}")), "unknown field"),
        (3, format!("{MESSAGE}\n{MESSAGE}"), "the seq 1, after 1"),
        (3, format!("{MESSAGE}\n{}", changed("\"seq\":1", "\"seq\":3")), "the seq 3, after 1"),
        (3, format!("{MESSAGE}\n{}", changed("\"seq\":1", "\"seq\":5,\"after\":3")), "the seq 5, after 1"),
        (3, format!("{MESSAGE}\n{}", changed("\"seq\":1", "\"seq\":1,\"after\":1")), "the seq 1, after 1"),
        (2, changed("\"seq\":1", "\"seq\":1,\"after\":0"), "`after`"),
    ] {
        let file = if line == 1 { lines } else { format!("{HEAD}\n{lines}\n") };
        let said = read(&file).unwrap_err();
        assert!(said.starts_with(&format!("line {line}: ")) && said.contains(hint), "{hint}: {said}");
        assert!(said.len() < 300 && !said.contains('\u{1b}'), "{said}");
    }
}

#[test]
fn a_line_without_end_is_given_up() {
    let endless = io::repeat(b' ');
    let Err(error) = RoomReader::open(io::BufReader::new(endless), Limits::default()) else {
        panic!("it has no end")
    };
    assert!(matches!(error.reason, LineError::TooLong));
}

proptest! {
    #[test]
    fn every_message_is_read_as_it_was_written(
        text in "[^\\x00]{1,200}",
        micros in Timestamp::MIN.as_micros()..=Timestamp::MAX.as_micros(),
        client_id in proptest::option::of("[!-~]{1,64}"),
    ) {
        prop_assume!(!text.trim().is_empty());
        let stored = StoredMessage {
            id: MessageId::new(7).unwrap(),
            room: den().id,
            seq: Seq::new(3).unwrap(),
            sender: person("amy"),
            text: text.as_str().into(),
            sent_at: Timestamp::from_micros(micros).unwrap(),
            client_id: client_id.map(|id| ClientId::new(&id).unwrap()),
        };
        let mut file = format!("{HEAD}\n").into_bytes();
        write_message(&mut file, &stored, None).unwrap();
        let (mut reader, _) = RoomReader::open(file.as_slice(), Limits::default()).unwrap();
        let message = reader.next().unwrap().unwrap();
        prop_assert_eq!(&message.text, &stored.text);
        prop_assert_eq!(message.sent_at, stored.sent_at);
        prop_assert_eq!(message.client_id, stored.client_id);
        prop_assert!(reader.next().unwrap().is_none());
    }
}
