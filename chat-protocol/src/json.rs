//! Reads the fields of one JSON object in a single pass, whatever else stands in it.
//!
//! Serde's derived enums either buffer the whole object (tagged ones) or refuse a key that comes twice. Clients send
//! keys in any order, twice, and with values of any type, and want to hear which field is wrong. So a frame's known
//! fields are read into [`Value`]s first, which borrow from the text; what is unknown is skipped.

use alloc::borrow::Cow;
use core::fmt;
use core::marker::PhantomData;

use serde::de::{
    Deserialize, DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor,
};
use serde_json::error::Category;

use crate::{DecodeError, IdError, JsonType, ValueError};

/// The value of a field, as far as any frame can need it.
#[derive(Debug, Clone, Default)]
pub(crate) enum Value<'a> {
    #[default]
    Absent,
    Null,
    Bool(bool),
    /// A whole number that fits.
    Integer(i64),
    /// Any other number.
    Number,
    Text(Cow<'a, str>),
    /// An array of exactly one string.
    ListOfOne(Cow<'a, str>),
    /// Any other array.
    Array,
    Object,
}

/// Reads an object and gives the values of these fields; of a key that comes twice, the last value, as in Python and
/// in browsers.
pub(crate) fn read_fields<'a, const N: usize>(
    text: &'a str,
    names: [&'static str; N],
) -> Result<[Value<'a>; N], DecodeError> {
    let mut values = [const { Value::Absent }; N];
    read_into(&mut values, text, &names)?;
    Ok(values)
}

/// Fills in the values where they are, since moving them costs as much as reading them.
fn read_into<'a>(values: &mut [Value<'a>], text: &'a str, names: &[&'static str]) -> Result<(), DecodeError> {
    if !begins_an_object(text) {
        // Told apart here, because an error of serde about a wrong type repeats the value.
        serde_json::from_str::<IgnoredAny>(text).map_err(|error| syntax_error(&error))?;
        return Err(DecodeError::NotAnObject);
    }
    let mut deserializer = serde_json::Deserializer::from_str(text);
    deserializer.deserialize_map(FieldsVisitor { names, values }).map_err(|error| syntax_error(&error))?;
    deserializer.end().map_err(|error| syntax_error(&error))
}

/// Whether the first character that counts opens an object.
pub(crate) fn begins_an_object(text: &str) -> bool {
    text.bytes().find(|byte| !matches!(byte, b' ' | b'\t' | b'\n' | b'\r')) == Some(b'{')
}

/// Tells what `serde_json` stumbled over.
pub(crate) fn syntax_error(error: &serde_json::Error) -> DecodeError {
    match error.classify() {
        Category::Data => DecodeError::NotAnObject,
        Category::Io | Category::Syntax | Category::Eof => {
            DecodeError::InvalidJson { line: error.line(), column: error.column() }
        }
    }
}

impl<'a> Value<'a> {
    pub(crate) fn is_absent(&self) -> bool {
        matches!(self, Self::Absent)
    }

    /// A string that must be there.
    pub(crate) fn text(self, field: &'static str) -> Result<Cow<'a, str>, DecodeError> {
        match self {
            Self::Text(text) => Ok(text),
            other => Err(other.is_not("a string", field)),
        }
    }

    /// The same, looked at where it is.
    pub(crate) fn as_text(&self, field: &'static str) -> Result<&str, DecodeError> {
        match self {
            Self::Text(text) => Ok(text),
            other => Err(other.is_not("a string", field)),
        }
    }

    /// A string that may be missing or `null`.
    pub(crate) fn optional_text(self, field: &'static str) -> Result<Option<Cow<'a, str>>, DecodeError> {
        match self {
            Self::Absent | Self::Null => Ok(None),
            Self::Text(text) => Ok(Some(text)),
            other => Err(other.is_not("a string", field)),
        }
    }

    /// A boolean that must be there.
    pub(crate) fn boolean(self, field: &'static str) -> Result<bool, DecodeError> {
        match self {
            Self::Bool(value) => Ok(value),
            other => Err(other.is_not("a boolean", field)),
        }
    }

    /// A string or a whole number, or an array of one string.
    pub(crate) fn text_or_number(self, field: &'static str) -> Result<TextOrNumber<'a>, DecodeError> {
        match self {
            Self::Text(text) | Self::ListOfOne(text) => Ok(TextOrNumber::Text(text)),
            Self::Integer(number) => Ok(TextOrNumber::Number(number)),
            other => Err(other.is_not("a string or a whole number", field)),
        }
    }

    /// A whole number, or a string of digits, that may be missing or `null`.
    pub(crate) fn optional_integer(self, field: &'static str) -> Result<Option<i64>, DecodeError> {
        match self {
            Self::Absent | Self::Null => Ok(None),
            Self::Integer(number) => Ok(Some(number)),
            Self::Text(digits) => match digits.parse() {
                Ok(number) if !digits.starts_with('+') => Ok(Some(number)),
                _ => Err(DecodeError::InvalidValue { field, reason: ValueError::Id(IdError) }),
            },
            other => Err(other.is_not("a whole number", field)),
        }
    }

    #[cold]
    fn is_not(&self, expected: &'static str, field: &'static str) -> DecodeError {
        let found = match self {
            Self::Absent => return DecodeError::MissingField { field },
            Self::Null => JsonType::Null,
            Self::Bool(_) => JsonType::Bool,
            Self::Integer(_) | Self::Number => JsonType::Number,
            Self::Text(_) => JsonType::String,
            Self::ListOfOne(_) | Self::Array => JsonType::Array,
            Self::Object => JsonType::Object,
        };
        DecodeError::WrongType { field, expected, found }
    }
}

/// A value that the documents write as a string or as a number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TextOrNumber<'a> {
    /// It was a string.
    Text(Cow<'a, str>),
    /// It was a number.
    Number(i64),
}

impl serde::Serialize for TextOrNumber<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Text(text) => serializer.serialize_str(text),
            Self::Number(number) => serializer.serialize_i64(*number),
        }
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for TextOrNumber<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Value::deserialize(deserializer)? {
            Value::Text(text) => Ok(Self::Text(text)),
            Value::Integer(number) => Ok(Self::Number(number)),
            _ => Err(D::Error::custom("neither a string nor a whole number")),
        }
    }
}

