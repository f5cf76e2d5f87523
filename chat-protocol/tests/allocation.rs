//! What a hostile frame can make decoding allocate: no more than a small multiple of its own length.

#![allow(clippy::unwrap_used, reason = "a setup that fails is a test that fails")]

use allocation_counter::measure;
use chat_protocol::{Dialect, Limits};

/// Bytes that decoding may use for each byte of the frame.
#[derive(Clone, Copy)]
struct Factor {
    /// At any one time.
    held: u64,
    /// In all; each step in the growth of a buffer counts anew.
    asked: u64,
}

/// For what any stranger can send to a server.
const FROM_CLIENTS: Factor = Factor { held: 4, asked: 8 };

/// For what a server sends. `serde` repeats a text that stands in the place of an object, with escapes, for its error.
const FROM_SERVERS: Factor = Factor { held: 12, asked: 16 };

/// For lists: each entry becomes a typed value, however short it was.
const LISTS_FROM_SERVERS: Factor = Factor { held: 32, asked: 64 };

/// Bytes that decoding may use whatever the frame: errors, and the first steps of growing buffers.
const CONSTANT: u64 = 4096;

/// Most bytes of an error's text.
const MAX_ERROR_LEN: usize = 600;

const LEN: usize = 1 << 14;

/// The keys under which some dialect looks for something.
const KEYS: [&str; 16] = [
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
    "user_name",
    "is_typing",
    "members_list",
    "display_name",
    "remetente",
    "x",
];

/// Beginnings that lead decoding on to the fields of some frame.
const OPENINGS: [&str; 10] = [
    "",
    r#""command":"new_message","roomName":"lobby","#,
    r#""command":"fetch_message","roomName":"lobby","#,
    r#""type":"chat","groupname":"lobby","display_name":"x","group_name":"1","#,
    r#""type":"notification","user_name":"ben","id":1,"#,
    r#""type":"chat_message","user_id":1,"is_read":true,"#,
    r#""type":"typing_indicator","is_typing":true,"#,
    r#""type":"error","message":"no","#,
    r#""type":"chat_message","members_list":[],"#,
    r#""type":"error","message":"no","members_list":[],"#,
];

