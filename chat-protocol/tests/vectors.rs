//! Every frame of every dialect in both directions, from the files in `vectors/`: one file a dialect, one line a case.
//!
//! A frame in a vector is a string (the exact text), an object (written as JSON), or an array of pieces that are put
//! together. Anywhere in a vector, `{"repeat": "x", "times": 3}` stands for `"xxx"`.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a vector that cannot be read fails the test")]

#[path = "vectors/description.rs"]
mod description;

use std::collections::BTreeSet;
use std::fmt::Debug;

use chat_protocol::{Command, DecodeError, Dialect, EncodeContext, ErrorCode, Event, Limits};
use description::{CommandDescription, ContextDescription, EventDescription};
use serde::Deserialize;
use serde_json::Value;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Vectors {
    /// Frames that a server reads.
    client_frames: Vec<ClientFrame>,
    /// Events that a server writes.
    server_events: Vec<ServerEvent>,
    /// Frames that a client reads.
    server_frames: Vec<ServerFrame>,
    /// First frames, by which a server tells the dialect.
    first_frames: Vec<FirstFrame>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ClientFrame {
    case: String,
    frame: Value,
    command: Option<CommandDescription>,
    error: Option<ExpectedError>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ServerEvent {
    case: String,
    event: EventDescription,
    #[serde(default)]
    context: ContextDescription,
    /// `null` where the dialect has no form for the event.
    frame: Value,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ServerFrame {
    case: String,
    frame: Value,
    event: Option<EventDescription>,
    error: Option<ExpectedError>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FirstFrame {
    case: String,
    frame: Value,
    dialect: Option<String>,
    error: Option<ExpectedError>,
}

#[derive(Deserialize, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[serde(deny_unknown_fields)]
struct ExpectedError {
    code: String,
    field: Option<String>,
}

impl From<DecodeError> for ExpectedError {
    fn from(error: DecodeError) -> Self {
        Self { code: error.code().to_string(), field: error.field().map(str::to_owned) }
    }
}

/// The name of a case, and how it differs from what was expected.
type Outcome = (String, Result<(), String>);

/// Runs the cases of one direction in every dialect, and fails with all that differ.
fn check(run: fn(Dialect, Vectors) -> Vec<Outcome>) {
    let mut failures = Vec::new();
    for &dialect in Dialect::ALL {
        let cases = run(dialect, read(dialect));
        assert!(!cases.is_empty(), "{dialect} has no cases");
        failures.extend(cases.into_iter().filter_map(|(case, result)| {
            result.err().map(|difference| format!("{dialect}, {case}:\n{difference}"))
        }));
    }
    assert!(failures.is_empty(), "{} cases failed\n\n{}", failures.len(), failures.join("\n\n"));
}

fn compare<T: Debug + PartialEq>(found: &T, expected: &T) -> Result<(), String> {
    if found == expected {
        return Ok(());
    }
    Err(format!("  found    {}\n  expected {}", shortened(found), shortened(expected)))
}

fn shortened(value: &impl Debug) -> String {
    format!("{value:?}").chars().take(400).collect()
}

fn expected<T>(value: Option<T>, error: Option<ExpectedError>) -> Result<T, ExpectedError> {
    match (value, error) {
        (Some(value), None) => Ok(value),
        (None, Some(error)) => Err(error),
        _ => panic!("a case expects either a value or an error"),
    }
}

fn read(dialect: Dialect) -> Vectors {
    let path = format!("{}/tests/vectors/{dialect}.json", env!("CARGO_MANIFEST_DIR"));
    let mut vectors: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    expand(&mut vectors);
    serde_json::from_value(vectors).unwrap_or_else(|error| panic!("{dialect}: {error}"))
}

/// Puts texts in the place of their abbreviations.
fn expand(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            if let (Some(Value::String(piece)), Some(times)) = (fields.get("repeat"), fields.get("times")) {
                let times = usize::try_from(times.as_u64().unwrap()).unwrap();
                *value = Value::String(piece.repeat(times));
            } else {
                fields.values_mut().for_each(expand);
            }
        }
        Value::Array(items) => items.iter_mut().for_each(expand),
        _ => {}
    }
}

/// The text of a frame.
fn text(frame: &Value) -> String {
    match frame {
        Value::String(text) => text.clone(),
        Value::Array(pieces) => pieces.iter().map(|piece| piece.as_str().unwrap()).collect(),
        other => other.to_string(),
    }
}

#[test]
fn client_frames_are_read() {
    check(|dialect, vectors| {
        let limits = Limits::default();
        let cases = vectors.client_frames.into_iter().map(|case| {
            let found = dialect.decode_command(&text(&case.frame), &limits).map_err(ExpectedError::from);
            (case.case, compare(&found, &expected(case.command.map(Command::from), case.error)))
        });
        cases.collect()
    });
}

#[test]
fn server_events_are_written() {
    check(|dialect, vectors| {
        let cases = vectors.server_events.into_iter().map(|case| {
            let found = dialect.encode_event(&case.event.into(), &EncodeContext::from(case.context));
            let found = found.map_or(Value::Null, |frame| serde_json::from_str(&frame).unwrap());
            (case.case, compare(&found, &case.frame))
        });
        cases.collect()
    });
}

#[test]
fn server_frames_are_read() {
    check(|dialect, vectors| {
        let cases = vectors.server_frames.into_iter().map(|case| {
            let found = dialect.decode_event(&text(&case.frame)).map_err(ExpectedError::from);
            (case.case, compare(&found, &expected(case.event.map(Event::from), case.error)))
        });
        cases.collect()
    });
}

#[test]
fn dialects_are_recognized() {
    check(|_, vectors| {
        let cases = vectors.first_frames.into_iter().map(|case| {
            let found = Dialect::recognize(&text(&case.frame)).map_err(ExpectedError::from);
            let dialect = case.dialect.map(|name| name.parse().unwrap());
            (case.case, compare(&found, &expected(dialect, case.error)))
        });
        cases.collect()
    });
}

/// What a client writes is what its server reads, for every command that a vector has.
#[test]
fn commands_of_the_vectors_are_written_as_they_are_read() {
    check(|dialect, vectors| {
        let limits = Limits::default();
        let cases = vectors.client_frames.into_iter().filter_map(|case| {
            let command = Command::from(case.command?);
            let frame = dialect.encode_command(&command).unwrap();
            Some((case.case, compare(&dialect.decode_command(&frame, &limits), &Ok(command))))
        });
        cases.collect()
    });
}

#[test]
fn vectors_reach_every_way_to_fail() {
    let decoding: BTreeSet<&str> = ErrorCode::ALL
        .iter()
        .take_while(|code| **code != ErrorCode::BinaryFrame)
        .map(|code| code.as_str())
        .collect();
    let mut reached = BTreeSet::new();
    for &dialect in Dialect::ALL {
        let vectors = read(dialect);
        reached.extend(vectors.client_frames.into_iter().filter_map(|case| case.error));
        reached.extend(vectors.first_frames.into_iter().filter_map(|case| case.error));
    }
    assert_eq!(reached.iter().map(|error| error.code.as_str()).collect::<BTreeSet<_>>(), decoding);
}
