//! The table of `docs/access.md`, cell by cell.

#![allow(clippy::expect_used, clippy::panic, reason = "helpers of tests fail as tests do")]

use chat_core::storage::{Access, NewRoom, RoomStorage, UserStorage};
use chat_server::storage::SqliteStorage;
use chat_server::{Cli, Config, Database};
use chat_tests::http::Visitor;
use chat_tests::server::TestServer;
use chat_tests::site::Site;
use chat_tests::socket::{Refused, Socket};
use clap::Parser;
use http::StatusCode;
use serde_json::{Value, json};

/// The columns of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Who {
    Nobody,
    Stranger,
    Member,
    Owner,
}

const EVERYBODY: [Who; 4] = [Who::Nobody, Who::Stranger, Who::Member, Who::Owner];

impl Who {
    fn name(self) -> &'static str {
        match self {
            Self::Nobody => "",
            Self::Stranger => "stranger",
            Self::Member => "member",
            Self::Owner => "owner",
        }
    }
}

/// A site with a room for members, `den`, and an open one, `hall`.
struct House {
    site: Site,
}

impl House {
    async fn open() -> Self {
        let people = [Who::Stranger.name(), Who::Member.name(), Who::Owner.name(), "newcomer"];
        let mut database = Database::default();
        let site = Site::open(&people, |config| database.clone_from(&config.database)).await;
        // As who runs a server makes it: nobody says that the owner is a member, too.
        let create = ["chat-server", "room", "create", "den", "--private"];
        let people = ["--member", Who::Member.name(), "--owner", Who::Owner.name()];
        let cli = Cli::try_parse_from([&create[..], &people].concat()).expect("a command line");
        let mut config = Config::default();
        config.database = database;
        cli.command.expect("a command").run(&config).await.expect("a new room");
        site.storage.ensure_room(&"hall".parse().expect("a name")).await.expect("a room");
        Self { site }
    }

    async fn visitor(&self, who: Who) -> Visitor {
        if who != Who::Nobody {
            return self.site.visitor(who.name()).await;
        }
        let mut visitor = Visitor::new(self.site.server.address());
        visitor.get("/accounts/login/").await;
        visitor
    }

    async fn connect(&self, who: Who, path: &str) -> Result<Socket, Refused> {
        let headers = [("Cookie", self.visitor(who).await.cookies())];
        Socket::try_open_with_headers(&self.site.server.ws_url(path), &headers).await
    }

    /// A socket in the open room, which whoever is signed in may have.
    async fn in_the_hall(&self, who: Who, dialect: &str) -> Option<Socket> {
        self.connect(who, &format!("/ws/chat/hall/?dialect={dialect}")).await.ok()
    }
}

/// Checks a row: for whom it works.
fn check(row: &str, worked: &[(Who, bool)], expected: [bool; 4]) {
    let expected: Vec<_> = EVERYBODY.into_iter().zip(expected).collect();
    assert_eq!(worked, expected, "{row}");
}

#[tokio::test]
async fn connecting() {
    let house = House::open().await;
    let (mut open, mut private) = (Vec::new(), Vec::new());
    for who in EVERYBODY {
        open.push((who, house.connect(who, "/ws/chat/hall/").await.is_ok()));
        private.push((who, house.connect(who, "/ws/chat/den/").await.is_ok()));
    }
    check("connect to an open room", &open, [false, true, true, true]);
    check("connect to a room for members", &private, [false, false, true, true]);
}

#[tokio::test]
async fn writing_and_reading_from_elsewhere() {
    let house = House::open().await;
    let mut watcher = house.connect(Who::Owner, "/ws/chat/den/?dialect=plain").await.expect("the owner may");
    let (mut writing, mut reading) = (Vec::new(), Vec::new());
    for who in EVERYBODY {
        let Some(mut socket) = house.in_the_hall(who, "command").await else {
            writing.push((who, false));
            reading.push((who, false));
            continue;
        };
        let send = json!({"command": "new_message", "content": who.name(), "roomName": "den"});
        let fetch = json!({"command": "fetch_message", "roomName": "den"});
        // What a member sends is heard in the den; what a stranger sends is refused here.
        socket.send(&send).await;
        socket.send(&fetch).await;
        let mut answer = socket.receive().await;
        let may_write = answer["command"] != "error";
        if may_write {
            assert_eq!(watcher.receive().await["message"], who.name());
        } else {
            answer = socket.receive().await;
        }
        writing.push((who, may_write));
        reading.push((who, answer["command"] == "fetch_message"));
    }
    check("write to a room for members", &writing, [false, false, true, true]);
    check("read its history", &reading, [false, false, true, true]);
}

