//! Who may connect, under which name, and for how long: over real sockets, with accounts and tokens.

#![allow(clippy::expect_used, clippy::panic, reason = "helpers of tests fail as tests do")]

use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use chat_server::accounts::{Accounts, AccountsConfig};
use chat_server::auth::{JwtConfig, JwtKey};
use chat_server::storage::SqliteStorage;
use chat_server::{Auth, Database, Refusals, SystemClock};
use chat_tests::http::Visitor;
use chat_tests::server::TestServer;
use chat_tests::socket::{Refused, Socket};
use http::StatusCode;
use jsonwebtoken::{EncodingKey, Header, encode};
use serde_json::{Value, json};
use tempfile::TempDir;

const PASSWORD: &str = "correct horse battery";
const SECRET: &[u8] = b"a secret of tests, not of anything else";

/// A server with accounts, and the folder of its database.
struct Site {
    server: TestServer,
    folder: TempDir,
}

impl Site {
    async fn open(refusals: Refusals) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("chat.db");
        let server = TestServer::start_with(|config| {
            config.database = Database::SqliteFile(path.clone());
            config.auth = Auth::Session(AccountsConfig::default());
            config.gateway.unknown_origin = chat_server::UnknownOrigin::Refused;
            config.gateway.refusals = refusals;
        })
        .await;
        let site = Self { server, folder };
        site.hall().await;
        let accounts = Accounts::new(site.storage().await, SystemClock, AccountsConfig::default());
        for name in ["alice", "bob"] {
            accounts.create(name, PASSWORD).await.expect("an account");
        }
        site
    }

    /// Makes an open room, which only guests do by entering it.
    async fn hall(&self) {
        use chat_core::storage::RoomStorage;
        let name = "hall".parse().expect("a name");
        self.storage().await.ensure_room(&name).await.expect("a room");
    }

    /// The database, as another process sees it.
    async fn storage(&self) -> SqliteStorage {
        open(&self.folder.path().join("chat.db")).await
    }

    async fn log_in(&self, name: &str) -> Visitor {
        let mut visitor = Visitor::new(self.server.address());
        visitor.log_in(name, PASSWORD).await;
        visitor
    }

    async fn connect(&self, visitor: &Visitor, path: &str) -> Result<Socket, Refused> {
        let origin = self.server.http_url("");
        let headers = [("Cookie", visitor.cookies()), ("Origin", origin)];
        Socket::try_open_with_headers(&self.server.ws_url(path), &headers).await
    }

    async fn den(&self, members: &[&str]) {
        use chat_core::storage::{Access, NewRoom, RoomStorage, UserStorage};
        let storage = self.storage().await;
        let mut ids = Vec::new();
        for member in members {
            let name = member.parse().expect("a name");
            ids.push(storage.user_named(&name).await.expect("an answer").expect("a user").id);
        }
        let name = "den".parse().expect("a name");
        let den =
            NewRoom { name, display_name: None, access: Access::MembersOnly, owner: None, members: ids };
        storage.create_room(&den).await.expect("an answer").expect("a new room");
    }
}

async fn open(path: &Path) -> SqliteStorage {
    SqliteStorage::open(path).await.expect("the database opens")
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs()
}

fn token(claims: &Value) -> String {
    encode(&Header::default(), claims, &EncodingKey::from_secret(SECRET)).expect("a token")
}

/// A server that believes tokens, with a room `hall`.
async fn jwt_site() -> Site {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("chat.db");
    let server = TestServer::start_with(|config| {
        config.database = Database::SqliteFile(path.clone());
        config.auth = Auth::Jwt(JwtConfig::new(JwtKey::secret(SECRET).expect("a key")));
    })
    .await;
    let site = Site { server, folder };
    site.hall().await;
    site
}

#[tokio::test]
async fn who_is_signed_in_connects_and_nobody_else() {
    let site = Site::open(Refusals::BeforeUpgrade).await;
    let alice = site.log_in("alice").await;
    let mut socket = site.connect(&alice, "/ws/chat/hall/?dialect=typed").await.expect("alice may");
    socket.send(&json!({"type": "chat_message", "message": "hello"})).await;
    let echo = socket.receive().await;
    assert_eq!((&echo["type"], &echo["username"]), (&json!("chat_message"), &json!("alice")), "{echo}");

    let stranger = Visitor::new(site.server.address());
    let mut forger = Visitor::new(site.server.address());
    forger.set_cookie("sessionid", &"A".repeat(43));
    for visitor in [&stranger, &forger] {
        for path in ["/ws/chat/hall/", "/ws/chat/hall?user=alice", "/ws/chat/listener/"] {
            let refused = site.connect(visitor, path).await.expect_err(path);
            assert_eq!(refused.status, StatusCode::FORBIDDEN, "{path}");
        }
    }
}

