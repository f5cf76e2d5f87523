//! Values that several dialects write alike.

use alloc::borrow::Cow;
use alloc::string::String;
use core::fmt;

use serde::de::{Deserialize, Deserializer, Error, Visitor};
use serde::{Serialize, Serializer};

use crate::{RoomId, RoomName, RoomRef, TextOrNumber, Timestamp};

/// An id in a frame: written as a number, read from a number or a string of digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WireId(
    /// The number.
    pub i64,
);

impl WireId {
    /// The typed id, where it is in range.
    pub(crate) fn typed<T: TryFrom<i64>>(self) -> Option<T> {
        T::try_from(self.0).ok()
    }

    pub(crate) fn of(id: Option<impl Into<i64>>) -> Option<Self> {
        id.map(|id| Self(id.into()))
    }
}

impl Serialize for WireId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_i64(self.0)
    }
}

impl<'de> Deserialize<'de> for WireId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = match TextOrNumber::deserialize(deserializer)? {
            TextOrNumber::Number(number) => Some(number),
            TextOrNumber::Text(digits) => digits.parse().ok().filter(|_| !digits.starts_with('+')),
        };
        number.map(Self).ok_or_else(|| D::Error::custom("neither a number nor a string of digits"))
    }
}

macro_rules! wire_timestamp {
    ($(#[$doc:meta])* $name:ident, $parse:path, $text:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub struct $name(
            /// The point in time.
            pub Timestamp,
        );

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                let text = $text;
                serializer.serialize_str(text(self.0).as_str())
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct TextVisitor;
                impl Visitor<'_> for TextVisitor {
                    type Value = $name;

                    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                        f.write_str("a timestamp")
                    }

                    fn visit_str<E: Error>(self, text: &str) -> Result<$name, E> {
                        $parse(text).map($name).map_err(E::custom)
                    }
                }
                deserializer.deserialize_str(TextVisitor)
            }
        }
    };
}

wire_timestamp! {
    /// A timestamp as RFC 3339 has it: `2025-10-03T03:00:00Z`.
    Rfc3339, Timestamp::from_rfc3339, Timestamp::text
}
wire_timestamp! {
    /// A timestamp as the `command` document has it: `2024-03-09T13:04:33253530Z`.
    SecondsRunTogether, Timestamp::from_run_together, |at: Timestamp| at.run_together().text()
}

/// Writes a frame. Frames are maps with string keys, so that this cannot fail.
pub(crate) fn to_json(frame: &impl Serialize) -> Option<String> {
    serde_json::to_string(frame).ok()
}

/// A reference to a room as a frame holds it.
pub(crate) fn room_to_wire(room: &RoomRef) -> TextOrNumber<'_> {
    match room {
        RoomRef::Name(name) => TextOrNumber::Text(Cow::Borrowed(name.as_str())),
        RoomRef::Id(id) => TextOrNumber::Number(id.value()),
    }
}

/// A reference to a room that another program wrote; `None` where it breaks our rules.
pub(crate) fn room_from_wire(room: &TextOrNumber<'_>) -> Option<RoomRef> {
    match room {
        TextOrNumber::Text(name) => RoomName::new(name).ok().map(RoomRef::Name),
        TextOrNumber::Number(id) => RoomId::new(*id).ok().map(RoomRef::Id),
    }
}
