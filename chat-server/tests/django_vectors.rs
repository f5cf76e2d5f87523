//! Sessions as Django itself has made and judged them, and what becomes of the connections that they let in.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "helpers of tests fail as tests do"
)]

#[path = "django_vectors/project.rs"]
mod project;
#[path = "django_vectors/signing.rs"]
mod signing;

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chat_core::memory::MemoryStorage;
use chat_core::{Admission, Authenticator, Credential, Refused};
use chat_protocol::Timestamp;
use chat_server::auth::django::signing::{SecretKey, Signer};
use chat_server::auth::{DjangoAuthenticator, DjangoConfig, DjangoDatabase, DjangoError, SessionStore};
use project::{KEY, Project, come, open, text, vectors, who};
use serde_json::json;

const SIGNING: &str = include_str!("django_vectors/signing.json");
const LOOKUPS: &str = include_str!("django_vectors/lookups.json");

#[tokio::test]
async fn stored_sessions_let_in_whom_django_lets_in() {
    let project = Project::new().await;
    let django = project.open().await;
    for row in vectors(LOOKUPS)["lookups"].as_array().unwrap() {
        project.run("DELETE FROM django_session").await;
        let stored = &row["row"];
        if stored.is_object() {
            let ends_in = if text(stored, "expire_date") == "now-1s" { -1 } else { 86_400 };
            project.store(text(stored, "session_key"), text(stored, "session_data"), ends_in).await;
        }
        let before = project.bytes();
        assert_eq!(who(&django, text(row, "cookie")).await.as_deref(), row["user"].as_str(), "{row}");
        assert!(before == project.bytes(), "nothing is written: {}", row["name"]);
    }
}

#[tokio::test]
async fn session_data_of_every_kind_in_the_table() {
    let project = Project::new().await;
    let django = project.open().await;
    let vectors = vectors(SIGNING);
    for kind in ["good", "bad", "odd"] {
        for row in vectors["session_data"][kind].as_array().unwrap() {
            project.store(KEY, text(row, "session_data"), 60).await;
            let expected = row["decoded"].get("_auth_user_id").map(|_| "username1");
            assert_eq!(who(&django, KEY).await.as_deref(), expected, "{}", row["name"]);
        }
    }
}

#[tokio::test]
async fn signed_cookies_let_in_until_they_are_too_old() {
    let project = Project::new().await;
    let vectors = &vectors(SIGNING)["signed_cookies"];
    assert_eq!(text(vectors, "salt"), Signer::COOKIE_SESSIONS);
    for row in vectors["vectors"].as_array().unwrap() {
        let django = project.open_at(row["read_at"].as_i64().unwrap()).await;
        let expected = row["decoded"].get("_auth_user_id").map(|_| "username1");
        assert_eq!(who(&django, text(row, "sessionid")).await.as_deref(), expected, "{}", row["name"]);
    }
}

#[tokio::test]
async fn a_stored_session_lets_in_until_its_date() {
    let project = Project::new().await;
    project.store(KEY, &project.login(2, Signer::DATABASE_SESSIONS), 60).await;
    for date in vectors(LOOKUPS)["expire_dates"].as_array().unwrap() {
        let date = date.as_str().unwrap();
        project.run(&format!("UPDATE django_session SET expire_date = '{date}'")).await;
        let end = Timestamp::from_rfc3339(&format!("{date}Z")).unwrap().as_micros();
        for (now, expected) in [(end - 1, Some("username1")), (end, None)] {
            let django = project.open_at_micros(now).await;
            assert_eq!(who(&django, KEY).await.as_deref(), expected, "{date}");
        }
    }
}

#[tokio::test]
async fn a_session_that_the_project_extends_goes_on() {
    let project = Project::new().await;
    let django = project.open().await;
    let login = project.login(2, Signer::DATABASE_SESSIONS);
    project.store(KEY, &login, 60).await;
    let Admission { expires_at, credential, .. } = come(&django, KEY).await.unwrap();
    assert_eq!(expires_at, None, "an end that is told at the beginning cannot be put off");
    assert!(!format!("{credential:?}").contains(KEY));
    let credentials = [credential.unwrap()];
    project.store(KEY, &login, 120).await;
    assert!(django.revoked(&credentials).await.unwrap().is_empty());
    project.store(KEY, &login, -1).await;
    assert_eq!(django.revoked(&credentials).await.unwrap(), credentials);
}

#[tokio::test]
async fn the_end_of_a_signed_cookie_is_told() {
    let project = Project::new().await;
    let cookie = project.login(2, Signer::COOKIE_SESSIONS);
    let admission = come(&project.open_at(1_700_000_000).await, &cookie).await.unwrap();
    assert_eq!(admission.expires_at.unwrap().as_micros(), (1_700_000_000 + 1_209_600) * 1_000_000 + 1);
}