/// Values that are cheap to send and could be dear to read.
fn hostile_values() -> Vec<(&'static str, String)> {
    let repeated = |piece: &str| piece.repeat(LEN / piece.len());
    let quoted = |piece: &str| format!("\"{}\"", repeated(piece));
    let listed = |piece: &str| format!("[{}{piece}]", repeated(&format!("{piece},")));
    let depth = LEN / 2;
    vec![
        ("a long text", quoted("x")),
        ("a long text of escapes", quoted(r"\n")),
        ("a long text of escaped surrogates", quoted(r"\ud83d\ude00")),
        ("a long text with one escape", format!(r#""{}\n""#, repeated("x"))),
        ("a long text that never ends", format!("\"{}", repeated(r"\n"))),
        ("deep arrays", format!("{}{}", "[".repeat(depth), "]".repeat(depth))),
        ("deep arrays that never end", "[".repeat(LEN)),
        ("deep objects that never end", repeated(r#"{"":"#)),
        ("an array of numbers", listed("0")),
        ("an array of arrays", listed("[]")),
        ("an array of objects", listed("{}")),
        ("an array of booleans", listed("true")),
        ("an array of escapes", listed(r#""\n""#)),
        ("an object of many keys", format!("{{{}\"\":0}}", repeated(r#""":0,"#))),
        ("a long number", repeated("9")),
        ("a long fraction", format!("0.{}", repeated("9"))),
    ]
}

fn hostile_frames() -> Vec<(String, String)> {
    let mut frames = Vec::new();
    for (what, value) in hostile_values() {
        frames.push((format!("{what} alone"), value.clone()));
        for key in KEYS {
            for opening in OPENINGS {
                frames
                    .push((format!("{{{opening}{key}: {what}}}"), format!("{{{opening}\"{key}\":{value}}}")));
            }
        }
    }
    for (what, field) in [("unknown keys", r#""y":0,"#), ("one key over and over", r#""message":"\n","#)] {
        for opening in OPENINGS {
            let many = field.repeat(LEN / field.len());
            frames.push((format!("{{{opening}{what}}}"), format!("{{{opening}{many}\"message\":\"hi\"}}")));
        }
    }
    let key = r"\n".repeat(LEN / 2);
    frames.push(("a long key".to_owned(), format!("{{\"{key}\":0,\"message\":\"hi\"}}")));
    frames
}

/// Runs `decode`, which says what went wrong, and complains where it allocated too much or said too much.
fn check(what: &str, frame: &str, factor: Factor, decode: impl Fn(&str) -> Option<String>) -> Option<String> {
    let mut error = None;
    let used = measure(|| error = decode(frame));
    let allowed = |factor| factor * u64::try_from(frame.len()).unwrap() + CONSTANT;
    if used.bytes_max > allowed(factor.held) || used.bytes_total > allowed(factor.asked) {
        let (held, asked) = (used.bytes_max, used.bytes_total);
        return Some(format!("{what}: {} bytes held {held} at once, {asked} in all", frame.len()));
    }
    error
        .filter(|error| error.len() > MAX_ERROR_LEN)
        .map(|error| format!("{what}: an error of {} bytes", error.len()))
}

fn none_complains(complaints: &[String]) {
    assert!(complaints.is_empty(), "{} complaints:\n{}", complaints.len(), complaints.join("\n"));
}

#[test]
fn recognizing_allocates_little() {
    let complaints = hostile_frames().into_iter().filter_map(|(what, frame)| {
        check(&what, &frame, FROM_CLIENTS, |frame| {
            Dialect::recognize(frame).err().map(|error| error.to_string())
        })
    });
    none_complains(&complaints.collect::<Vec<_>>());
}

#[test]
fn reading_what_clients_send_allocates_little() {
    // No limit on texts, so that the longest text gets all the way into a command.
    let limits = Limits { max_text_chars: usize::MAX };
    let frames = hostile_frames();
    let complaints = Dialect::ALL.iter().flat_map(|dialect| {
        let limits = &limits;
        frames.iter().filter_map(move |(what, frame)| {
            check(&format!("{dialect}, {what}"), frame, FROM_CLIENTS, |frame| {
                dialect.decode_command(frame, limits).err().map(|error| error.to_string())
            })
        })
    });
    none_complains(&complaints.collect::<Vec<_>>());
}

#[test]
fn reading_what_servers_send_allocates_little() {
    let frames = hostile_frames();
    let complaints = Dialect::ALL.iter().flat_map(|dialect| {
        frames.iter().filter_map(move |(what, frame)| {
            check(&format!("{dialect}, {what}"), frame, FROM_SERVERS, |frame| {
                dialect.decode_event(frame).err().map(|error| error.to_string())
            })
        })
    });
    none_complains(&complaints.collect::<Vec<_>>());
}

#[test]
fn lists_of_real_values_allocate_in_proportion() {
    let lists = [
        ("history", r#"{"command":"fetch_message","message":["#, r#"{"__str__":"a","content":""}"#, "]}"),
        (
            "members",
            r#"{"type":"chat_message","message":{"__str__":"a","content":""},"roomName":"r","username":"a","content":"","members_list":["#,
            r#""a""#,
            "]}",
        ),
    ];
    let complaints = lists.into_iter().filter_map(|(what, opening, entry, end)| {
        let entries = format!("{entry},").repeat(LEN / entry.len());
        let frame = format!("{opening}{entries}{entry}{end}");
        check(what, &frame, LISTS_FROM_SERVERS, |frame| {
            assert!(Dialect::Command.decode_event(frame).is_ok(), "{what}");
            None
        })
    });
    none_complains(&complaints.collect::<Vec<_>>());
}

#[test]
fn errors_repeat_little_of_the_frame() {
    let kind = "\u{202e}\u{10ffff}".repeat(LEN);
    for (dialect, key) in [(Dialect::Command, "command"), (Dialect::Group, "type"), (Dialect::Typed, "type")]
    {
        let error =
            dialect.decode_command(&format!("{{\"{key}\":\"{kind}\"}}"), &Limits::default()).unwrap_err();
        for text in [error.to_string(), format!("{error:?}")] {
            assert!(text.len() <= MAX_ERROR_LEN, "{dialect}: {} bytes", text.len());
        }
    }
}

#[test]
fn a_message_allocates_what_is_kept_of_it_and_nothing_else() {
    // Each with the texts that its command keeps.
    let frames: [(Dialect, &str, &[&str]); 5] = [
        (Dialect::Typed, r#"{"type":"chat_message","message":"Hi! Привет"}"#, &["Hi! Привет"]),
        (Dialect::Plain, r#"{"message":"Hi! Привет","username":"amy"}"#, &["Hi! Привет", "amy"]),
        (Dialect::Remetente, r#"{"message":"Hi! Привет"}"#, &["Hi! Привет"]),
        (
            Dialect::Group,
            r#"{"message":"Hi! Привет","type":"chat","groupname":"lobby"}"#,
            &["Hi! Привет", "lobby"],
        ),
        (
            Dialect::Command,
            r#"{"content":"Hi! Привет","command":"new_message","username":"amy","roomName":["lobby"]}"#,
            &["Hi! Привет", "amy", "lobby"],
        ),
    ];
    let limits = Limits::default();
    for (dialect, frame, kept) in frames {
        let used = measure(|| drop(dialect.decode_command(frame, &limits).unwrap()));
        assert_eq!(used.count_total, kept.len() as u64, "{dialect}");
        // Beside a text, its counts of references.
        let most: usize = kept.iter().map(|text| (text.len() + 16).next_multiple_of(8)).sum();
        assert!(used.bytes_total <= most as u64, "{dialect}: {} of {most} bytes", used.bytes_total);
    }
}