#[tokio::test]
async fn nobody_speaks_as_somebody_else() {
    let site = Site::open(Refusals::BeforeUpgrade).await;
    let (alice, bob) = (site.log_in("alice").await, site.log_in("bob").await);
    let mut watcher = site.connect(&bob, "/ws/chat/hall/?dialect=typed").await.expect("bob may");
    let claims = json!({"username": "bob", "user": "bob", "user_id": 2, "from_user": "bob", "remetente": "bob",
                        "__str__": "bob", "sender": "bob", "is_staff": true});
    let frames = [
        ("command", json!({"command": "new_message", "content": "x", "roomName": "hall"})),
        ("plain", json!({"message": "x"})),
        ("group", json!({"type": "chat", "message": "x", "groupname": "hall"})),
        ("remetente", json!({"message": "x"})),
        ("typed", json!({"type": "chat_message", "message": "x"})),
    ];
    for (dialect, mut frame) in frames {
        frame.as_object_mut().expect("an object").extend(claims.as_object().expect("an object").clone());
        for query in ["user=bob", "username=bob", "user=2", "token=bob", "user_id=2"] {
            for slash in ["", "/"] {
                let path = format!("/ws/chat/hall{slash}?{query}&dialect={dialect}");
                let mut socket = site.connect(&alice, &path).await.expect("alice may");
                socket.send(&frame).await;
                let heard = watcher.receive_where(|frame| frame["type"] == "chat_message").await;
                assert_eq!(
                    (&heard["username"], &heard["user_id"]),
                    (&json!("alice"), &json!(1)),
                    "{path}: {frame}"
                );
                socket.close().await;
            }
        }
    }
}

#[tokio::test]
async fn a_room_one_may_not_enter_looks_like_one_that_does_not_exist() {
    let site = Site::open(Refusals::BeforeUpgrade).await;
    site.den(&["alice"]).await;
    let (alice, bob) = (site.log_in("alice").await, site.log_in("bob").await);
    site.connect(&alice, "/ws/chat/den/").await.expect("alice is a member");
    let by_name = site.connect(&bob, "/ws/chat/den/").await.expect_err("bob is not");
    let by_id = site.connect(&bob, "/ws/chat/2/").await.expect_err("bob is not");
    let nowhere = site.connect(&bob, "/ws/chat/nowhere/").await.expect_err("there is no such room");
    assert_eq!(by_name.status, StatusCode::FORBIDDEN);
    assert_eq!(by_name, nowhere);
    assert_eq!(by_id, nowhere);

    // Nor in frames.
    let mut socket = site.connect(&bob, "/ws/chat/hall/?dialect=command").await.expect("the hall is open");
    for room in [json!("den"), json!(2), json!("2"), json!("nowhere"), json!(999)] {
        for frame in [
            json!({"command": "fetch_message", "roomName": room}),
            json!({"command": "new_message", "content": "x", "roomName": room}),
        ] {
            socket.send(&frame).await;
            assert_eq!(socket.receive().await["code"], "unknown_room", "{frame}");
        }
    }
}

