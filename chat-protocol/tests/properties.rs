//! What holds for every command, event, name and input, however odd.

#![allow(clippy::unwrap_used, reason = "what cannot be generated fails the test")]

#[path = "properties/generate.rs"]
mod generate;

use chat_protocol::{
    ClientId, Command, Dialect, EncodeContext, Event, FetchHistory, IdError, Limits, MessageId, MessageText,
    Refusal, RoomName, SendMessage, Timestamp, Username,
};
use generate::{command, context, dialect, event, input, text, timestamp};
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::Value;

/// Most bytes of an error's text.
const MAX_ERROR_LEN: usize = 600;

fn value(frame: &str) -> Value {
    serde_json::from_str(frame).unwrap()
}

/// The dialects of which [`narrowed`] knows.
const DOCUMENTED: [Dialect; 5] =
    [Dialect::Command, Dialect::Plain, Dialect::Group, Dialect::Remetente, Dialect::Typed];

/// What is left of a command in a dialect, or nothing where the dialect has no form for it.
fn narrowed(dialect: Dialect, command: Command) -> Option<Command> {
    match (dialect, &command) {
        (Dialect::Command | Dialect::Group, Command::SendMessage(SendMessage { room: Some(_), .. }))
        | (Dialect::Command, Command::FetchHistory(FetchHistory { room: Some(_), .. }))
        | (Dialect::Group, Command::SendNotification(_))
        | (Dialect::Typed, Command::SetTyping { .. } | Command::MarkRead) => Some(command),
        (Dialect::Plain | Dialect::Typed, Command::SendMessage(send)) => {
            Some(Command::SendMessage(SendMessage { room: None, ..send.clone() }))
        }
        (Dialect::Remetente, Command::SendMessage(send)) => {
            Some(Command::SendMessage(SendMessage { room: None, claimed_sender: None, ..send.clone() }))
        }
        _ => None,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_client_reads_what_a_server_writes(dialect in dialect(), event in event(), context in context()) {
        if let Some(frame) = dialect.encode_event(&event, &context) {
            let read = dialect.decode_event(&frame).map_err(|error| TestCaseError::fail(error.to_string()))?;
            let again = dialect.encode_event(&read, &context).map(|frame| value(&frame));
            prop_assert_eq!(again, Some(value(&frame)));
            prop_assert_eq!(std::mem::discriminant(&read), std::mem::discriminant(&event));
        }
    }

    #[test]
    fn a_server_reads_what_a_client_writes(dialect in dialect(), command in command()) {
        if let Some(frame) = dialect.encode_command(&command) {
            let read = dialect.decode_command(&frame, &Limits::default());
            let read = read.map_err(|error| TestCaseError::fail(error.to_string()))?;
            prop_assert_eq!(std::mem::discriminant(&read), std::mem::discriminant(&command));
            prop_assert_eq!(dialect.encode_command(&read), Some(frame));
        }
    }

    #[test]
    fn the_documents_dialects_lose_no_field_that_they_have(dialect in select(&DOCUMENTED), command in command()) {
        let frame = dialect.encode_command(&command);
        let read = frame.as_deref().map(|frame| dialect.decode_command(frame, &Limits::default()));
        prop_assert_eq!(read, narrowed(dialect, command).map(Ok));
    }

    #[test]
    fn a_dialect_is_recognized_by_what_its_clients_write(dialect in dialect(), command in command()) {
        // The frames of `remetente` look like those of `plain`.
        let expected = if dialect == Dialect::Remetente { Dialect::Plain } else { dialect };
        if let Some(frame) = dialect.encode_command(&command) {
            prop_assert_eq!(Dialect::recognize(&frame), Ok(expected));
        }
    }

    #[test]
    fn no_input_makes_decoding_panic_or_say_too_much(input in input()) {
        let mut errors = vec![Dialect::recognize(&input).err()];
        for &dialect in Dialect::ALL {
            errors.push(dialect.decode_command(&input, &Limits::default()).err());
            errors.push(dialect.decode_event(&input).err());
        }
        for error in errors.into_iter().flatten() {
            prop_assert!(error.to_string().len() <= MAX_ERROR_LEN);
            let refused = Event::Refused(Refusal::from(&error));
            for &dialect in Dialect::ALL {
                let frame = dialect.encode_event(&refused, &EncodeContext::default());
                prop_assert!(frame.is_some_and(|frame| frame.len() <= MAX_ERROR_LEN));
            }
        }
    }

    #[test]
    fn what_decoding_takes_it_takes_again(dialect in dialect(), input in input()) {
        if let Ok(command) = dialect.decode_command(&input, &Limits::default()) {
            let frame = dialect.encode_command(&command).unwrap();
            prop_assert_eq!(dialect.decode_command(&frame, &Limits::default()), Ok(command));
        }
    }

    #[test]
    fn times_are_read_as_they_are_written(time in timestamp()) {
        prop_assert_eq!(Timestamp::from_rfc3339(&time.to_string()), Ok(time));
        prop_assert_eq!(Timestamp::from_run_together(&time.run_together().to_string()), Ok(time));
        prop_assert_eq!(Timestamp::from_micros(time.as_micros()), Ok(time));
    }

    #[test]
    fn later_times_are_written_later(one in timestamp(), other in timestamp()) {
        let [one_text, other_text] = [one, other].map(|time| time.run_together().to_string());
        prop_assert_eq!(one_text.cmp(&other_text), one.cmp(&other));
    }

    #[test]
    fn an_offset_shifts_a_time(time in timestamp(), hours in 0..24_i64, minutes in 0..60_i64, west in any::<bool>()) {
        let (sign, shift) = if west { ('-', 1) } else { ('+', -1) };
        let text = time.to_string().replace('Z', &format!("{sign}{hours:02}:{minutes:02}"));
        let shifted = time.as_micros() + shift * (hours * 60 + minutes) * 60_000_000;
        prop_assert_eq!(Timestamp::from_rfc3339(&text), Timestamp::from_micros(shifted));
    }

    #[test]
    fn any_text_is_a_time_or_none(text in "[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9:.]{0,18}[Zz+-]?[0-9:]{0,6}|\\PC*") {
        for time in [Timestamp::from_rfc3339(&text), Timestamp::from_run_together(&text)].into_iter().flatten() {
            prop_assert_eq!(Timestamp::from_rfc3339(&time.to_string()), Ok(time));
        }
    }

    #[test]
    fn any_number_is_a_time_or_none(micros in any::<i64>()) {
        let within = (Timestamp::MIN.as_micros()..=Timestamp::MAX.as_micros()).contains(&micros);
        prop_assert_eq!(Timestamp::from_micros(micros).is_ok(), within);
    }

    #[test]
    fn what_is_valid_is_kept_as_it_was_written(text in text(), max_text_chars in 0..60_usize) {
        let limits = Limits { max_text_chars };
        let kept = [
            RoomName::new(&text).ok().map(|name| name.to_string()),
            Username::new(&text).ok().map(|name| name.to_string()),
            MessageText::new(&text, &limits).ok().map(|text| text.to_string()),
            ClientId::new(&text).ok().map(|mark| mark.to_string()),
        ];
        for kept in kept.into_iter().flatten() {
            prop_assert_eq!(&kept, &text);
        }
    }

    #[test]
    fn texts_within_the_limit_are_texts(text in text(), max_text_chars in 0..60_usize) {
        let valid = !text.trim().is_empty() && !text.contains('\0') && text.chars().count() <= max_text_chars;
        prop_assert_eq!(MessageText::new(&text, &Limits { max_text_chars }).is_ok(), valid);
    }

    #[test]
    fn ids_are_read_as_they_are_written(number in any::<i64>()) {
        let id = MessageId::new(number);
        prop_assert_eq!(id.is_ok(), number > 0);
        prop_assert_eq!(number.to_string().parse::<MessageId>(), id);
        prop_assert_eq!(format!("+{number}").parse::<MessageId>(), Err(IdError));
    }
}