struct FieldsVisitor<'a, 'v> {
    names: &'v [&'static str],
    values: &'v mut [Value<'a>],
}

impl<'de> Visitor<'de> for FieldsVisitor<'de, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Self { names, values } = self;
        while let Some(place) = map.next_key_seed(NameVisitor(names))? {
            match place.and_then(|place| values.get_mut(place)) {
                Some(value) => *value = map.next_value()?,
                None => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(())
    }
}

/// Finds the place of a key among the known names.
struct NameVisitor<'n>(&'n [&'static str]);

impl<'de> DeserializeSeed<'de> for NameVisitor<'_> {
    type Value = Option<usize>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for NameVisitor<'_> {
    type Value = Option<usize>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E: Error>(self, key: &str) -> Result<Self::Value, E> {
        Ok(self.0.iter().position(|name| *name == key))
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Value<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ValueVisitor(PhantomData))
    }
}

struct ValueVisitor<'a>(PhantomData<&'a ()>);

impl<'de: 'a, 'a> Visitor<'de> for ValueVisitor<'a> {
    type Value = Value<'a>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Self::Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Self::Value, E> {
        Ok(Value::Integer(value))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Self::Value, E> {
        Ok(i64::try_from(value).map_or(Value::Number, Value::Integer))
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<Self::Value, E> {
        Ok(Value::Number)
    }

    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Value::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Value::Text(Cow::Owned(text.into())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let first = list.next_element::<Value<'_>>()?;
        let mut others = 0_usize;
        while list.next_element::<IgnoredAny>()?.is_some() {
            others += 1;
        }
        Ok(match first {
            Some(Value::Text(text)) if others == 0 => Value::ListOfOne(text),
            _ => Value::Array,
        })
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Value::Object)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::String;

    fn check(text: &str, expected: &str) {
        let [a, b] = read_fields(text, ["a", "b"]).unwrap();
        assert_eq!(alloc::format!("{a:?} {b:?}"), expected, "{text}");
    }

    #[test]
    fn values_of_every_type() {
        check("{}", "Absent Absent");
        check(r#"{"b":null,"a":true}"#, "Bool(true) Null");
        check(r#"{"a":1,"b":-1}"#, "Integer(1) Integer(-1)");
        check(r#"{"a":1.0,"b":99999999999999999999}"#, "Number Number");
        check(r#"{"a":"x","b":"\u0041\ud83d\ude00"}"#, r#"Text("x") Text("A😀")"#);
        check(r#"{"a":["x"],"b":["x","y"]}"#, r#"ListOfOne("x") Array"#);
        check(r#"{"a":[],"b":[1]}"#, "Array Array");
        check(r#"{"a":{"a":1},"b":{}}"#, "Object Object");
    }

    #[test]
    fn the_last_of_two_equal_keys_counts_and_others_are_skipped() {
        check(r#" {"a":"first","c":{"a":[1,{"b":2}]},"a":"last"} "#, r#"Text("last") Absent"#);
    }

    #[test]
    fn texts_without_escapes_are_borrowed() {
        let [value] = read_fields(r#"{"a":"plain"}"#, ["a"]).unwrap();
        assert!(matches!(value, Value::Text(Cow::Borrowed("plain"))));
    }

    #[test]
    fn what_is_not_an_object() {
        for text in ["[]", "1", "\"a\"", "null"] {
            assert_eq!(read_fields(text, ["a"]).unwrap_err(), DecodeError::NotAnObject, "{text}");
        }
        let deep: String = "[".repeat(100_000);
        for text in ["", "{", "{]", "{'a':1}", "{\"a\":NaN}", "{} x", "{\"a\":\"\\ud800\"}", "{\"a\":1e999}"]
        {
            assert!(matches!(read_fields(text, ["a"]), Err(DecodeError::InvalidJson { .. })), "{text}");
        }
        for prefix in ["{\"a\":", "{\"c\":"] {
            let text = alloc::format!("{prefix}{deep}");
            assert!(matches!(read_fields(&text, ["a"]), Err(DecodeError::InvalidJson { .. })));
        }
    }
}