#[tokio::test]
async fn pages_of_other_hosts_may_not_connect() {
    let site = Site::open(Refusals::BeforeUpgrade).await;
    site.den(&["alice"]).await;
    let alice = site.log_in("alice").await;
    let url = site.server.ws_url("/ws/chat/den/");
    for origin in ["https://evil.example", "null", "http://127.0.0.1.evil.example", "file://"] {
        let headers = [("Cookie", alice.cookies()), ("Origin", origin.to_owned())];
        let refused = Socket::try_open_with_headers(&url, &headers).await.expect_err(origin);
        assert_eq!(refused.status, StatusCode::FORBIDDEN, "{origin}");
    }
    let silent = Socket::try_open_with_headers(&url, &[("Cookie", alice.cookies())]).await;
    assert_eq!(silent.expect_err("no origin, but a cookie").status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn front_ends_can_be_told_why() {
    let site = Site::open(Refusals::AfterUpgrade).await;
    site.den(&["alice"]).await;
    let bob = site.log_in("bob").await;
    let mut signed_out =
        site.connect(&Visitor::new(site.server.address()), "/ws/chat/den/").await.expect("a socket");
    assert_eq!(signed_out.receive_close().await, 4401);
    let mut not_a_member = site.connect(&bob, "/ws/chat/den/").await.expect("a socket");
    assert_eq!(not_a_member.receive_close().await, 4403);
}

#[tokio::test]
async fn a_logout_closes_the_open_sockets_of_the_session_only() {
    let site = Site::open(Refusals::BeforeUpgrade).await;
    site.den(&["alice"]).await;
    let (mut here, elsewhere) = (site.log_in("alice").await, site.log_in("alice").await);
    let mut closed = site.connect(&here, "/ws/chat/den/?dialect=typed").await.expect("alice may");
    let mut open = site.connect(&elsewhere, "/ws/chat/den/?dialect=typed").await.expect("alice may");
    let cookies = here.cookies();
    here.log_out().await;
    assert_eq!(closed.receive_close().await, 4401);
    open.send(&json!({"type": "mark_read"})).await;
    assert_eq!(open.receive().await["type"], "messages_marked_read");
    let headers = [("Cookie", cookies), ("Origin", site.server.http_url(""))];
    let again = Socket::try_open_with_headers(&site.server.ws_url("/ws/chat/den/"), &headers).await;
    assert_eq!(again.expect_err("the old cookie").status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn removal_by_another_process_takes_effect_on_open_sockets() {
    use chat_core::storage::{RoomStorage, UserStorage};
    let site = Site::open(Refusals::BeforeUpgrade).await;
    site.den(&["alice", "bob"]).await;
    let bob = site.log_in("bob").await;
    let mut socket = site.connect(&bob, "/ws/chat/den/").await.expect("bob may");
    let storage = site.storage().await;
    let den = storage.room_named(&"den".parse().expect("a name")).await.expect("an answer").expect("the den");
    let user = storage.user_named(&"bob".parse().expect("a name")).await.expect("an answer").expect("bob");
    storage.leave(den.id, user.id).await.expect("bob leaves");
    assert_eq!(socket.receive_close().await, 4403);
}

#[tokio::test]
async fn tokens_open_sockets_from_all_three_places() {
    let site = jwt_site().await;
    let token = token(&json!({"user_id": 70, "username": "amy", "exp": now() + 600}));
    let url = site.server.ws_url("/ws/chat/hall/?dialect=typed");
    let by_header =
        Socket::try_open_with_headers(&url, &[("Authorization", format!("Bearer {token}"))]).await;
    let by_query = Socket::try_open(&format!("{url}&token={token}")).await;
    // A browser gives up unless a subprotocol that it offers is confirmed; so does this client.
    let by_subprotocol = Socket::open_with_subprotocol(&url, &format!("bearer.{token}")).await;
    for socket in [by_header, by_query, Ok(by_subprotocol)] {
        let mut socket = socket.expect("amy may");
        socket.send(&json!({"type": "chat_message", "message": "x", "username": "ben"})).await;
        let echo = socket.receive_where(|frame| frame["type"] == "chat_message").await;
        assert_eq!((&echo["username"], &echo["user_id"]), (&json!("amy"), &json!(70)));
        socket.close().await;
    }
    for path in ["/ws/chat/hall/", "/ws/chat/hall/?token=nonsense", "/ws/chat/hall/?user=amy"] {
        let refused = Socket::try_open(&site.server.ws_url(path)).await.expect_err(path);
        assert_eq!(refused.status, StatusCode::FORBIDDEN, "{path}");
    }
}

#[tokio::test]
async fn a_connection_ends_when_its_token_expires() {
    let site = jwt_site().await;
    // Expired, but within the leeway for clocks: it is let in, and ends at once.
    let token = token(&json!({"sub": "7", "exp": now() - 1}));
    let mut socket = site.server.connect(&format!("/ws/chat/hall/?token={token}")).await;
    assert_eq!(socket.receive_close().await, 4401);
}
