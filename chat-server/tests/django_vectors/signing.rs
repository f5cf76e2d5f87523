//! Signatures, and what they sign.

use std::io::{Read as _, Write as _};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chat_server::auth::django::signing::{MAX_BYTES, SaltedHmac, SecretKey, Signer};
use flate2::Compression;
use flate2::write::ZlibEncoder;
use serde_json::Value;

use crate::SIGNING;
use crate::project::{hex, keys, text, vectors};

fn secret(key: &str) -> [SecretKey; 1] {
    [SecretKey::new(key).unwrap()]
}

#[test]
fn salted_hmacs() {
    let vectors = vectors(SIGNING);
    for row in vectors["salted_hmac"].as_array().unwrap() {
        let hmac = SaltedHmac::new(text(row, "key_salt"), &secret(text(row, "secret")));
        assert_eq!(hmac.codes(text(row, "value")).map(hex).next().as_deref(), row["hmac_hex"].as_str());
    }
}

#[test]
fn session_auth_hashes() {
    let vectors = vectors(SIGNING);
    assert_eq!(text(&vectors["session_auth_hash"], "key_salt"), SaltedHmac::SESSION_AUTH_HASH);
    for row in vectors["session_auth_hash"]["vectors"].as_array().unwrap() {
        let hmac = SaltedHmac::new(SaltedHmac::SESSION_AUTH_HASH, &secret(text(row, "secret")));
        let (password, hash) = (text(row, "password_column"), text(row, "hash"));
        assert!(hmac.verifies_hex(password, hash));
        for wrong in ["", &hash[1..], &hash.to_uppercase(), &format!("{hash} ")] {
            assert!(!hmac.verifies_hex(password, wrong));
        }
        assert!(!hmac.verifies_hex(&format!("{password} "), hash));
    }
}

fn decode(signer: &Signer, data: &str) -> Option<Value> {
    serde_json::from_str(&signer.unsign(data)?.json()?).ok()
}

#[test]
fn session_data_is_read() {
    let vectors = vectors(SIGNING);
    let data = &vectors["session_data"];
    assert_eq!(text(data, "salt"), Signer::DATABASE_SESSIONS);
    let signer = Signer::new(Signer::DATABASE_SESSIONS, &keys(&vectors));
    for row in data["good"].as_array().unwrap().iter().chain(data["odd"].as_array().unwrap()) {
        let stored = text(row, "session_data");
        assert_eq!(decode(&signer, stored).as_ref(), Some(&row["decoded"]), "{}", row["name"]);
        if let Some(timestamp) = row["timestamp"].as_i64() {
            assert_eq!(signer.unsign(stored).unwrap().timestamp(), timestamp);
        }
    }
    for row in data["bad"].as_array().unwrap() {
        assert_eq!(decode(&signer, text(row, "session_data")), None, "{}", row["name"]);
    }
}

#[test]
fn what_inflates_without_end_is_not_inflated() {
    let vectors = vectors(SIGNING);
    let keys = keys(&vectors);
    let signer = Signer::new("salt", &keys);
    let max = u64::try_from(MAX_BYTES).unwrap();
    for (spaces, fits) in [(max - 2, true), (max - 1, false), (1 << 24, false)] {
        let mut bomb = ZlibEncoder::new(Vec::new(), Compression::best());
        std::io::copy(&mut std::io::repeat(b' ').take(spaces), &mut bomb).unwrap();
        bomb.write_all(b"{}").unwrap();
        let value = format!(".{}:1", URL_SAFE_NO_PAD.encode(bomb.finish().unwrap()));
        let code = SaltedHmac::new("saltsigner", &keys).codes(&value).next().unwrap();
        let text = format!("{value}:{}", URL_SAFE_NO_PAD.encode(code));
        assert_eq!(signer.unsign(&text).unwrap().json().is_some(), fits, "{spaces}");
    }
}
