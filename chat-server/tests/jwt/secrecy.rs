//! Neither tokens, nor claims, nor keys show anywhere.

use std::cell::RefCell;
use std::io;
use std::sync::{Arc, Once};

use chat_core::memory::MemoryStorage;
use chat_server::auth::{JwtAuthenticator, JwtConfig, JwtKey};
use jsonwebtoken::{Algorithm, EncodingKey};
use serde_json::json;

use crate::door::{Door, SECRET, claims, config, in_seconds, pem, sign, token, wait};

thread_local! {
    /// What this thread has logged. A log of one's own per test would be simpler, but tests that run at the same time
    /// would switch each other's off.
    static LOG: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

struct Log;

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        LOG.with_borrow_mut(|log| log.write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// All that this thread logs, at every level, while `run` runs.
fn logged(run: impl FnOnce()) -> String {
    static LISTENING: Once = Once::new();
    LISTENING.call_once(|| {
        tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_writer(|| Log).init();
    });
    LOG.take();
    run();
    String::from_utf8(LOG.take()).unwrap()
}

#[test]
fn no_token_gets_into_the_log() {
    let other = EncodingKey::from_secret(b"another secret, which is as long as it must");
    let door = Door::with(JwtConfig {
        audience: Some("chat".to_owned()),
        issuer: Some("issuer".to_owned()),
        ..config()
    });
    let good =
        json!({ "aud": "chat", "iss": "issuer", "username": "Wilhelmina", "mail": "w@private.example" });
    let bad = |changes: serde_json::Value| {
        let mut all = good.clone();
        all.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        token(all)
    };
    let reasons = [
        ("expired", bad(json!({ "exp": in_seconds(-600) }))),
        ("not valid yet", bad(json!({ "nbf": in_seconds(600) }))),
        ("claim", bad(json!({ "exp": null }))),
        ("claim", bad(json!({ "exp": "w@private.example" }))),
        ("audience", bad(json!({ "aud": "private.example" }))),
        ("issuer", bad(json!({ "iss": "private.example" }))),
        ("names no user", bad(json!({ "sub": null, "username": null }))),
        ("such a name", bad(json!({ "username": "<Wilhelmina>" }))),
        ("signature", sign(Algorithm::HS256, None, &other, &claims(good.clone()))),
        ("algorithm", sign(Algorithm::HS512, None, &other, &claims(good.clone()))),
        ("too long", bad(json!({ "padding": "x".repeat(9000) }))),
        ("malformed", "eyWilhelmina".to_owned()),
    ];
    for (reason, token) in &reasons {
        let mut answer = None;
        let log = logged(|| answer = Some(wait(door.show(token))));
        let error = answer.unwrap().unwrap_err();
        assert!(log.contains(reason), "{reason}: {log}");
        for text in [log, error.to_string(), format!("{error:?}")] {
            assert_silent(&text, token);
        }
    }
    let token = token(good);
    assert_silent(&logged(|| drop(door.admits(&token))), &token);
}

#[track_caller]
fn assert_silent(text: &str, token: &str) {
    for part in token.split('.').chain(["Wilhelmina", "private.example", "eyJ"]) {
        assert!(!text.contains(part), "{text}");
    }
}

#[test]
fn no_key_shows() {
    let secret = str::from_utf8(SECRET).unwrap();
    let authenticator = JwtAuthenticator::new(config(), Arc::new(MemoryStorage::new()));
    for text in [format!("{authenticator:?}"), format!("{authenticator:#?}"), format!("{:?}", config())] {
        assert!(!text.contains(secret), "{text}");
        let as_list = format!("{SECRET:?}");
        assert!(!text.contains(as_list.trim_matches(['[', ']'])), "{text}");
    }
}

#[test]
fn no_error_repeats_a_key() {
    let errors = [
        JwtKey::secret(b"short and secret"),
        JwtKey::secret(pem!("rsa.public")),
        JwtKey::secret(br#"{"k":"short and secret, though not as short"}"#),
        JwtKey::public_key(pem!("ed.private")),
        JwtKey::public_key(b"short and secret"),
        JwtKey::key_set(br#"{"keys":"short and secret"}"#),
        JwtKey::key_set(br#"{"keys":[{"kty":"oct","k":"short and secret"}]}"#),
        JwtKey::key_set(br#"{"keys":[{"kty":"OKP","crv":"Ed25519","x":"short and secret"}]}"#),
    ];
    for error in errors.map(Result::unwrap_err) {
        let text = format!("{error} {error:?}");
        for part in ["short and", "MC4CAQ", "MIIB"] {
            assert!(!text.contains(part), "{text}");
        }
    }
}
