//! Texts that people write, and the marks that clients put on them.

use alloc::format;
use alloc::sync::Arc;
use core::fmt;

use thiserror::Error;

use crate::Limits;

/// Why a text cannot be a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum TextError {
    /// Nothing but white space.
    #[error("it is blank")]
    Blank,
    /// More characters than the limit.
    #[error("it has more than {max} characters")]
    TooLong {
        /// The limit that it is over.
        max: usize,
    },
    /// U+0000, which neither databases nor front ends carry reliably.
    #[error("it contains the character U+0000")]
    Nul,
}

/// The text of a message or notification: not blank, without U+0000, within the limit.
///
/// It is kept as it was written: not trimmed, not escaped, not normalized. A page must show it as text.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct MessageText(Arc<str>);

impl MessageText {
    /// Checks a text against the rules and the limit.
    ///
    /// # Errors
    ///
    /// [`TextError`] says which rule it breaks.
    pub fn new(text: &str, limits: &Limits) -> Result<Self, TextError> {
        if text.contains('\0') {
            return Err(TextError::Nul);
        }
        Self::without_nul(text, limits)
    }

    /// As [`new`](Self::new), of a text that cannot contain U+0000 where it comes from.
    pub(crate) fn without_nul(text: &str, limits: &Limits) -> Result<Self, TextError> {
        if text.chars().all(char::is_whitespace) {
            return Err(TextError::Blank);
        }
        if longer_than(text, limits.max_text_chars) {
            return Err(TextError::TooLong { max: limits.max_text_chars });
        }
        Ok(Self(text.into()))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Whether a text has more than `max` characters; counts only where the bytes leave it open.
pub(crate) fn longer_than(text: &str, max: usize) -> bool {
    text.len() > max && text.chars().nth(max).is_some()
}

impl From<MessageText> for Arc<str> {
    fn from(text: MessageText) -> Self {
        text.0
    }
}

impl fmt::Display for MessageText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Why a text cannot be a client's mark on a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("a client id has 1 to {} characters from ! to ~", ClientId::MAX_CHARS)]
pub struct ClientIdError;

/// The name that a client gives to one send, so that a repeated send is stored once: its `client_id`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ClientId(Arc<str>);

impl ClientId {
    /// Most characters of a client id.
    pub const MAX_CHARS: usize = 64;

    /// Checks a client id: 1 to 64 visible ASCII characters.
    ///
    /// # Errors
    ///
    /// [`ClientIdError`] for anything else.
    pub fn new(text: &str) -> Result<Self, ClientIdError> {
        let visible = text.bytes().all(|byte| byte.is_ascii_graphic());
        if text.is_empty() || text.len() > Self::MAX_CHARS || !visible {
            return Err(ClientIdError);
        }
        Ok(Self(text.into()))
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<u128> for ClientId {
    /// The id with this number, in 32 hexadecimal digits.
    fn from(number: u128) -> Self {
        Self(format!("{number:032x}").into())
    }
}

impl fmt::Display for ClientId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blank_texts_are_no_messages() {
        for text in ["", " ", "\n\t", "\u{3000}\u{2028}"] {
            assert_eq!(MessageText::new(text, &Limits::default()), Err(TextError::Blank), "{text:?}");
        }
    }

    #[test]
    fn the_limit_counts_characters() {
        let limits = Limits { max_text_chars: 3 };
        for text in ["abc", "😀😀😀", "سلا"] {
            assert_eq!(MessageText::new(text, &limits).as_ref().map(MessageText::as_str), Ok(text));
        }
        for text in ["abcd", "😀😀😀😀"] {
            assert_eq!(MessageText::new(text, &limits), Err(TextError::TooLong { max: 3 }));
        }
    }

    #[test]
    fn texts_are_kept_as_written() {
        for text in [" padded ", "<b>&amp;", "'); DROP TABLE messages", "\u{202e}rtl"] {
            assert_eq!(
                MessageText::new(text, &Limits::default()).as_ref().map(MessageText::as_str),
                Ok(text)
            );
        }
        assert_eq!(MessageText::new("a\0b", &Limits::default()), Err(TextError::Nul));
    }

    #[test]
    fn client_ids_are_short_and_visible() {
        assert!(ClientId::new("018f-ab").is_ok());
        assert!(ClientId::new(&"x".repeat(64)).is_ok());
        for text in ["", "a b", "é", "a\n"] {
            assert_eq!(ClientId::new(text), Err(ClientIdError), "{text:?}");
        }
        assert_eq!(ClientId::new(&"x".repeat(65)), Err(ClientIdError));
    }
}