#[tokio::test]
async fn listening() {
    let house = House::open().await;
    let mut writer = house.connect(Who::Owner, "/ws/chat/den/?dialect=plain").await.expect("the owner may");
    let mut elsewhere = house.in_the_hall(Who::Owner, "plain").await.expect("the owner may");
    // Everybody who is signed in has been in the hall, and hears of it: that shows what they did not hear before.
    for who in [Who::Stranger, Who::Member] {
        drop(house.in_the_hall(who, "plain").await);
    }
    let mut listeners = Vec::new();
    let mut groups = Vec::new();
    for who in EVERYBODY {
        listeners.push((who, house.connect(who, "/ws/chat/listener/").await.ok()));
        groups.push((who, house.in_the_hall(who, "group").await));
    }
    let mut witness = house.connect(Who::Owner, "/ws/chat/listener/").await.expect("the owner may");
    writer.send(&json!({"message": "in the den"})).await;
    writer.receive().await;
    // Rooms do not wait for one another: what is said in the hall could be told of first.
    witness.receive_where(|frame| frame["content"] == "in the den").await;
    elsewhere.send(&json!({"message": "in the hall"})).await;
    elsewhere.receive().await;
    let first = async |socket: Option<Socket>, text: &'static str| match socket {
        None => false,
        Some(mut socket) => socket.receive().await[text] == "in the den",
    };
    let (mut heard_of, mut heard) = (Vec::new(), Vec::new());
    for (who, socket) in listeners {
        heard_of.push((who, first(socket, "content").await));
    }
    for (who, socket) in groups {
        heard.push((who, first(socket, "message").await));
    }
    check("hear of it at the listener", &heard_of, [false, false, true, true]);
    check("hear it on a group socket", &heard, [false, false, true, true]);
}

#[tokio::test]
async fn notifying() {
    let house = House::open().await;
    let mut worked = Vec::new();
    for who in EVERYBODY {
        let notified = match house.in_the_hall(who, "group").await {
            None => false,
            Some(mut socket) => {
                // To oneself, so that the answer is there to be seen.
                let frame = json!({"type": "notification", "message": "hello", "user_name": who.name()});
                socket.send(&frame).await;
                socket.receive().await["type"] == "notification"
            }
        };
        worked.push((who, notified));
    }
    check("notify a user by name", &worked, [false, true, true, true]);
}

#[tokio::test]
async fn over_http() {
    let house = House::open().await;
    let members = "/chat/api/rooms/den/members";
    let (mut reading, mut adding, mut removing) = (Vec::new(), Vec::new(), Vec::new());
    for who in EVERYBODY {
        let mut visitor = house.visitor(who).await;
        let read = visitor.get("/chat/api/rooms/den/messages").await.status;
        let added = visitor.send_json("POST", members, &json!({"username": "newcomer"})).await.status;
        let removed = visitor.send_json("DELETE", &format!("{members}/newcomer"), &Value::Null).await.status;
        reading.push((who, read == StatusCode::OK));
        adding.push((who, added.is_success()));
        removing.push((who, removed.is_success()));
    }
    check("read its messages over HTTP", &reading, [false, false, true, true]);
    check("add a member over HTTP", &adding, [false, false, false, true]);
    check("remove a member over HTTP", &removing, [false, false, false, true]);
}

#[tokio::test]
async fn guests() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("chat.db");
    let server = TestServer::start_with(|config| config.database = Database::SqliteFile(path.clone())).await;
    let storage = SqliteStorage::open(&path).await.expect("a database");
    let amy = storage.ensure_user(&"amy".parse().expect("a name")).await.expect("a user");
    let den = NewRoom {
        name: "den".parse().expect("a name"),
        display_name: None,
        access: Access::MembersOnly,
        owner: None,
        members: vec![amy.id],
    };
    storage.create_room(&den).await.expect("an answer").expect("a new room");
    for path in ["/ws/chat/den/", "/ws/chat/den/?user=amy"] {
        let refused = Socket::try_open(&server.ws_url(path)).await.expect_err("a room for members");
        assert_eq!(refused.status, StatusCode::FORBIDDEN, "{path}: a claimed name opens no door");
    }
    let mut claimed = server.connect("/ws/chat/new/?user=amy&dialect=command").await;
    for room in [json!("den"), json!(1), json!("1")] {
        for frame in [
            json!({"command": "fetch_message", "roomName": room}),
            json!({"command": "new_message", "content": "x", "roomName": room}),
        ] {
            claimed.send(&frame).await;
            assert_eq!(claimed.receive().await["code"], "unknown_room", "{frame}");
        }
    }
    let mut group = server.connect("/ws/chat/new/?user=amy&dialect=group").await;
    group.send(&json!({"type": "chat", "message": "x", "groupname": "den"})).await;
    assert_eq!(group.receive().await["code"], "not_a_member");
    let mut visitor = Visitor::new(server.address());
    for path in ["/chat/api/rooms/den/messages?user=amy", "/chat/api/rooms/den/messages"] {
        assert_eq!(visitor.get(path).await.status, StatusCode::NOT_FOUND, "{path}");
    }
    let rooms = visitor.get("/chat/api/rooms?user=amy").await;
    assert!(!rooms.body.contains("den"), "{rooms:?}");
}
