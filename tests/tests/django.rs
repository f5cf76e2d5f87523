//! Logins at a real Django project, with its own form, and what its cookie is worth here: always the same as there.

#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "helpers of tests fail as tests do"
)]

use std::path::Path;
use std::time::Duration;

use chat_core::storage::RoomStorage;
use chat_server::auth::{DjangoConfig, SecretKey};
use chat_server::storage::SqliteStorage;
use chat_server::{Auth, Database};
use chat_tests::django::{Site, Visitor};
use chat_tests::postgres::Postgres;
use chat_tests::server::TestServer;
use chat_tests::socket::Socket;
use http::StatusCode;
use serde_json::json;
use tempfile::TempDir;

const PASSWORD: &str = "correct horse battery staple";

async fn site(sessions: &str, postgres: Option<&Postgres>) -> Site {
    Site::start(Path::new(env!("CARGO_TARGET_TMPDIR")), sessions, "a-key-of-this-test", postgres).await
}

/// A chat server in front of the project, with a room.
struct Door {
    server: TestServer,
    _folder: TempDir,
}

/// Somebody who has come in.
struct Guest {
    name: String,
    socket: Socket,
}

impl Door {
    /// Opens one that knows these keys: the current one first.
    async fn open(site: &Site, keys: &[&str]) -> Self {
        let mut keys = keys.iter().map(|key| SecretKey::new(key).unwrap());
        let mut django = DjangoConfig::new(site.database_url().parse().unwrap(), keys.next().unwrap());
        django.fallbacks = keys.collect();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("chat.db");
        let server = TestServer::start_with(|config| {
            config.auth = Auth::Django(Box::new(django));
            config.database = Database::SqliteFile(path.clone());
            config.gateway.sessions_checked_every = Duration::from_millis(20);
        })
        .await;
        let storage = SqliteStorage::open(&path).await.unwrap();
        storage.ensure_room(&"hall".parse().unwrap()).await.unwrap();
        Self { server, _folder: folder }
    }

    async fn of(site: &Site) -> Self {
        Self::open(site, &[site.key()]).await
    }

    /// Lets a visitor in; `None` for one who is not signed in.
    async fn enter(&self, visitor: &Visitor) -> Option<Guest> {
        let cookie = visitor.cookie("sessionid").map(|cookie| ("Cookie", format!("a=b; sessionid={cookie}")));
        let url = self.server.ws_url("/ws/chat/hall/?dialect=typed&username=mallory");
        match Socket::try_open_with_headers(&url, cookie.as_slice()).await {
            Ok(socket) => {
                let mut guest = Guest { name: String::new(), socket };
                guest.name = guest.talk().await;
                Some(guest)
            }
            Err(refused) => {
                assert_eq!(refused.status, StatusCode::FORBIDDEN);
                None
            }
        }
    }
}

impl Guest {
    /// Says something, and hears under which name.
    async fn talk(&mut self) -> String {
        self.socket.send(&json!({"type": "chat_message", "message": "hello", "username": "mallory"})).await;
        let mine = self.socket.receive_where(|frame| frame["type"] == "chat_message").await;
        mine["username"].as_str().unwrap().to_owned()
    }

    /// Waits until the server puts them out.
    async fn expect_put_out(mut self) {
        assert_eq!(self.socket.receive_close().await, 4401);
    }
}

/// Makes a user, who then logs in.
async fn user(site: &mut Site, name: &str) -> Visitor {
    site.run(&format!(
        "from django.contrib.auth.models import User; User.objects.create_user({}, password={})",
        json!(name),
        json!(PASSWORD),
    ))
    .await;
    let mut visitor = site.visitor();
    visitor.log_in(name, PASSWORD).await;
    assert_eq!(visitor.name().await, name);
    visitor
}

/// How many sessions the table holds. Django deletes some on the way; this server never does.
async fn stored_sessions(site: &mut Site) -> serde_json::Value {
    site.run("from django.contrib.sessions.models import Session; result = Session.objects.count()").await
}

