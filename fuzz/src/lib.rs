//! What the fuzz targets of `chat-protocol` run, so that ordinary tests can run it, too.
//!
//! Each target takes any bytes and panics where something does not hold. The programs in `fuzz_targets/` hand them to
//! libFuzzer, which needs the feature `libfuzzer` and a nightly compiler; `tests/seeds.rs` needs neither. `fuzz/run 60`
//! fuzzes every target for a minute; so does `cargo fuzz`, one by one:
//!
//! ```text
//! cargo +nightly fuzz run --fuzz-dir fuzz --features libfuzzer decode_typed fuzz/corpus/decode_typed fuzz/seeds/decode_typed
//! ```

use chat_protocol::{DecodeError, Dialect, EncodeContext, Endpoint, Event, Limits, Timestamp};

/// A fuzz target: its name, and what it runs.
pub type Target = (&'static str, fn(&[u8]));

/// Every target.
pub const TARGETS: &[Target] = &[
    ("recognize", recognize),
    ("timestamps", timestamps),
    ("decode_command", |data| decode(Dialect::Command, data)),
    ("decode_plain", |data| decode(Dialect::Plain, data)),
    ("decode_group", |data| decode(Dialect::Group, data)),
    ("decode_remetente", |data| decode(Dialect::Remetente, data)),
    ("decode_typed", |data| decode(Dialect::Typed, data)),
    ("roundtrip_command", |data| roundtrip(Dialect::Command, data)),
    ("roundtrip_plain", |data| roundtrip(Dialect::Plain, data)),
    ("roundtrip_group", |data| roundtrip(Dialect::Group, data)),
    ("roundtrip_remetente", |data| roundtrip(Dialect::Remetente, data)),
    ("roundtrip_typed", |data| roundtrip(Dialect::Typed, data)),
];

/// Most bytes that the text of an error may have.
const MAX_ERROR_LEN: usize = 600;

/// Tells the dialect of a first frame; the dialect must then know such a frame, whatever else is wrong with it.
///
/// # Panics
///
/// Where the dialect does not know the frame, or an error is long.
pub fn recognize(data: &[u8]) {
    let Ok(text) = str::from_utf8(data) else { return };
    match Dialect::recognize(text) {
        Ok(dialect) => {
            let read = dialect.decode_command(text, &Limits::default());
            assert_ne!(read, Err(DecodeError::NotAnObject), "{dialect}");
            // `command` is told by the mere key.
            let is_unknown = matches!(read, Err(DecodeError::UnknownKind { .. }));
            assert!(!is_unknown || dialect == Dialect::Command, "{dialect}");
        }
        Err(error) => assert_is_short(&error),
    }
}

/// Reads a time in both forms; what is read is written so that it is read again.
///
/// # Panics
///
/// Where a time is not read as it was written.
pub fn timestamps(data: &[u8]) {
    let Ok(text) = str::from_utf8(data) else { return };
    for time in [Timestamp::from_rfc3339(text), Timestamp::from_run_together(text)].into_iter().flatten() {
        assert!((Timestamp::MIN..=Timestamp::MAX).contains(&time), "{time}");
        assert_eq!(Timestamp::from_rfc3339(&time.to_string()), Ok(time));
        assert_eq!(Timestamp::from_run_together(&time.run_together().to_string()), Ok(time));
    }
}

/// Reads a frame as a server does and as a client does: neither may panic, or say much about what it refuses.
///
/// # Panics
///
/// Where an error is long.
pub fn decode(dialect: Dialect, data: &[u8]) {
    let Ok(text) = str::from_utf8(data) else { return };
    let command = dialect.decode_command(text, &Limits::default());
    let event = dialect.decode_event(text);
    command.err().iter().chain(event.err().iter()).for_each(assert_is_short);
}

/// Reads a frame, writes what was read, and reads that: it must be the same.
///
/// # Panics
///
/// Where it is not the same.
pub fn roundtrip(dialect: Dialect, data: &[u8]) {
    let Ok(text) = str::from_utf8(data) else { return };
    let limits = Limits::default();
    if let Ok(command) = dialect.decode_command(text, &limits) {
        let written = dialect.encode_command(&command);
        let read = written.as_deref().map(|frame| dialect.decode_command(frame, &limits));
        assert_eq!(read, Some(Ok(command)), "{written:?}");
    }
    if let Ok(event) = dialect.decode_event(text) {
        let context = EncodeContext { endpoint: endpoint_of(&event), ..EncodeContext::default() };
        // The first writing fills in what a frame may lack, such as the name of nobody. So two writings are compared.
        let written = dialect.encode_event(&event, &context);
        assert!(written.is_some(), "{event:?}");
        let read = written.as_deref().map(|frame| dialect.decode_event(frame));
        let rewritten = read.and_then(Result::ok).and_then(|event| dialect.encode_event(&event, &context));
        assert_eq!(rewritten, written, "{event:?}");
    }
}

fn endpoint_of(event: &Event) -> Endpoint {
    match event {
        Event::RoomActive(_) => Endpoint::Listener,
        _ => Endpoint::Room,
    }
}

fn assert_is_short(error: &DecodeError) {
    let text = error.to_string();
    assert!(text.len() <= MAX_ERROR_LEN, "{text}");
}
