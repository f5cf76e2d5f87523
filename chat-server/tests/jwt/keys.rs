//! Which keys serve, and for which tokens.

use std::fs;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chat_server::auth::{JwtConfigError, JwtKey};
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey};
use serde_json::{Value, json};

use crate::door::{Door, SECRET, claims, ec, ed, pem, rsa, sign, token};

fn jwk(key: &EncodingKey, algorithm: Algorithm, changes: &Value) -> Value {
    let mut jwk = serde_json::to_value(Jwk::from_encoding_key(key, algorithm).unwrap()).unwrap();
    let members = jwk.as_object_mut().unwrap();
    members.extend(changes.as_object().unwrap().clone());
    members.retain(|_, value| !value.is_null());
    jwk
}

fn key_set(keys: &[Value]) -> Result<JwtKey, JwtConfigError> {
    JwtKey::key_set(json!({ "keys": keys }).to_string().as_bytes())
}

/// What a PEM file holds.
fn der(pem: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(pem);
    let from_begin = text.lines().skip_while(|line| !line.starts_with("-----BEGIN")).skip(1);
    let body: String = from_begin.take_while(|line| !line.starts_with("-----END")).collect();
    STANDARD.decode(body).unwrap()
}

#[test]
fn a_secret_is_for_hs256() {
    assert_eq!(Door::hmac().admits(&token(json!({}))).name.as_str(), "amy");
}

#[test]
fn the_kind_of_a_public_key_decides_the_algorithm() {
    let kinds: [(&[u8], Algorithm, EncodingKey); 4] = [
        (pem!("rsa.public"), Algorithm::RS256, rsa()),
        (pem!("rsa-pkcs1.public"), Algorithm::RS256, rsa()),
        (pem!("ec.public"), Algorithm::ES256, ec()),
        (pem!("ed.public"), Algorithm::EdDSA, ed()),
    ];
    for (public, algorithm, private) in kinds {
        let door = Door::new(JwtKey::public_key(public).unwrap());
        assert_eq!(door.admits(&sign(algorithm, None, &private, &claims(json!({})))).name.as_str(), "amy");
        door.refuses(&token(json!({})));
    }
}

#[test]
fn other_algorithms_of_the_same_key_are_refused() {
    let rsa_door = Door::new(JwtKey::public_key(pem!("rsa.public")).unwrap());
    for algorithm in [Algorithm::RS384, Algorithm::RS512, Algorithm::PS256] {
        rsa_door.refuses(&sign(algorithm, None, &rsa(), &claims(json!({}))));
    }
    let hmac = EncodingKey::from_secret(SECRET);
    for algorithm in [Algorithm::HS384, Algorithm::HS512] {
        Door::hmac().refuses(&sign(algorithm, None, &hmac, &claims(json!({}))));
    }
}

#[test]
fn a_guessable_secret_is_refused() {
    for secret in [&b""[..], b"secret", &[b'x'; 31]] {
        assert!(matches!(JwtKey::secret(secret), Err(JwtConfigError::ShortSecret)));
    }
    assert!(JwtKey::secret(&[b'x'; 32]).is_ok());
}

#[test]
fn a_public_key_is_no_secret() {
    let pem = String::from_utf8_lossy(pem!("rsa.public"));
    let bare = &pem[pem.find("-----BEGIN").unwrap()..];
    assert!(matches!(JwtKey::secret(bare.as_bytes()), Err(JwtConfigError::SecretIsPem)));
    assert!(matches!(JwtKey::secret(pem!("rsa.public")), Err(JwtConfigError::SecretIsPem)));
}

#[test]
fn a_public_key_is_no_secret_in_der_either() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("key");
    let public: [&[u8]; 7] = [
        pem!("rsa.public"),
        pem!("rsa-pkcs1.public"),
        pem!("ec.public"),
        pem!("ed.public"),
        pem!("p384.public"),
        pem!("secp256k1.public"),
        pem!("rsa.certificate"),
    ];
    for pem in public {
        let key = der(pem);
        assert!(matches!(JwtKey::secret(&key), Err(JwtConfigError::SecretIsDer)));
        fs::write(&path, key).unwrap();
        assert!(matches!(JwtKey::secret_file(&path), Err(JwtConfigError::SecretIsDer)));
    }
    // As a key whose last bytes happen to be a line break.
    fs::write(&path, [&[0x30_u8, 42, 0x30, 38][..], &[b'x'; 38], b"\r\n"].concat()).unwrap();
    assert!(matches!(JwtKey::secret_file(&path), Err(JwtConfigError::SecretIsDer)));
}