async fn a_login_lets_in(site: &mut Site) {
    let door = Door::of(site).await;
    for name in ["login-amy", "login.王小明@example.com"] {
        let visitor = user(site, name).await;
        let mut guest = door.enter(&visitor).await.unwrap();
        assert_eq!(guest.name, name);
        assert_eq!(guest.talk().await, name);
    }
    let mut nobody = site.visitor();
    assert!(door.enter(&nobody).await.is_none());
    nobody.log_in("login-amy", "wrong").await;
    assert!(door.enter(&nobody).await.is_none());
}

async fn a_logout_ends_it(site: &mut Site) {
    let door = Door::of(site).await;
    let mut visitor = user(site, "logout-amy").await;
    let before = visitor.clone();
    let mut guest = door.enter(&visitor).await.unwrap();
    visitor.log_out().await;
    assert!(door.enter(&visitor).await.is_none());
    // Django itself takes a signed cookie back from the browser, but not from whoever has kept it.
    let kept = site.sessions() == "signed_cookies";
    assert_eq!(before.clone().name().await.is_empty(), !kept);
    assert_eq!(door.enter(&before).await.is_some(), kept);
    if kept {
        assert_eq!(guest.talk().await, "logout-amy");
    } else {
        guest.expect_put_out().await;
    }
}

async fn a_new_password_ends_it(site: &mut Site) {
    let door = Door::of(site).await;
    let mut here = user(site, "password-amy").await;
    let mut elsewhere = site.visitor();
    elsewhere.log_in("password-amy", PASSWORD).await;
    let [guest_here, guest_elsewhere] =
        [door.enter(&here).await.unwrap(), door.enter(&elsewhere).await.unwrap()];

    here.change_password(PASSWORD, "another horse entirely").await;
    let stored = stored_sessions(site).await;
    assert!(door.enter(&elsewhere).await.is_none());
    guest_elsewhere.expect_put_out().await;
    // Django gives whoever has changed it a new session.
    guest_here.expect_put_out().await;
    assert_eq!(door.enter(&here).await.unwrap().name, "password-amy");
    assert_eq!(stored_sessions(site).await, stored);
    assert_eq!(elsewhere.name().await, "");
}

async fn it_ends_with_time(site: &mut Site) {
    let door = Door::of(site).await;
    let mut visitor = user(site, "time-amy").await;
    let guest = door.enter(&visitor).await.unwrap();
    let cookie = json!(visitor.cookie("sessionid").unwrap());
    if site.sessions() == "signed_cookies" {
        // The same session, had it been saved two weeks and two seconds ago.
        let signed = site
            .run(&format!(
                "from unittest.mock import patch; import time\n\
                 from django.contrib.sessions.backends.signed_cookies import SessionStore\n\
                 session = SessionStore({cookie}); data = session.load(); then = time.time() - 1209602\n\
                 session.update(data)\n\
                 with patch('time.time', return_value=then): session.save()\n\
                 result = session.session_key",
            ))
            .await;
        visitor.set_cookie("sessionid", signed.as_str().unwrap());
    } else {
        site.run(&format!(
            "from django.contrib.sessions.models import Session; from django.utils.timezone import now\n\
             from django.core.cache import cache; cache.clear()\n\
             Session.objects.filter(pk={cookie}).update(expire_date=now())",
        ))
        .await;
        guest.expect_put_out().await;
    }
    assert!(door.enter(&visitor).await.is_none());
    assert_eq!(visitor.name().await, "");
}

async fn tampering_is_seen(site: &mut Site) {
    let door = Door::of(site).await;
    let visitor = user(site, "tamper-amy").await;
    let guest = door.enter(&visitor).await.unwrap();
    let cookie = visitor.cookie("sessionid").unwrap().to_owned();
    let swapped = if cookie.starts_with('a') { "b" } else { "a" };
    for tampered in [
        format!("{swapped}{}", &cookie[1..]),
        format!("{cookie}a"),
        cookie[..cookie.len() - 1].to_owned(),
        cookie.to_uppercase(),
        "'OR(1=1)--".to_owned(),
        String::new(),
    ] {
        let mut thief = visitor.clone();
        thief.set_cookie("sessionid", &tampered);
        assert!(door.enter(&thief).await.is_none(), "{tampered}");
        assert_eq!(thief.name().await, "", "{tampered}");
    }
    assert!(Door::open(site, &["another-key"]).await.enter(&visitor).await.is_none());
    if site.sessions() != "signed_cookies" {
        // Whoever can write to the table still cannot sign.
        site.run(&format!(
            "from django.contrib.sessions.models import Session\n\
             from django.core.cache import cache; cache.clear()\n\
             row = Session.objects.get(pk={}); head, _, tail = row.session_data.partition(':')\n\
             row.session_data = head + 'A:' + tail; row.save()",
            json!(cookie),
        ))
        .await;
        guest.expect_put_out().await;
        assert!(door.enter(&visitor).await.is_none());
        assert_eq!(visitor.clone().name().await, "");
    }
}