#[tokio::test]
async fn each_store_takes_its_own_cookies_only() {
    let project = Project::new().await;
    project.store(KEY, &project.login(2, Signer::DATABASE_SESSIONS), 60).await;
    let mut config = project.config();
    let cookie = project.login(2, Signer::COOKIE_SESSIONS);
    for (store, key, signed) in [
        (SessionStore::Database, true, false),
        (SessionStore::SignedCookies, false, true),
        (SessionStore::Either, true, true),
    ] {
        config.store = store;
        // The cookie was signed in 2023.
        config.cookie_age = Duration::from_hours(100 * 365 * 24);
        let django = open(config.clone()).await;
        assert_eq!(who(&django, KEY).await.is_some(), key, "{store:?}");
        assert_eq!(who(&django, &cookie).await.is_some(), signed, "{store:?}");
    }
}

#[tokio::test]
async fn payloads_that_are_not_json_are_refused() {
    let project = Project::new().await;
    let django = project.open().await;
    // A pickle of {}, a list that has the fields in their order, and nothing.
    let pickle = URL_SAFE_NO_PAD.encode(b"\x80\x05}\x94.");
    let list = URL_SAFE_NO_PAD.encode(json!(project.claims(2)).to_string());
    for payload in [&pickle, &list, "", ".", "!"] {
        project.store(KEY, &project.sign(payload, Signer::DATABASE_SESSIONS), 60).await;
        assert_eq!(who(&django, KEY).await, None, "{payload}");
    }
}

#[tokio::test]
async fn what_takes_a_session_back_ends_its_connections() {
    let project = Project::new().await;
    let django = project.open().await;
    project.run("CREATE TABLE kept AS SELECT * FROM auth_user").await;
    for sql in [
        "DELETE FROM django_session",
        "UPDATE django_session SET expire_date = '2020-01-01 00:00:00'",
        "UPDATE django_session SET session_data = 'e30:1r31eq:hADNdD7d9lA_WX16yp5iyCRyDvF_QsYS3zMxiOAjqao'",
        "UPDATE auth_user SET password = 'pbkdf2_sha256$1$x$y' WHERE id = 2",
        "UPDATE auth_user SET is_active = 0 WHERE id = 2",
        "DELETE FROM auth_user WHERE id = 2",
    ] {
        project.store(KEY, &project.login(2, Signer::DATABASE_SESSIONS), 60).await;
        let credential = come(&django, KEY).await.unwrap().credential.unwrap();
        let credentials = [credential];
        assert!(django.revoked(&credentials).await.unwrap().is_empty());
        project.run(sql).await;
        assert_eq!(django.revoked(&credentials).await.unwrap(), credentials, "{sql}");
        assert_eq!(who(&django, KEY).await, None);
        project.run("INSERT OR REPLACE INTO auth_user SELECT * FROM kept").await;
    }
}

#[tokio::test]
async fn a_session_that_changes_hands_vouches_for_its_new_user_only() {
    let project = Project::new().await;
    let django = project.open().await;
    project.run("UPDATE auth_user SET is_active = 1").await;
    project.store(KEY, &project.login(2, Signer::DATABASE_SESSIONS), 60).await;
    let before = come(&django, KEY).await.unwrap().credential.unwrap();
    project.store(KEY, &project.login(3, Signer::DATABASE_SESSIONS), 60).await;
    let after = come(&django, KEY).await.unwrap().credential.unwrap();
    let unknown = Credential((*b"unknown").into());
    let revoked = django.revoked(&[unknown.clone(), before.clone(), after]).await.unwrap();
    assert_eq!(revoked, [unknown, before]);
}

#[tokio::test]
async fn a_user_whose_name_means_something_else_here_is_refused() {
    let project = Project::new().await;
    project.run("UPDATE auth_user SET username = 'server' WHERE id = 2").await;
    project.store(KEY, &project.login(2, Signer::DATABASE_SESSIONS), 60).await;
    assert_eq!(who(&project.open().await, KEY).await, None);
}

#[tokio::test]
async fn a_database_that_is_away_is_no_refusal() {
    let project = Project::new().await;
    let away = project.path().with_extension("away");
    std::fs::rename(project.path(), &away).unwrap();
    let django = project.open().await;
    assert!(matches!(come(&django, KEY).await, Err(Refused::Unavailable(_))));
    std::fs::rename(&away, project.path()).unwrap();
    project.store(KEY, &project.login(2, Signer::DATABASE_SESSIONS), 60).await;
    assert_eq!(who(&django, KEY).await.as_deref(), Some("username1"));
}

#[tokio::test]
async fn names_that_cannot_be_tables_are_refused() {
    let key = SecretKey::new("secret").unwrap();
    let mut config = DjangoConfig::new("sqlite:db.sqlite3".parse::<DjangoDatabase>().unwrap(), key);
    config.user_table = "auth_user; DROP TABLE auth_user".to_owned();
    let storage = Arc::new(MemoryStorage::new());
    let refused = DjangoAuthenticator::open(config, storage).await;
    assert!(matches!(refused, Err(DjangoError::InvalidIdentifier { setting: "user_table" })));
}
