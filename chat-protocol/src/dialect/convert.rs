//! Steps of translation that several dialects share.

use alloc::borrow::Cow;
use alloc::string::String;
use alloc::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::wire::{WireId, to_json};
use crate::{
    ClientId, DecodeError, ErrorCode, Event, Language, Limits, Message, MessagePosted, MessageText, Person,
    Refusal, RoomId, RoomLabel, RoomName, RoomRef, SendMessage, TextOrNumber, Username, ValueError,
};

pub(super) fn message_text(
    text: Cow<'_, str>,
    field: &'static str,
    limits: &Limits,
) -> Result<MessageText, DecodeError> {
    let checked = match text {
        // It stands so in the frame, and JSON has U+0000 as an escape only.
        Cow::Borrowed(text) => MessageText::without_nul(text, limits),
        Cow::Owned(text) => MessageText::new(&text, limits),
    };
    checked.map_err(|reason| invalid(field, ValueError::Text(reason)))
}

pub(super) fn username(name: &str, field: &'static str) -> Result<Username, DecodeError> {
    Username::new(name).map_err(|reason| invalid(field, ValueError::Username(reason)))
}

/// The name that a frame claims; an empty one claims nothing.
pub(super) fn claimed_sender(
    name: Option<Cow<'_, str>>,
    field: &'static str,
) -> Result<Option<Username>, DecodeError> {
    name.filter(|name| !name.is_empty()).map(|name| username(&name, field)).transpose()
}

pub(super) fn client_id(id: Option<Cow<'_, str>>) -> Result<Option<ClientId>, DecodeError> {
    id.map(|id| ClientId::new(&id).map_err(|reason| invalid("client_id", ValueError::ClientId(reason))))
        .transpose()
}

pub(super) fn room_ref(room: &TextOrNumber<'_>, field: &'static str) -> Result<RoomRef, DecodeError> {
    match room {
        TextOrNumber::Text(name) => RoomName::new(name)
            .map(RoomRef::Name)
            .map_err(|reason| invalid(field, ValueError::RoomName(reason))),
        TextOrNumber::Number(id) => {
            RoomId::new(*id).map(RoomRef::Id).map_err(|reason| invalid(field, ValueError::Id(reason)))
        }
    }
}

pub(super) fn invalid(field: &'static str, reason: ValueError) -> DecodeError {
    DecodeError::InvalidValue { field, reason }
}

/// A person of whom a frame tells the name only.
pub(super) fn named(name: Option<&str>) -> Person {
    Person { id: None, name: name.and_then(known_name) }
}

/// A name that a server sent; one that breaks our rules counts as none.
pub(super) fn known_name(name: &str) -> Option<Username> {
    Username::new(name).ok()
}

/// The name under which a person's messages are shown.
pub(super) fn shown_name(person: &Person) -> Cow<'_, str> {
    Cow::Borrowed(person.name.as_ref().map_or(Username::ANONYMOUS, Username::as_str))
}

pub(super) fn shown_client_id(id: Option<&ClientId>) -> Option<Cow<'_, str>> {
    id.map(|id| Cow::Borrowed(id.as_str()))
}

/// A mark that a server sent back; one that breaks our rules counts as none.
pub(super) fn known_client_id(id: Option<Cow<'_, str>>) -> Option<ClientId> {
    id.and_then(|id| ClientId::new(&id).ok())
}

/// The error frame of the dialects that tell frames apart by `type` or `command`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorBody<'a> {
    /// The reason, for people.
    #[serde(borrow)]
    pub message: Cow<'a, str>,
    /// The reason, for programs: an [`ErrorCode`].
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub code: Option<Cow<'a, str>>,
    /// The field that is to blame.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub field: Option<Cow<'a, str>>,
    /// The mark of the send that was refused.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub client_id: Option<Cow<'a, str>>,
}

impl<'a> ErrorBody<'a> {
    pub(super) fn of(refusal: &'a Refusal, language: Language) -> Self {
        Self {
            message: Cow::Owned(language.refusal(refusal)),
            code: Some(Cow::Borrowed(refusal.code.as_str())),
            field: refusal.field.as_deref().map(Cow::Borrowed),
            client_id: shown_client_id(refusal.client_id.as_ref()),
        }
    }

    pub(super) fn into_event(self) -> Event {
        Event::Refused(Refusal {
            code: error_code(self.code.as_deref()),
            field: self.field.map(|field| Cow::Owned(field.into_owned())),
            limit: None,
            text: Some(Arc::from(self.message)),
            client_id: known_client_id(self.client_id),
        })
    }
}

pub(super) fn error_code(code: Option<&str>) -> ErrorCode {
    code.and_then(|code| code.parse().ok()).unwrap_or(ErrorCode::Other)
}

/// What the dialects have in common that know nothing but messages; they differ in the key of the sender's name.
pub(super) struct BareMessage<'a> {
    pub(super) message: Cow<'a, str>,
    pub(super) sender: Cow<'a, str>,
    pub(super) message_id: Option<WireId>,
    pub(super) error: Option<Cow<'a, str>>,
    pub(super) client_id: Option<Cow<'a, str>>,
}

impl<'a> BareMessage<'a> {
    /// A message, or an error as a message from the reserved name; nothing else has a form.
    pub(super) fn of(event: &'a Event, language: Language) -> Option<Self> {
        match event {
            Event::MessagePosted(MessagePosted { message, .. }) => Some(Self {
                message: Cow::Borrowed(&message.text),
                sender: shown_name(&message.sender),
                message_id: WireId::of(message.id),
                error: None,
                client_id: shown_client_id(message.client_id.as_ref()),
            }),
            Event::Refused(refusal) => Some(Self {
                message: Cow::Owned(language.refusal(refusal)),
                sender: Cow::Borrowed(Username::SERVER),
                message_id: None,
                error: Some(Cow::Borrowed(refusal.code.as_str())),
                client_id: shown_client_id(refusal.client_id.as_ref()),
            }),
            _ => None,
        }
    }

    pub(super) fn into_event(self) -> Event {
        let client_id = known_client_id(self.client_id);
        if self.error.is_some() {
            let code = error_code(self.error.as_deref());
            return Event::Refused(Refusal {
                text: Some(Arc::from(self.message)),
                client_id,
                ..Refusal::new(code)
            });
        }
        Event::MessagePosted(MessagePosted {
            room: RoomLabel::default(),
            message: Message {
                id: self.message_id.and_then(WireId::typed),
                sender: named(Some(&self.sender)),
                text: Arc::from(self.message),
                sent_at: None,
                is_read: None,
                client_id,
            },
        })
    }
}

/// The send command of a dialect in which a room is not named in the frame.
pub(super) fn send_here(
    text: MessageText,
    claimed_sender: Option<Username>,
    client_id: Option<ClientId>,
) -> SendMessage {
    SendMessage { room: None, text, claimed_sender, client_id }
}

/// Writes a frame where there is one.
pub(super) fn written(frame: Option<impl Serialize>) -> Option<String> {
    frame.and_then(|frame| to_json(&frame))
}
