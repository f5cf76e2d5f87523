//! What frames of the dialects have in common for tests: how they post, and how they answer.

use serde_json::{Value, json};

/// The names of all dialects.
pub const DIALECTS: [&str; 5] = ["command", "plain", "group", "remetente", "typed"];

/// Checks that a frame is an error of a dialect, or of the listener, and gives its code.
#[must_use]
pub fn code_of(dialect: &str, frame: &Value) -> String {
    let code = match dialect {
        "command" => {
            assert_eq!(frame["command"], "error", "{frame}");
            &frame["code"]
        }
        "plain" => {
            assert_eq!(frame["username"], "server", "{frame}");
            &frame["error"]
        }
        "remetente" => {
            assert_eq!(frame["remetente"], "server", "{frame}");
            &frame["error"]
        }
        "group" | "typed" => {
            assert_eq!(frame["type"], "error", "{frame}");
            &frame["code"]
        }
        "listener" => {
            assert_eq!(frame["members_list"], json!([]), "{frame}");
            &frame["code"]
        }
        other => unreachable!("{other}"),
    };
    assert!(frame["message"].as_str().is_some_and(|text| !text.is_empty()), "{frame}");
    code.as_str().expect("a code").to_owned()
}

/// A frame that posts a text to the room `hall`.
#[must_use]
pub fn post(dialect: &str, text: &Value) -> Value {
    match dialect {
        "command" => json!({"command": "new_message", "content": text, "roomName": "hall"}),
        "group" => json!({"type": "chat", "message": text, "groupname": "hall"}),
        "typed" => json!({"type": "chat_message", "message": text}),
        _ => json!({"message": text}),
    }
}

/// The text of a frame that brings a message; `None` for any other frame.
#[must_use]
pub fn text_of<'a>(dialect: &str, frame: &'a Value) -> Option<&'a str> {
    let text = match dialect {
        "command" if frame["command"] == "new_message" => frame["message"].get("content")?,
        "group" if frame["type"] == "chat" => &frame["message"],
        "typed" if frame["type"] == "chat_message" => &frame["message"],
        "plain" | "remetente" if frame.get("error").is_none() => &frame["message"],
        _ => return None,
    };
    text.as_str()
}

/// The id of a frame that brings a message.
#[must_use]
pub fn id_of(frame: &Value) -> i64 {
    // `command` has the parts of a message in an object of their own.
    let id = frame.get("message_id").or_else(|| frame["message"].get("message_id"));
    id.and_then(Value::as_i64).unwrap_or_else(|| panic!("no id in {frame}"))
}
