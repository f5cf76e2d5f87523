//! What can be wrong with a key, and with a token.

use std::io;
use std::path::PathBuf;

use jsonwebtoken::errors::{Error as LibraryError, ErrorKind};
use thiserror::Error;

use super::keys::MIN_SECRET_BYTES;

/// Why a key cannot serve to check tokens. The server must not start with it.
///
/// Nothing in here repeats any part of a key.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum JwtConfigError {
    /// The file cannot be read.
    #[error("cannot read the key file {}", path.display())]
    ReadFile {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The secret can be guessed. RFC 7518 wants as many bytes as the hash has.
    #[error("the secret has fewer than {MIN_SECRET_BYTES} bytes")]
    ShortSecret,
    /// The secret is a PEM key or certificate. A public one is known to everybody, who could then sign tokens.
    #[error("the secret is a PEM file, which must be given as a public key")]
    SecretIsPem,
    /// The secret is JSON, as public keys and sets of them are, which are made to be published.
    #[error("the secret is JSON; a set of keys must be given as one, in a file that ends in .json or .jwks")]
    SecretIsJson,
    /// The secret is a key or certificate in DER form.
    #[error(
        "the secret is a DER file; a public key must be given in PEM form, in a file that ends in .pem or .pub"
    )]
    SecretIsDer,
    /// What should be a public key holds a private one, which only the issuer of the tokens needs.
    #[error("it holds a private key; the server needs the public key only")]
    PrivateKey,
    /// This is no public key of a kind that is known.
    #[error("it is not one PEM public key of the kinds RSA, EC P-256 and Ed25519")]
    NotAPublicKey,
    /// The RSA key is too short to be safe, or too long to be checked in time.
    #[error("an RSA key must have 2048 to 8192 bits")]
    RsaSize,
    /// This is no JSON Web Key Set.
    #[error("it is not a JSON Web Key Set, see line {line}, column {column}")]
    NotAKeySet {
        /// The line of the fault.
        line: usize,
        /// The column of the fault.
        column: usize,
    },
    /// The key set holds a secret (`kty` is `oct`). Key sets are made to be published.
    #[error("the key set holds a secret; give it as a secret of its own")]
    SecretInKeySet,
    /// No key of the set can check a token.
    #[error("the key set has no RS256, ES256 or EdDSA key that can check signatures")]
    NoUsableKey,
    /// The set has several keys, and no way to tell which of them signed a token.
    #[error("the key set has several keys, and they do not all have a `kid` of their own")]
    AmbiguousKeyId,
}

/// Why a token proves nothing.
///
/// This goes to the log, so it holds neither the token nor what the token says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub(super) enum BadToken {
    #[error("it is too long")]
    TooLong,
    #[error("it is malformed")]
    Malformed,
    #[error("no key has its key id")]
    UnknownKey,
    #[error("it has critical extensions")]
    CriticalExtension,
    #[error("its algorithm is not that of the key")]
    Algorithm,
    #[error("its signature is wrong")]
    Signature,
    #[error("it has expired")]
    Expired,
    #[error("it is not valid yet")]
    NotYetValid,
    #[error("its audience is wrong")]
    Audience,
    #[error("its issuer is wrong")]
    Issuer,
    #[error("a claim is missing or of the wrong form")]
    Claims,
    #[error("it names no user")]
    NoUser,
    #[error("no user can have such a name")]
    Name,
}

impl From<LibraryError> for BadToken {
    /// Keeps the kind only: the library's own messages quote claims.
    fn from(error: LibraryError) -> Self {
        match error.kind() {
            ErrorKind::InvalidAlgorithm | ErrorKind::InvalidAlgorithmName => Self::Algorithm,
            ErrorKind::InvalidSignature => Self::Signature,
            ErrorKind::ExpiredSignature => Self::Expired,
            ErrorKind::ImmatureSignature => Self::NotYetValid,
            ErrorKind::InvalidAudience => Self::Audience,
            ErrorKind::InvalidIssuer => Self::Issuer,
            ErrorKind::MissingRequiredClaim(_) | ErrorKind::InvalidClaimFormat(_) | ErrorKind::Json(_) => {
                Self::Claims
            }
            _ => Self::Malformed,
        }
    }
}
