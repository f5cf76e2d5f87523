//! Tokens that somebody has made up.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chat_server::auth::{JwtAuthenticator, JwtConfig, JwtKey};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value, json};

use crate::door::{Door, SECRET, claims, config, ed, pem, rsa, sign, token};

/// Base64 as tokens have it.
fn base64(text: &str) -> String {
    URL_SAFE_NO_PAD.encode(text)
}

#[test]
fn an_unsigned_token_is_refused() {
    let payload = base64(&claims(json!({})).to_string());
    let signature = token(json!({})).rsplit_once('.').unwrap().1.to_owned();
    for algorithm in ["none", "None", "NONE", "nOnE", ""] {
        let header = base64(&json!({ "typ": "JWT", "alg": algorithm }).to_string());
        for signature in ["", signature.as_str()] {
            Door::hmac().refuses(&format!("{header}.{payload}.{signature}"));
        }
        Door::hmac().refuses(&format!("{header}.{payload}"));
    }
    let header = base64(r#"{"alg":"HS256"}"#);
    Door::hmac().refuses(&format!("{header}.{payload}."));
}

/// The attack: take the public key, which everybody has, for a secret, and have the header say HS256.
#[test]
fn a_public_key_does_not_sign_as_a_secret() {
    let publics: [&[u8]; 3] = [pem!("rsa.public"), pem!("ec.public"), pem!("ed.public")];
    for pem in publics {
        let text = str::from_utf8(pem).unwrap();
        let door = Door::new(JwtKey::public_key(pem).unwrap());
        for secret in [text, text.trim_end(), &text[text.find("-----BEGIN").unwrap()..]] {
            let forged = EncodingKey::from_secret(secret.as_bytes());
            door.refuses(&sign(Algorithm::HS256, None, &forged, &claims(json!({}))));
        }
    }
}

/// Neither does a key that the token brings along.
#[test]
fn a_key_in_the_header_is_not_used() {
    let own = EncodingKey::from_secret(b"a secret of the attacker's own making");
    let jwk = jsonwebtoken::jwk::Jwk::from_encoding_key(&own, Algorithm::HS256).unwrap();
    let header = Header { jwk: Some(jwk), ..Header::new(Algorithm::HS256) };
    Door::hmac().refuses(&encode(&header, &claims(json!({})), &own).unwrap());
}

#[test]
fn a_token_of_another_key_is_refused() {
    let other = EncodingKey::from_secret(b"another secret, which is as long as it must");
    Door::hmac().refuses(&sign(Algorithm::HS256, None, &other, &claims(json!({}))));
    Door::hmac().refuses(&sign(Algorithm::RS256, None, &rsa(), &claims(json!({}))));
    Door::hmac().refuses(&sign(Algorithm::EdDSA, None, &ed(), &claims(json!({}))));
}

#[test]
fn a_token_with_any_part_changed_is_refused() {
    let good = token(json!({}));
    let [header, payload, signature] = good.split('.').collect::<Vec<_>>().try_into().unwrap();
    let forged = base64(&claims(json!({ "sub": "1", "username": "admin" })).to_string());
    let relabelled = base64(r#"{"typ":"JWT","alg":"HS256","x":1}"#);
    for bad in [
        format!("{header}.{forged}.{signature}"),
        format!("{relabelled}.{payload}.{signature}"),
        format!("{header}.{payload}.{}", &signature[1..]),
        format!("{header}.{payload}.{signature}A"),
        format!("{good}="),
        format!("{good}.{signature}"),
        format!(".{good}"),
    ] {
        Door::hmac().refuses(&bad);
    }
    Door::hmac().admits(&good);
}

#[test]
fn what_is_no_token_is_refused() {
    for text in ["x", "..", "a.b.c", "....", "e30.e30.e30", "%", "{}"] {
        Door::hmac().refuses(text);
    }
}

#[test]
fn critical_extensions_are_refused() {
    let header = Header { crit: Some(vec!["b64".to_owned()]), ..Header::new(Algorithm::HS256) };
    Door::hmac().refuses(&encode(&header, &claims(json!({})), &EncodingKey::from_secret(SECRET)).unwrap());
}

#[test]
fn an_overlong_token_is_refused_unread() {
    let padded = |bytes: usize| token(json!({ "padding": "x".repeat(bytes) }));
    let good = padded(5000);
    assert!(good.len() < JwtAuthenticator::MAX_TOKEN_BYTES);
    Door::hmac().admits(&good);

    let long = padded(6200);
    assert!(long.len() > JwtAuthenticator::MAX_TOKEN_BYTES);
    Door::hmac().refuses(&long);
}

#[test]
fn a_token_for_somebody_else_is_refused() {
    let door = Door::with(JwtConfig { audience: Some("chat".to_owned()), ..config() });
    for good in [json!("chat"), json!(["shop", "chat"])] {
        door.admits(&token(json!({ "aud": good })));
    }
    for bad in [json!("shop"), json!(["shop"]), json!([]), json!(""), json!(1), Value::Null] {
        door.refuses(&token(json!({ "aud": bad })));
    }
    // With no audience of one's own, a token for anybody in particular is for somebody else.
    Door::hmac().refuses(&token(json!({ "aud": "shop" })));
}

#[test]
fn a_token_from_somebody_else_is_refused() {
    let door = Door::with(JwtConfig { issuer: Some("https://id.example".to_owned()), ..config() });
    door.admits(&token(json!({ "iss": "https://id.example" })));
    for bad in [json!("https://id.example/"), json!(""), json!([]), json!(1), Value::Null] {
        door.refuses(&token(json!({ "iss": bad })));
    }
    Door::hmac().admits(&token(json!({ "iss": "anybody" })));
}