async fn an_account_that_is_no_more_ends_it(site: &mut Site) {
    let door = Door::of(site).await;
    for (name, end) in [("inactive-amy", "update(is_active=False)"), ("deleted-amy", "delete()")] {
        let mut visitor = user(site, name).await;
        let guest = door.enter(&visitor).await.unwrap();
        site.run(&format!(
            "from django.contrib.auth.models import User; User.objects.filter(username='{name}').{end}"
        ))
        .await;
        guest.expect_put_out().await;
        assert!(door.enter(&visitor).await.is_none(), "{end}");
        assert_eq!(visitor.name().await, "", "{end}");
    }
}

async fn a_user_who_is_renamed_keeps_their_id(site: &mut Site) {
    let door = Door::of(site).await;
    let visitor = user(site, "maiden-amy").await;
    assert_eq!(door.enter(&visitor).await.unwrap().name, "maiden-amy");
    site.run(
        "from django.contrib.auth.models import User\n\
         User.objects.filter(username='maiden-amy').update(username='married-amy')",
    )
    .await;
    assert_eq!(door.enter(&visitor).await.unwrap().name, "married-amy");
}

async fn an_old_key_holds_while_it_is_a_fallback(site: &mut Site) {
    let mut visitor = user(site, "fallback-amy").await;
    let old = site.key().to_owned();
    let new = format!("{old}-and-newer");
    site.change_key(&new).await;
    // The server listens elsewhere now.
    let cookie = visitor.cookie("sessionid").unwrap().to_owned();
    visitor = site.visitor();
    visitor.set_cookie("sessionid", &cookie);

    let [without, with] = [Door::open(site, &[&new]).await, Door::open(site, &[&new, &old]).await];
    let stored = stored_sessions(site).await;
    assert!(without.enter(&visitor).await.is_none());
    let mut guest = with.enter(&visitor).await.unwrap();
    assert_eq!(guest.name, "fallback-amy");
    assert_eq!(guest.talk().await, "fallback-amy");
    assert_eq!(stored_sessions(site).await, stored);

    // Django moves the session to the new key as soon as it sees it.
    assert_eq!(visitor.name().await, "fallback-amy");
    assert_eq!(without.enter(&visitor).await.unwrap().name, "fallback-amy");
}

macro_rules! cases {
    ($($case:ident)*) => {
        cases! { @ sqlite_database "db" $($case)* }
        cases! { @ sqlite_cached_database "cached_db" $($case)* }
        cases! { @ sqlite_signed_cookies "signed_cookies" $($case)* }

        async fn all_on_postgres(sessions: &str) {
            let postgres = Postgres::start();
            let mut site = site(sessions, Some(&postgres)).await;
            $($case(&mut site).await;)*
        }
    };
    (@ $store:ident $sessions:literal $($case:ident)*) => {
        mod $store {
            $(
                #[tokio::test]
                async fn $case() {
                    super::$case(&mut super::site($sessions, None).await).await;
                }
            )*
        }
    };
}

cases! {
    a_login_lets_in
    a_logout_ends_it
    a_new_password_ends_it
    it_ends_with_time
    tampering_is_seen
    an_account_that_is_no_more_ends_it
    a_user_who_is_renamed_keeps_their_id
    an_old_key_holds_while_it_is_a_fallback
}

#[tokio::test]
async fn postgres_database() {
    all_on_postgres("db").await;
}

#[tokio::test]
async fn postgres_signed_cookies() {
    all_on_postgres("signed_cookies").await;
}
