//! The dialect of the `remetente` document: messages with the name of their sender as `remetente`.
//!
//! Its client frames look like those of `plain`, so that it is told by the path of the handshake alone.

use alloc::borrow::Cow;
use alloc::string::String;

use serde::{Deserialize, Serialize};

use super::convert::{self, BareMessage};
use super::{Codec, EncodeContext, Probe, from_json};
use crate::json::read_fields;
use crate::wire::{WireId, to_json};
use crate::{Behavior, Command, DecodeError, Event, Limits};

/// What a client sends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ClientFrame<'a> {
    /// The text.
    pub message: Cow<'a, str>,
    /// The client's mark on this send (additive).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_id: Option<Cow<'a, str>>,
}

/// What a server sends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServerFrame<'a> {
    /// The text.
    #[serde(borrow)]
    pub message: Cow<'a, str>,
    /// Who wrote it; the reserved name `server` where it is an error.
    #[serde(borrow)]
    pub remetente: Cow<'a, str>,
    /// The id of the message (additive).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message_id: Option<WireId>,
    /// The code of the error (additive).
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub error: Option<Cow<'a, str>>,
    /// The mark that the sender put on the message (additive).
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub client_id: Option<Cow<'a, str>>,
}

impl<'a> ClientFrame<'a> {
    /// Reads the frame, checking the types of its fields but not yet their values.
    ///
    /// # Errors
    ///
    /// [`DecodeError`] names the field and the reason.
    pub fn from_json(text: &'a str) -> Result<Self, DecodeError> {
        let [message, client_id] = read_fields(text, ["message", "client_id"])?;
        Ok(Self { message: message.text("message")?, client_id: client_id.optional_text("client_id")? })
    }
}

pub(super) struct Dialect;

impl Codec for Dialect {
    fn behavior(&self) -> Behavior {
        Behavior { user_parameter: "user", ..Behavior::ONE_ROOM }
    }

    fn recognizes(&self, _: &Probe<'_>) -> bool {
        false
    }

    fn decode_command(&self, text: &str, limits: &Limits) -> Result<Command, DecodeError> {
        let frame = ClientFrame::from_json(text)?;
        Ok(Command::SendMessage(convert::send_here(
            convert::message_text(frame.message, "message", limits)?,
            None,
            convert::client_id(frame.client_id)?,
        )))
    }

    fn encode_command(&self, command: &Command) -> Option<String> {
        let Command::SendMessage(send) = command else { return None };
        to_json(&ClientFrame {
            message: Cow::Borrowed(send.text.as_str()),
            client_id: convert::shown_client_id(send.client_id.as_ref()),
        })
    }

    fn decode_event(&self, text: &str) -> Result<Event, DecodeError> {
        let ServerFrame { message, remetente: sender, message_id, error, client_id } = from_json(text)?;
        Ok(BareMessage { message, sender, message_id, error, client_id }.into_event())
    }

    fn encode_event(&self, event: &Event, context: &EncodeContext) -> Option<String> {
        let BareMessage { message, sender: remetente, message_id, error, client_id } =
            BareMessage::of(event, context.language)?;
        to_json(&ServerFrame { message, remetente, message_id, error, client_id })
    }
}
