//! JSON Web Key Sets.

use std::collections::HashSet;

use jsonwebtoken::{Algorithm, DecodingKey};
use serde::Deserialize;
use serde_json::Value;

use super::error::JwtConfigError;
use super::keys::Key;

#[derive(Deserialize)]
struct KeySet {
    keys: Vec<Value>,
}

/// The keys of a set that can check tokens.
pub(super) fn read(json: &[u8]) -> Result<Vec<Key>, JwtConfigError> {
    // The parser's own message could quote a key.
    let set: KeySet = serde_json::from_slice(json)
        .map_err(|error| JwtConfigError::NotAKeySet { line: error.line(), column: error.column() })?;
    if set.keys.iter().any(|jwk| text(jwk, "kty") == Some("oct")) {
        return Err(JwtConfigError::SecretInKeySet);
    }
    if set.keys.iter().any(|jwk| jwk.get("d").is_some()) {
        return Err(JwtConfigError::PrivateKey);
    }

    let keys: Vec<Key> = set.keys.iter().filter_map(usable).collect();
    let ids: HashSet<&str> = keys.iter().filter_map(|key| key.id.as_deref()).collect();
    match keys.len() {
        0 => Err(JwtConfigError::NoUsableKey),
        1 => Ok(keys),
        several if ids.len() == several => Ok(keys),
        _ => Err(JwtConfigError::AmbiguousKeyId),
    }
}

/// A key of a set, where it is of a known kind and meant for signatures. RFC 7517, section 5, says to pass over others.
fn usable(jwk: &Value) -> Option<Key> {
    let member = |name| text(jwk, name);
    let (algorithm, decoding) = match (member("kty")?, member("crv")) {
        ("RSA", _) => (Algorithm::RS256, DecodingKey::from_rsa_components(member("n")?, member("e")?)),
        ("EC", Some("P-256")) => {
            (Algorithm::ES256, DecodingKey::from_ec_components(member("x")?, member("y")?))
        }
        ("OKP", Some("Ed25519")) => (Algorithm::EdDSA, DecodingKey::from_ed_components(member("x")?)),
        _ => return None,
    };
    let is_for_signatures = member("use").is_none_or(|purpose| purpose == "sig");
    let may_verify = jwk.get("key_ops").is_none_or(|operations| {
        operations.as_array().is_some_and(|list| list.iter().any(|operation| operation == "verify"))
    });
    let has_algorithm = member("alg").is_none_or(|name| name.parse() == Ok(algorithm));
    if !(is_for_signatures && may_verify && has_algorithm) {
        return None;
    }

    let id = member("kid").map(str::to_owned);
    let key = decoding.ok().and_then(|decoding| Key::public(id, algorithm, decoding).ok());
    if key.is_none() {
        tracing::warn!(kid = member("kid"), "a key of the key set is broken or too weak, and is not used");
    }
    key
}

fn text<'j>(jwk: &'j Value, member: &str) -> Option<&'j str> {
    jwk.get(member).and_then(Value::as_str)
}