#[test]
fn a_key_set_is_no_secret() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("jwks");
    let set = json!({ "keys": [jwk(&ec(), Algorithm::ES256, &json!({}))] });
    for text in [set.to_string(), format!("\u{feff}{set:#}\r\n"), format!(" {}\n\n", set["keys"])] {
        assert!(matches!(JwtKey::secret(text.as_bytes()), Err(JwtConfigError::SecretIsJson)), "{text}");
        fs::write(&path, &text).unwrap();
        assert!(matches!(JwtKey::secret_file(&path), Err(JwtConfigError::SecretIsJson)), "{text}");
    }
}

#[test]
fn a_secret_may_begin_as_a_key_does() {
    for secret in [[b'{'; 40], [b'0'; 40], [b'1'; 40], [b'['; 40]] {
        assert!(JwtKey::secret(&secret).is_ok(), "{secret:?}");
    }
    assert!(JwtKey::secret(br#""a secret in quotes, which is long enough""#).is_ok());
}

#[test]
fn a_private_key_is_refused_where_a_public_one_is_needed() {
    let private: [&[u8]; 3] = [pem!("rsa.private"), pem!("ec.private"), pem!("ed.private")];
    for pem in private {
        assert!(matches!(JwtKey::public_key(pem), Err(JwtConfigError::PrivateKey)));
    }
}

#[test]
fn public_keys_of_other_kinds_are_refused() {
    let both = [&pem!("ec.public")[..], pem!("ed.public")].concat();
    let others: [&[u8]; 8] = [
        pem!("p384.public"),
        pem!("secp256k1.public"),
        pem!("rsa.certificate"),
        &both,
        b"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n",
        b"\xff",
        b"",
        SECRET,
    ];
    for other in others {
        let answer = JwtKey::public_key(other);
        assert!(matches!(answer, Err(JwtConfigError::NotAPublicKey)), "{answer:?}");
    }
    assert!(matches!(JwtKey::public_key(pem!("rsa-1024.public")), Err(JwtConfigError::RsaSize)));
}

#[test]
fn a_key_comes_from_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("key");

    for line_break in ["", "\n", "\r\n"] {
        fs::write(&path, [SECRET, line_break.as_bytes()].concat()).unwrap();
        Door::new(JwtKey::secret_file(&path).unwrap()).admits(&token(json!({})));
    }
    fs::write(&path, pem!("ed.public")).unwrap();
    let of_ed = sign(Algorithm::EdDSA, None, &ed(), &claims(json!({})));
    Door::new(JwtKey::public_key_file(&path).unwrap()).admits(&of_ed);

    fs::write(&path, json!({ "keys": [jwk(&ed(), Algorithm::EdDSA, &json!({}))] }).to_string()).unwrap();
    Door::new(JwtKey::key_set_file(&path).unwrap()).admits(&of_ed);

    let missing = folder.path().join("missing");
    assert!(matches!(JwtKey::secret_file(&missing), Err(JwtConfigError::ReadFile { .. })));
}

#[test]
fn the_key_id_chooses_from_a_set() {
    let keys = [
        jwk(&rsa(), Algorithm::RS256, &json!({ "kid": "one" })),
        jwk(
            &ec(),
            Algorithm::ES256,
            &json!({ "kid": "two", "alg": null, "use": "sig", "key_ops": ["verify"] }),
        ),
        jwk(&ed(), Algorithm::EdDSA, &json!({ "kid": "three" })),
    ];
    let door = Door::new(key_set(&keys).unwrap());
    let signed = |algorithm, kid, key: &EncodingKey| sign(algorithm, kid, key, &claims(json!({})));

    door.admits(&signed(Algorithm::RS256, Some("one"), &rsa()));
    door.admits(&signed(Algorithm::ES256, Some("two"), &ec()));
    door.admits(&signed(Algorithm::EdDSA, Some("three"), &ed()));

    door.refuses(&signed(Algorithm::RS256, Some("two"), &rsa()));
    door.refuses(&signed(Algorithm::RS256, Some("four"), &rsa()));
    door.refuses(&signed(Algorithm::RS256, None, &rsa()));
}

#[test]
fn a_set_of_one_needs_no_key_id() {
    let signed = |kid| sign(Algorithm::ES256, kid, &ec(), &claims(json!({})));

    let named = Door::new(key_set(&[jwk(&ec(), Algorithm::ES256, &json!({ "kid": "one" }))]).unwrap());
    named.admits(&signed(None));
    named.admits(&signed(Some("one")));
    named.refuses(&signed(Some("two")));

    let nameless = Door::new(key_set(&[jwk(&ec(), Algorithm::ES256, &json!({}))]).unwrap());
    nameless.admits(&signed(None));
    nameless.admits(&signed(Some("two")));
}

#[test]
fn keys_that_cannot_check_signatures_are_passed_over() {
    let unusable = [
        jwk(&rsa(), Algorithm::RS256, &json!({ "use": "enc" })),
        jwk(&rsa(), Algorithm::RS256, &json!({ "key_ops": ["sign"] })),
        jwk(&rsa(), Algorithm::RS256, &json!({ "alg": "RS512" })),
        jwk(&rsa(), Algorithm::RS256, &json!({ "alg": "HS256" })),
        jwk(&rsa(), Algorithm::RS256, &json!({ "n": "AQAB" })),
        jwk(&rsa(), Algorithm::RS256, &json!({ "e": null })),
        jwk(&ec(), Algorithm::ES256, &json!({ "crv": "P-384" })),
        jwk(&ec(), Algorithm::ES256, &json!({ "y": "AAAA" })),
        jwk(&ed(), Algorithm::EdDSA, &json!({ "x": "!" })),
        jwk(&ed(), Algorithm::EdDSA, &json!({ "x": "AAAA" })),
        json!({ "kty": "new" }),
        json!({}),
        json!(1),
    ];
    for key in &unusable {
        let answer = key_set(std::slice::from_ref(key));
        assert!(matches!(answer, Err(JwtConfigError::NoUsableKey)), "{key}: {answer:?}");
    }
    let mut keys = unusable.to_vec();
    keys.push(jwk(&ec(), Algorithm::ES256, &json!({ "kid": "good" })));
    Door::new(key_set(&keys).unwrap()).admits(&sign(Algorithm::ES256, None, &ec(), &claims(json!({}))));
}

#[test]
fn a_set_with_a_secret_or_a_private_key_is_refused() {
    let good = jwk(&ec(), Algorithm::ES256, &json!({ "kid": "good" }));
    let secret = json!({ "kty": "oct", "kid": "s", "k": "c2VjcmV0IHNlY3JldCBzZWNyZXQgc2VjcmV0IHNlY3JldA" });
    for keys in [vec![secret.clone()], vec![good.clone(), secret]] {
        assert!(matches!(key_set(&keys), Err(JwtConfigError::SecretInKeySet)));
    }
    let private = jwk(&ed(), Algorithm::EdDSA, &json!({ "kid": "p", "d": "AAAA" }));
    assert!(matches!(key_set(&[good, private]), Err(JwtConfigError::PrivateKey)));
}

#[test]
fn a_set_must_tell_its_keys_apart() {
    let named = |kid: Value| jwk(&ec(), Algorithm::ES256, &json!({ "kid": kid }));
    for keys in [[named(json!("a")), named(json!("a"))], [named(json!("a")), named(Value::Null)]] {
        assert!(matches!(key_set(&keys), Err(JwtConfigError::AmbiguousKeyId)));
    }
    assert!(matches!(key_set(&[]), Err(JwtConfigError::NoUsableKey)));
    for text in ["", "[]", "{}", r#"{"keys":{}}"#] {
        assert!(matches!(JwtKey::key_set(text.as_bytes()), Err(JwtConfigError::NotAKeySet { .. })), "{text}");
    }
}
