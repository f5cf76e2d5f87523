//! The keys that check tokens, each with the one algorithm that it is for.

use std::fs;
use std::path::Path;

use aws_lc_rs::rsa;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, ED25519, ParsedPublicKey, RsaPublicKeyComponents};
use jsonwebtoken::{Algorithm, DecodingKey, DecodingKeyKind};
use serde_json::Value;

use super::error::JwtConfigError;
use super::key_set;

/// Least bytes of a secret: as many as SHA-256 has.
pub(super) const MIN_SECRET_BYTES: usize = 32;

const PEM_BEGIN: &str = "-----BEGIN ";

/// What checks the signatures of tokens: a secret, a public key, or a set of public keys.
///
/// The key decides the algorithm; a token that names another one is refused. `Debug` shows no key.
#[derive(Debug, Clone)]
pub struct JwtKey(Vec<Key>);

/// One key, and what it is for.
#[derive(Debug, Clone)]
pub(super) struct Key {
    /// What tokens call it. Only the sole key of a [`JwtKey`] may have none.
    pub(super) id: Option<String>,
    pub(super) algorithm: Algorithm,
    pub(super) decoding: DecodingKey,
}

impl JwtKey {
    /// A secret that the issuer of the tokens shares, for `HS256`.
    ///
    /// # Errors
    ///
    /// [`JwtConfigError::ShortSecret`] below 32 bytes; [`JwtConfigError::SecretIsPem`], [`JwtConfigError::SecretIsJson`] or
    /// [`JwtConfigError::SecretIsDer`] where it has the form of a public key, which everybody may have.
    pub fn secret(secret: &[u8]) -> Result<Self, JwtConfigError> {
        if secret.len() < MIN_SECRET_BYTES {
            return Err(JwtConfigError::ShortSecret);
        }
        if secret.windows(PEM_BEGIN.len()).any(|bytes| bytes == PEM_BEGIN.as_bytes()) {
            return Err(JwtConfigError::SecretIsPem);
        }
        if is_json(secret) {
            return Err(JwtConfigError::SecretIsJson);
        }
        if is_der(secret) {
            return Err(JwtConfigError::SecretIsDer);
        }
        let decoding = DecodingKey::from_secret(secret);
        Ok(Self(vec![Key { id: None, algorithm: Algorithm::HS256, decoding }]))
    }

    /// A [secret](Self::secret) from a file. One line break at its end is not part of the secret.
    ///
    /// # Errors
    ///
    /// As for [`secret`](Self::secret), and [`JwtConfigError::ReadFile`].
    pub fn secret_file(path: &Path) -> Result<Self, JwtConfigError> {
        let bytes = read(path)?;
        // Such a file may end with the byte of a line break, which belongs to it.
        if is_der(&bytes) {
            return Err(JwtConfigError::SecretIsDer);
        }
        let line = bytes.strip_suffix(b"\n").unwrap_or(&bytes);
        Self::secret(line.strip_suffix(b"\r").unwrap_or(line))
    }

    /// A public key in PEM form: RSA for `RS256`, EC on P-256 for `ES256`, Ed25519 for `EdDSA`.
    ///
    /// # Errors
    ///
    /// [`JwtConfigError`] for a private key, a certificate, a key of another kind, a weak one, or several.
    pub fn public_key(pem: &[u8]) -> Result<Self, JwtConfigError> {
        check_labels(pem)?;
        // At most one of these reads it: each looks at the kind that the PEM names.
        let (algorithm, decoding) = DecodingKey::from_rsa_pem(pem)
            .map(|key| (Algorithm::RS256, key))
            .or_else(|_| DecodingKey::from_ec_pem(pem).map(|key| (Algorithm::ES256, key)))
            .or_else(|_| DecodingKey::from_ed_pem(pem).map(|key| (Algorithm::EdDSA, key)))
            .map_err(|_| JwtConfigError::NotAPublicKey)?;
        Ok(Self(vec![Key::public(None, algorithm, decoding)?]))
    }

    /// A [public key](Self::public_key) from a file.
    ///
    /// # Errors
    ///
    /// As for [`public_key`](Self::public_key), and [`JwtConfigError::ReadFile`].
    pub fn public_key_file(path: &Path) -> Result<Self, JwtConfigError> {
        Self::public_key(&read(path)?)
    }

    /// A JSON Web Key Set (RFC 7517), of which a token's `kid` chooses a key.
    ///
    /// Keys of other kinds and for other purposes are passed over. Secrets and private keys are not: a set with one is
    /// refused as a whole, because sets are made to be published. A token without `kid` will do where the set has one
    /// key.
    ///
    /// # Errors
    ///
    /// [`JwtConfigError`] where it is no such set, holds what it must not, or no key of it can be chosen.
    pub fn key_set(json: &[u8]) -> Result<Self, JwtConfigError> {
        key_set::read(json).map(Self)
    }

