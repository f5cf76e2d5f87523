//! The languages in which the server itself speaks to people.

use alloc::format;
use alloc::string::{String, ToString};
use core::fmt;
use core::str::FromStr;

use thiserror::Error;

use crate::catalogue::texts_of;
use crate::{ErrorCode, Refusal};

/// The language in which the server speaks to people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Language {
    /// English, `en`
    #[default]
    English,
    /// Russian, `ru`, as in the `typed` document
    Russian,
    /// Portuguese, `pt`
    Portuguese,
    /// Chinese in traditional characters, `zh-Hant`
    TraditionalChinese,
    /// Persian, `fa`
    Persian,
}

/// No language of the catalogue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("no such language; there are en, ru, pt, zh-Hant and fa")]
pub struct UnknownLanguage;

impl Language {
    /// Every language, in the order in which the catalogue lists its texts.
    pub const ALL: [Self; 5] =
        [Self::English, Self::Russian, Self::Portuguese, Self::TraditionalChinese, Self::Persian];

    /// The tag of the language, as in BCP 47.
    #[must_use]
    pub const fn tag(self) -> &'static str {
        self.pick(["en", "ru", "pt", "zh-Hant", "fa"])
    }

    const fn pick(self, texts: [&'static str; 5]) -> &'static str {
        let [english, russian, portuguese, chinese, persian] = texts;
        match self {
            Self::English => english,
            Self::Russian => russian,
            Self::Portuguese => portuguese,
            Self::TraditionalChinese => chinese,
            Self::Persian => persian,
        }
    }

    /// Says that somebody came online or went offline.
    pub(crate) fn presence(self, name: &str, is_online: bool) -> String {
        let state = if is_online {
            self.pick(["is online", "в сети", "está online", "已上線", "آنلاین است"])
        } else {
            self.pick(["is offline", "не в сети", "está offline", "已離線", "آفلاین است"])
        };
        format!("{name} {state}")
    }

    /// Says why a command was refused.
    pub(crate) fn refusal(self, refusal: &Refusal) -> String {
        if let Some(text) = &refusal.text {
            return text.to_string();
        }
        let text = self.pick(texts_of(refusal.code));
        let text = match refusal.limit {
            Some(limit) => text.replace("{limit}", &limit.to_string()),
            None => text.to_string(),
        };
        // Most texts say what they are about; the documents' own must stay as they are.
        let is_about_any_field = matches!(
            refusal.code,
            ErrorCode::MissingField | ErrorCode::WrongType | ErrorCode::InvalidValue | ErrorCode::UnknownKind
        );
        match &refusal.field {
            Some(field) if is_about_any_field => format!("{text} ({field})"),
            _ => text,
        }
    }
}

impl FromStr for Language {
    type Err = UnknownLanguage;

    fn from_str(text: &str) -> Result<Self, UnknownLanguage> {
        Self::ALL.into_iter().find(|language| language.tag() == text).ok_or(UnknownLanguage)
    }
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.tag())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_documents_own_words() {
        let blank = Refusal::new(ErrorCode::BlankMessage);
        assert_eq!(Language::Russian.refusal(&blank), "Сообщение не может быть пустым");
        assert_eq!(Language::Russian.presence("anotheruser", true), "anotheruser в сети");
    }

    #[test]
    fn every_code_has_a_text_in_every_language() {
        for &code in ErrorCode::ALL {
            let limit = (code == ErrorCode::MessageTooLong).then_some(7);
            for language in Language::ALL {
                let text = language.refusal(&Refusal { limit, ..Refusal::new(code) });
                assert!(!text.is_empty() && !text.contains('{'), "{code} in {language}: {text}");
            }
        }
    }

    #[test]
    fn languages_are_found_by_their_tags() {
        for language in Language::ALL {
            assert_eq!(language.tag().parse(), Ok(language));
        }
        assert_eq!("de".parse::<Language>(), Err(UnknownLanguage));
    }
}
