//! A Django project's tables in a file, made as Django would make them.

use std::path::PathBuf;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chat_core::memory::MemoryStorage;
use chat_core::{Admission, Authenticator, Handshake, Identity, Refused};
use chat_protocol::Timestamp;
use chat_server::SystemClock;
use chat_server::auth::django::signing::{SaltedHmac, SecretKey};
use chat_server::auth::{DjangoAuthenticator, DjangoConfig, DjangoDatabase};
use serde_json::{Value, json};
use sqlx::AssertSqlSafe;
use sqlx::sqlite::{SqliteConnectOptions, SqlitePool};
use tempfile::TempDir;

/// The session key of the vectors.
pub(crate) const KEY: &str = "kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk";

/// A file of vectors.
pub(crate) fn vectors(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

/// Bytes in hexadecimal.
pub(crate) fn hex(code: [u8; 32]) -> String {
    code.iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
}

/// The text at this place of a vector.
pub(crate) fn text<'v>(vector: &'v Value, place: &str) -> &'v str {
    vector[place].as_str().unwrap_or_else(|| panic!("no text {place} in {vector}"))
}

/// The project's keys: the current one, then the fallbacks.
pub(crate) fn keys(vectors: &Value) -> Vec<SecretKey> {
    let fallbacks = vectors["secret_key_fallbacks"].as_array().unwrap();
    std::iter::once(&vectors["secret_key"])
        .chain(fallbacks)
        .map(|key| SecretKey::new(key.as_str().unwrap()).unwrap())
        .collect()
}

/// A project with the users of the vectors: 2 is active, 3 is not.
pub(crate) struct Project {
    folder: TempDir,
    pub(crate) keys: Vec<SecretKey>,
    pub(crate) password: String,
    tables: SqlitePool,
}

impl Project {
    pub(crate) async fn new() -> Self {
        let vectors = vectors(include_str!("lookups.json"));
        let folder = tempfile::tempdir().unwrap();
        let options =
            SqliteConnectOptions::new().filename(folder.path().join("db.sqlite3")).create_if_missing(true);
        let tables = SqlitePool::connect_with(options).await.unwrap();
        let password = text(&vectors, "password").to_owned();
        let project = Self { folder, keys: keys(&vectors), password, tables };
        for (_, sql) in vectors["tables"].as_object().unwrap() {
            project.run(sql.as_str().unwrap()).await;
        }
        for (id, active) in [(2, 1), (3, 0)] {
            project
                .run(&format!(
                    "INSERT INTO auth_user (id, password, is_superuser, username, last_name, email, is_staff, \
                     is_active, date_joined, first_name) VALUES ({id}, '{}', 0, 'username{}', '', '', 0, {active}, \
                     '2024-01-01 00:00:00', '')",
                    project.password,
                    id - 1,
                ))
                .await;
        }
        project
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().join("db.sqlite3")
    }

    pub(crate) async fn run(&self, sql: &str) {
        sqlx::query(AssertSqlSafe(sql)).execute(&self.tables).await.unwrap();
    }

    /// Stores a session that ends so many seconds from now.
    pub(crate) async fn store(&self, key: &str, data: &str, ends_in: i64) {
        let now = chat_core::Clock::now(&SystemClock);
        let end = Timestamp::from_micros(now.as_micros() + ends_in * 1_000_000).unwrap().to_string();
        let end = end.replace('T', " ").replace('Z', "");
        self.run(&format!("INSERT OR REPLACE INTO django_session VALUES ('{key}', '{data}', '{end}')")).await;
    }

    /// What Django stores when a user logs in: their id, the backend, and the hash that binds it to the password.
    pub(crate) fn claims(&self, user: i64) -> [String; 3] {
        let codes = SaltedHmac::new(SaltedHmac::SESSION_AUTH_HASH, &self.keys);
        let hash = hex(codes.codes(&self.password).next().unwrap());
        [user.to_string(), "django.contrib.auth.backends.ModelBackend".to_owned(), hash]
    }

    /// The session of a user who has logged in.
    pub(crate) fn login(&self, user: i64, salt: &str) -> String {
        let [id, backend, hash] = self.claims(user);
        let data = json!({ "_auth_user_id": id, "_auth_user_backend": backend, "_auth_user_hash": hash });
        self.sign(&URL_SAFE_NO_PAD.encode(data.to_string()), salt)
    }

    /// A payload, signed at a time that the vectors use, too.
    pub(crate) fn sign(&self, payload: &str, salt: &str) -> String {
        let value = format!("{payload}:1r31eq");
        let code = SaltedHmac::new(&format!("{salt}signer"), &self.keys).codes(&value).next().unwrap();
        format!("{value}:{}", URL_SAFE_NO_PAD.encode(code))
    }

    pub(crate) fn config(&self) -> DjangoConfig {
        let mut config = DjangoConfig::new(DjangoDatabase::Sqlite(self.path()), self.keys[0].clone());
        config.fallbacks = self.keys[1..].to_vec();
        config.backends = vec!["django.contrib.auth.backends.ModelBackend".to_owned()];
        config
    }

    pub(crate) async fn open(&self) -> DjangoAuthenticator {
        open(self.config()).await
    }

    /// One that takes it to be so many seconds after 1970.
    pub(crate) async fn open_at(&self, seconds: i64) -> DjangoAuthenticator {
        self.open_at_micros(seconds * 1_000_000).await
    }

    /// One that takes it to be so many microseconds after 1970.
    pub(crate) async fn open_at_micros(&self, micros: i64) -> DjangoAuthenticator {
        let now = Timestamp::from_micros(micros).unwrap();
        let storage = Arc::new(MemoryStorage::new());
        DjangoAuthenticator::open_with_clock(self.config(), storage, Arc::new(move || now)).await.unwrap()
    }

    /// The file, byte for byte.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        std::fs::read(self.path()).unwrap()
    }
}

pub(crate) async fn open(config: DjangoConfig) -> DjangoAuthenticator {
    DjangoAuthenticator::open(config, Arc::new(MemoryStorage::new())).await.unwrap()
}

/// Comes with this `sessionid` cookie.
pub(crate) async fn come(django: &DjangoAuthenticator, cookie: &str) -> Result<Admission, Refused> {
    let request = http::Request::get("/ws/chat/lobby/").header("Cookie", format!("sessionid={cookie}"));
    let (request, ()) = request.body(()).unwrap().into_parts();
    django.authenticate(&Handshake { request: &request, peer: None }).await
}

/// Who is let in with this cookie; `None` for nobody.
pub(crate) async fn who(django: &DjangoAuthenticator, cookie: &str) -> Option<String> {
    match come(django, cookie).await {
        Ok(Admission { identity: Identity::User(user), .. }) => Some(user.name.to_string()),
        Err(Refused::NotSignedIn) => None,
        other => panic!("{other:?}"),
    }
}