    /// A [key set](Self::key_set) from a file.
    ///
    /// # Errors
    ///
    /// As for [`key_set`](Self::key_set), and [`JwtConfigError::ReadFile`].
    pub fn key_set_file(path: &Path) -> Result<Self, JwtConfigError> {
        Self::key_set(&read(path)?)
    }

    /// The key for a token that gives this id, or none.
    pub(super) fn find(&self, id: Option<&str>) -> Option<&Key> {
        match (self.0.as_slice(), id) {
            ([only], None) => Some(only),
            ([only], Some(_)) if only.id.is_none() => Some(only),
            (keys, Some(id)) => keys.iter().find(|key| key.id.as_deref() == Some(id)),
            (_, None) => None,
        }
    }
}

impl Key {
    /// A public key, once it has proved to be one: the JWT library looks at it only when a token comes.
    pub(super) fn public(
        id: Option<String>,
        algorithm: Algorithm,
        decoding: DecodingKey,
    ) -> Result<Self, JwtConfigError> {
        match (algorithm, decoding.kind()) {
            (Algorithm::RS256, DecodingKeyKind::SecretOrDer(der)) => {
                let key = rsa::PublicKey::from_der(der).map_err(|_| JwtConfigError::NotAPublicKey)?;
                check_rsa_size(RsaPublicKeyComponents::from(&key))?;
            }
            (Algorithm::RS256, DecodingKeyKind::RsaModulusExponent { n, e }) => {
                check_rsa_size(RsaPublicKeyComponents { n, e })?;
            }
            (Algorithm::ES256, DecodingKeyKind::SecretOrDer(point)) => {
                ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point)
                    .map_err(|_| JwtConfigError::NotAPublicKey)?;
            }
            (Algorithm::EdDSA, DecodingKeyKind::SecretOrDer(point)) => {
                ParsedPublicKey::new(&ED25519, point).map_err(|_| JwtConfigError::NotAPublicKey)?;
            }
            _ => return Err(JwtConfigError::NotAPublicKey),
        }
        Ok(Self { id, algorithm, decoding })
    }
}

fn check_rsa_size(key: RsaPublicKeyComponents<impl AsRef<[u8]>>) -> Result<(), JwtConfigError> {
    let sized: Result<rsa::PublicEncryptingKey, _> = key.try_into();
    sized.map(drop).map_err(|_| JwtConfigError::RsaSize)
}

/// Whether these bytes are a list or an object in JSON, as keys and sets of keys are.
fn is_json(bytes: &[u8]) -> bool {
    let text = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes);
    matches!(serde_json::from_slice(text), Ok(Value::Object(_) | Value::Array(_)))
}

/// Whether these bytes are one structure in DER as keys and certificates are: a sequence of all that there is, which begins
/// with a sequence or a number.
fn is_der(bytes: &[u8]) -> bool {
    const SEQUENCE: u8 = 0x30;
    const INTEGER: u8 = 0x02;
    let (length, content) = match bytes {
        [SEQUENCE, length @ 0..=0x7f, content @ ..] | [SEQUENCE, 0x81, length, content @ ..] => {
            (usize::from(*length), content)
        }
        [SEQUENCE, 0x82, high, low, content @ ..] => {
            (usize::from(u16::from_be_bytes([*high, *low])), content)
        }
        _ => return false,
    };
    content.len() == length && matches!(content, [SEQUENCE | INTEGER, ..])
}

/// The JWT library would also take a private key or a certificate, and the first of several.
fn check_labels(pem: &[u8]) -> Result<(), JwtConfigError> {
    let text = str::from_utf8(pem).map_err(|_| JwtConfigError::NotAPublicKey)?;
    let labels: Vec<&str> = text.lines().filter_map(|line| line.trim().strip_prefix(PEM_BEGIN)).collect();
    if labels.iter().any(|label| label.contains("PRIVATE KEY")) {
        return Err(JwtConfigError::PrivateKey);
    }
    match labels.as_slice() {
        ["PUBLIC KEY-----" | "RSA PUBLIC KEY-----"] => Ok(()),
        _ => Err(JwtConfigError::NotAPublicKey),
    }
}

fn read(path: &Path) -> Result<Vec<u8>, JwtConfigError> {
    fs::read(path).map_err(|source| JwtConfigError::ReadFile { path: path.to_owned(), source })
}
