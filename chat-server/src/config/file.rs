//! Settings of a file, read as they would be on the command line.
//!
//! What is wrong with one is said without its value, as [`Untold`](super::untold::Untold) does it: what serde says of a value
//! of another type repeats it.

use std::fmt;
use std::marker::PhantomData;
use std::str::FromStr;

use serde::de::value::MapAccessDeserializer;
use serde::de::{self, Deserialize, Deserializer, MapAccess, Visitor};

/// Reads a text.
pub(super) fn from_text<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: FromStr<Err: fmt::Display>,
{
    let text: String = of_type(deserializer, "a string in quotes")?;
    text.parse().map(Some).map_err(de::Error::custom)
}

/// Reads a list of texts.
pub(super) fn list_from_text<'de, D, T>(deserializer: D) -> Result<Option<Vec<T>>, D::Error>
where
    D: Deserializer<'de>,
    T: FromStr<Err: fmt::Display>,
{
    let texts: Vec<String> = of_type(deserializer, "a list of strings in quotes")?;
    texts.iter().map(|text| text.parse().map_err(de::Error::custom)).collect::<Result<_, _>>().map(Some)
}

/// Reads a number.
pub(super) fn from_number<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: FromStr<Err: fmt::Display>,
{
    let number: i64 = of_type(deserializer, "a whole number")?;
    number.to_string().parse().map(Some).map_err(de::Error::custom)
}

/// Reads what is on or off.
pub(super) fn from_bool<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<bool>, D::Error> {
    of_type(deserializer, "true or false").map(Some)
}

/// Reads a table of settings.
pub(super) fn from_table<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    let mut is_one = false;
    let read = deserializer.deserialize_any(Table { is_one: &mut is_one, of: PhantomData::<T> });
    // What is wrong within the table has been said without values already.
    read.map_err(|error| if is_one { error } else { de::Error::custom("it is not a table") })
}

fn of_type<'de, D, T>(deserializer: D, what: &str) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    T::deserialize(deserializer).map_err(|_| de::Error::custom(format_args!("it is not {what}")))
}

/// Reads a table, and notes whether there is one.
struct Table<'a, T> {
    is_one: &'a mut bool,
    of: PhantomData<T>,
}

impl<'de, T: Deserialize<'de>> Visitor<'de> for Table<'_, T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a table")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
        *self.is_one = true;
        T::deserialize(MapAccessDeserializer::new(map))
    }
}

#[cfg(test)]
mod tests {
    use clap::{Args, Command};

    use crate::{Config, Settings, chain};

    /// All settings, as a file names them.
    fn names() -> Vec<String> {
        let command = Settings::augment_args(Command::new("chat-server"));
        let ids = command.get_arguments().map(|argument| argument.get_id().as_str());
        ids.map(|id| match id.strip_prefix("django_channels_") {
            Some(name) => format!("django_channels.{name}"),
            None => id.to_owned(),
        })
        .collect()
    }

    #[test]
    fn what_is_wrong_with_a_setting_is_said_without_its_value() {
        const SECRET: &str = "8151623";
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("chat.toml");
        let mut names = names();
        for name in ["listen", "jwt_secret", "django_secret_key_fallbacks", "django_channels.hosts"] {
            assert!(names.iter().any(|known| known == name), "{name} is not among {names:?}");
        }
        names.push("django_channels".to_owned());
        for name in names {
            let mut refused = 0;
            for value in [
                "8151623",
                "81516238151623815162381516238151623",
                "8151623.5",
                "hush8151623",
                "'redis://:8151623@db'",
                "['8151623']",
                "[8151623]",
                "[['8151623']]",
                "{ hush = '8151623' }",
            ] {
                std::fs::write(&path, format!("{name} = {value}")).unwrap();
                let Err(error) = Config::resolve(Settings::default(), Some(&path)) else { continue };
                refused += 1;
                let said = format!("{} {error:?}", chain(&error));
                assert!(!said.contains(SECRET), "{name} = {value}: {said}");
            }
            assert!(refused > 0, "{name} takes everything");
        }
    }

    #[test]
    fn what_is_wrong_with_a_setting_is_said_with_its_line_and_name() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("chat.toml");
        for (text, hints) in [
            ("\njwt_secret = 815", ["line 2", "a string in quotes", "jwt_secret"]),
            ("threads = '2'", ["line 1", "a whole number", "threads"]),
            ("threads = 0", ["line 1", "zero", "threads"]),
            ("\n\nbehind_https = 1", ["line 3", "true or false", "behind_https"]),
            ("django_channels = 'redis://db'", ["line 1", "not a table", "django_channels"]),
            ("[django_channels]\nhosts = 'redis://db'", ["line 2", "a list", "django_channels.hosts"]),
            ("[django_channels]\nhost = ['redis://db']", ["line 2", "unknown field", "host"]),
        ] {
            std::fs::write(&path, text).unwrap();
            let error = Config::resolve(Settings::default(), Some(&path)).unwrap_err();
            let said = chain(&error);
            assert!(hints.iter().all(|hint| said.contains(hint)), "{text}: {said}");
        }
    }
}
