//! What the tests share: keys, tokens, and a door to knock at.

use std::sync::Arc;
use std::time::Duration;

use chat_core::memory::MemoryStorage;
use chat_core::storage::User;
use chat_core::{Admission, Authenticator, Handshake, Identity, Refused};
use chat_server::auth::{JwtAuthenticator, JwtConfig, JwtKey};
use futures::FutureExt;
use http::Request;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode, get_current_timestamp};
use serde_json::{Map, Value, json};

pub(crate) const SECRET: &[u8] = b"a secret of the tests, known to everybody";

/// One of the test keys.
macro_rules! pem {
    ($name:literal) => {
        include_bytes!(concat!("test-", $name, ".pem"))
    };
}
pub(crate) use pem;

pub(crate) struct Door(JwtAuthenticator);

impl Door {
    pub(crate) fn new(key: JwtKey) -> Self {
        Self::with(JwtConfig::new(key))
    }

    pub(crate) fn with(config: JwtConfig) -> Self {
        Self(JwtAuthenticator::new(config, Arc::new(MemoryStorage::new())))
    }

    pub(crate) fn hmac() -> Self {
        Self::new(JwtKey::secret(SECRET).unwrap())
    }

    /// Knocks with a URI and headers.
    pub(crate) async fn request(&self, uri: &str, headers: &[(&str, &str)]) -> Result<Admission, Refused> {
        let mut request = Request::get(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let (request, ()) = request.body(()).unwrap().into_parts();
        self.0.authenticate(&Handshake { request: &request, peer: None }).await
    }

    /// Knocks with a token in the `Authorization` header.
    pub(crate) async fn show(&self, token: &str) -> Result<Admission, Refused> {
        self.request("/ws/chat/lobby/", &[("authorization", &format!("Bearer {token}"))]).await
    }

    /// The user whom a token lets in.
    #[track_caller]
    pub(crate) fn admits(&self, token: &str) -> User {
        user(wait(self.show(token)).unwrap())
    }

    #[track_caller]
    pub(crate) fn refuses(&self, token: &str) {
        assert_refused(&wait(self.show(token)));
    }
}

/// The storage in memory never waits, so neither do these.
pub(crate) fn wait<T>(future: impl Future<Output = T>) -> T {
    future.now_or_never().expect("an answer at once")
}

#[track_caller]
pub(crate) fn user(admission: Admission) -> User {
    match admission.identity {
        Identity::User(user) => user,
        guest @ Identity::Guest { .. } => panic!("a token made {guest:?}"),
    }
}

#[track_caller]
pub(crate) fn name(admission: Result<Admission, Refused>) -> String {
    user(admission.unwrap()).name.to_string()
}

#[track_caller]
pub(crate) fn assert_refused(answer: &Result<Admission, Refused>) {
    assert!(matches!(answer, Err(Refused::NotSignedIn)), "{answer:?}");
}

/// So many seconds from now.
pub(crate) fn in_seconds(seconds: i64) -> u64 {
    get_current_timestamp().checked_add_signed(seconds).unwrap()
}

/// Amy's claims, with some changed. A claim that is null is left out.
pub(crate) fn claims(changes: Value) -> Value {
    let mut claims = json!({ "sub": "7", "username": "amy", "exp": in_seconds(600) });
    let all = claims.as_object_mut().unwrap();
    all.extend(members(changes));
    all.retain(|_, value| !value.is_null());
    claims
}

pub(crate) fn members(object: Value) -> Map<String, Value> {
    match object {
        Value::Object(members) => members,
        other => panic!("{other} is no object"),
    }
}

/// A good token of amy's, signed with the secret, with some claims changed.
pub(crate) fn token(changes: Value) -> String {
    sign(Algorithm::HS256, None, &EncodingKey::from_secret(SECRET), &claims(changes))
}

pub(crate) fn sign(algorithm: Algorithm, kid: Option<&str>, key: &EncodingKey, claims: &Value) -> String {
    let header = Header { kid: kid.map(str::to_owned), ..Header::new(algorithm) };
    encode(&header, claims, key).unwrap()
}

pub(crate) fn rsa() -> EncodingKey {
    EncodingKey::from_rsa_pem(pem!("rsa.private")).unwrap()
}

pub(crate) fn ec() -> EncodingKey {
    EncodingKey::from_ec_pem(pem!("ec.private")).unwrap()
}

pub(crate) fn ed() -> EncodingKey {
    EncodingKey::from_ed_pem(pem!("ed.private")).unwrap()
}

pub(crate) fn config() -> JwtConfig {
    JwtConfig::new(JwtKey::secret(SECRET).unwrap())
}

pub(crate) fn no_leeway() -> JwtConfig {
    JwtConfig { leeway: Duration::ZERO, ..config() }
}
