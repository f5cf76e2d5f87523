//! Reads what Django has signed with a project's `SECRET_KEY`.
//!
//! ```
//! use chat_server::auth::django::signing::{SecretKey, Signer};
//!
//! let keys = [SecretKey::new("django-insecure-vector-key-5u#k$1o&0^r7!z")?];
//! let signer = Signer::new(Signer::DATABASE_SESSIONS, &keys);
//! let signed = signer.unsign("eyJhIjoxfQ:1r31eq:81l41IQvTQDmNPm1mkwBuqDR9BhChe03dKO0HXMa048").unwrap();
//! assert_eq!(signed.timestamp(), 1_700_000_000);
//! assert_eq!(signed.json().as_deref(), Some(r#"{"a":1}"#));
//! # Ok::<(), chat_server::auth::django::DjangoError>(())
//! ```

use std::fmt;
use std::fmt::Write as _;
use std::io::Read;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use flate2::read::ZlibDecoder;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::DjangoError;

/// Most bytes of a signed text, and of the JSON in it. What is compressed could be anything once it is inflated.
pub const MAX_BYTES: usize = 1 << 20;

/// A `SECRET_KEY` of a Django project. Its `Debug` does not show it.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretKey(Box<str>);

impl SecretKey {
    /// Takes a key as it stands in Django's settings.
    ///
    /// # Errors
    ///
    /// [`DjangoError::EmptySecretKey`] where there is nothing: everybody could sign with that.
    pub fn new(key: &str) -> Result<Self, DjangoError> {
        if key.is_empty() {
            return Err(DjangoError::EmptySecretKey);
        }
        Ok(Self(key.into()))
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretKey(..)")
    }
}

/// Django's salted HMAC with SHA-256, under each of a project's keys.
#[derive(Clone)]
pub struct SaltedHmac(Vec<Hmac<Sha256>>);

impl SaltedHmac {
    /// The salt of the hash that binds a session to its user's password.
    pub const SESSION_AUTH_HASH: &str = "django.contrib.auth.models.AbstractBaseUser.get_session_auth_hash";

    /// Derives what is needed from the keys: the current one first, then those that it replaced.
    #[must_use]
    pub fn new(salt: &str, keys: &[SecretKey]) -> Self {
        Self(keys.iter().map(|key| derive(salt, key)).collect())
    }

    /// The codes of a value, one for each key.
    pub fn codes(&self, value: &str) -> impl Iterator<Item = [u8; 32]> {
        self.0.iter().map(move |hmac| hmac.clone().chain_update(value).finalize().into_bytes().into())
    }

    /// Whether this is the code of a value under one of the keys, in hexadecimal as Django writes it.
    #[must_use]
    pub fn verifies_hex(&self, value: &str, code: &str) -> bool {
        self.verifies(value, code, hex)
    }

    /// Compares texts, as Django does: what decodes to the same bytes need not be what was written.
    fn verifies(&self, value: &str, given: &str, spell: impl Fn([u8; 32]) -> String) -> bool {
        self.codes(value).any(|code| spell(code).as_bytes().ct_eq(given.as_bytes()).into())
    }
}

impl fmt::Debug for SaltedHmac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SaltedHmac(..)")
    }
}

fn derive(salt: &str, key: &SecretKey) -> Hmac<Sha256> {
    let derived = Sha256::new().chain_update(salt).chain_update(key.0.as_bytes()).finalize();
    // Filled up with zeros, as HMAC does with a key shorter than its block.
    let mut block = [0; 64];
    block.iter_mut().zip(derived).for_each(|(to, from)| *to = from);
    Hmac::new(&block.into())
}

fn hex(bytes: [u8; 32]) -> String {
    bytes.iter().fold(String::with_capacity(64), |mut text, byte| {
        // Writing into a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Checks texts of the form `payload:timestamp:signature`.
#[derive(Debug, Clone)]
pub struct Signer(SaltedHmac);

impl Signer {
    /// The salt of the sessions that are stored in the database.
    pub const DATABASE_SESSIONS: &str = "django.contrib.sessions.SessionStore";
    /// The salt of the sessions that are kept in cookies.
    pub const COOKIE_SESSIONS: &str = "django.contrib.sessions.backends.signed_cookies";

    /// Makes one for a salt and a project's keys: the current one first, then those that it replaced.
    #[must_use]
    pub fn new(salt: &str, keys: &[SecretKey]) -> Self {
        Self(SaltedHmac::new(&format!("{salt}signer"), keys))
    }

    /// What was signed; `None` where it was not, with one of these keys and this salt.
    #[must_use]
    pub fn unsign<'a>(&self, text: &'a str) -> Option<Signed<'a>> {
        let (value, signature) = text.rsplit_once(':')?;
        if text.len() > MAX_BYTES || !self.0.verifies(value, signature, |code| URL_SAFE_NO_PAD.encode(code)) {
            return None;
        }
        let (payload, timestamp) = value.rsplit_once(':')?;
        Some(Signed { payload, timestamp: base62(timestamp)? })
    }
}

/// A text whose signature is right.
#[derive(Clone, Copy)]
pub struct Signed<'a> {
    payload: &'a str,
    timestamp: i64,
}

impl Signed<'_> {
    /// When it was signed, in seconds since 1970.
    #[must_use]
    pub const fn timestamp(&self) -> i64 {
        self.timestamp
    }

    /// The JSON in it; `None` where it is damaged, or larger than [`MAX_BYTES`].
    #[must_use]
    pub fn json(&self) -> Option<String> {
        let bytes = match self.payload.strip_prefix('.') {
            Some(compressed) => inflate(&URL_SAFE_NO_PAD.decode(compressed).ok()?)?,
            None => URL_SAFE_NO_PAD.decode(self.payload).ok()?,
        };
        // Django reads it as Latin-1, in which each byte is the character of that number.
        Some(bytes.into_iter().map(char::from).collect())
    }
}

impl fmt::Debug for Signed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signed").field("timestamp", &self.timestamp).finish_non_exhaustive()
    }
}

fn inflate(compressed: &[u8]) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let limit = u64::try_from(MAX_BYTES).ok()? + 1;
    ZlibDecoder::new(compressed).take(limit).read_to_end(&mut bytes).ok()?;
    (bytes.len() <= MAX_BYTES).then_some(bytes)
}

/// Reads a number with the digits `0-9A-Za-z`.
fn base62(text: &str) -> Option<i64> {
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'A'..=b'Z' => Some(byte - b'A' + 10),
        b'a'..=b'z' => Some(byte - b'a' + 36),
        _ => None,
    };
    if text.is_empty() {
        return None;
    }
    text.bytes().try_fold(0_i64, |number, byte| number.checked_mul(62)?.checked_add(digit(byte)?.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base62_as_django_writes_it() {
        for (text, number) in [("0", 0), ("9", 9), ("A", 10), ("Z", 35), ("a", 36), ("z", 61), ("zz", 3843)] {
            assert_eq!(base62(text), Some(number), "{text}");
        }
        for text in ["", "-5", "+5", " 1", "1_0", "é", "zzzzzzzzzzzzzzz"] {
            assert_eq!(base62(text), None, "{text}");
        }
    }

    #[test]
    fn nothing_secret_is_shown() {
        let keys = [SecretKey::new("hush").unwrap()];
        let shown = format!("{keys:?} {:?}", Signer::new("salt", &keys));
        assert_eq!(shown, "[SecretKey(..)] Signer(SaltedHmac(..))");
        assert!(matches!(SecretKey::new(""), Err(DjangoError::EmptySecretKey)));
    }
}
