//! Which texts may be passwords, and what is kept of them.

use std::fmt;

use chat_protocol::Username;
use thiserror::Error;

/// Fewest characters of a password.
const MIN_CHARS: usize = 8;

/// Most characters of a password: more would make hashing it a burden.
const MAX_CHARS: usize = 1024;

/// Why a text cannot be a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum PasswordError {
    /// Too easy to guess by trying all.
    #[error("This password is too short. It must contain at least {MIN_CHARS} characters.")]
    TooShort,
    /// More than is ever needed.
    #[error("This password is too long. It must contain at most {MAX_CHARS} characters.")]
    TooLong,
    /// The first thing that somebody else would try.
    #[error("The password must not be the same as the username.")]
    SameAsName,
}

/// What is kept of a password: argon2id, in the PHC string format. Its `Debug` does not show it.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash(String);

impl PasswordHash {
    /// Takes what a storage or a hasher gives.
    #[must_use]
    pub const fn new(phc: String) -> Self {
        Self(phc)
    }

    /// The text to be stored.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash(…)")
    }
}

/// Whether this may become the password of an account.
///
/// # Errors
///
/// [`PasswordError`] says which rule it breaks.
pub(super) fn check(password: &str, name: &Username) -> Result<(), PasswordError> {
    if password.chars().take(MIN_CHARS).count() < MIN_CHARS {
        return Err(PasswordError::TooShort);
    }
    if !is_bounded(password) {
        return Err(PasswordError::TooLong);
    }
    if password.to_lowercase() == name.as_str().to_lowercase() {
        return Err(PasswordError::SameAsName);
    }
    Ok(())
}

/// Whether this is short enough to be any password at all.
pub(super) fn is_bounded(password: &str) -> bool {
    password.chars().nth(MAX_CHARS).is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn which_texts_may_be_passwords() {
        let name = Username::new("Amy-Pond").unwrap();
        assert_eq!(check("1234567", &name), Err(PasswordError::TooShort));
        assert_eq!(check("聊天室聊天室", &name), Err(PasswordError::TooShort));
        assert_eq!(check("12345678", &name), Ok(()));
        assert_eq!(check(&"é".repeat(MAX_CHARS), &name), Ok(()));
        assert_eq!(check(&"é".repeat(MAX_CHARS + 1), &name), Err(PasswordError::TooLong));
        assert_eq!(check("amy-pond", &name), Err(PasswordError::SameAsName));
        assert_eq!(check(" amy-pond", &name), Ok(()), "passwords are not trimmed");
    }

    #[test]
    fn a_hash_is_not_shown() {
        assert!(!format!("{:?}", PasswordHash::new("$argon2id$secret".into())).contains("secret"));
    }
}
