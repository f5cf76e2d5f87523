//! All dialects over real sockets: what each of them sees and says, alone and together in one room.

#![allow(clippy::expect_used, clippy::panic, reason = "helpers of tests fail as tests do")]

use chat_tests::server::TestServer;
use chat_tests::socket::Socket;
use serde_json::{Value, json};

/// A front end of one document, as far as a test needs it.
struct FrontEnd {
    socket: Socket,
    dialect: &'static str,
}

impl FrontEnd {
    async fn open(server: &TestServer, dialect: &'static str, room: &str, name: &str) -> Self {
        let path = match dialect {
            "remetente" => format!("/ws/chat/{room}?user={name}"),
            _ => format!("/ws/chat/{room}/?username={name}&dialect={dialect}"),
        };
        Self { socket: server.connect(&path).await, dialect }
    }

    async fn say(&mut self, room: &str, text: &str) {
        let frame = match self.dialect {
            "command" => json!({"command": "new_message", "content": text, "roomName": room}),
            "plain" | "remetente" => json!({"message": text}),
            "group" => json!({"type": "chat", "message": text, "groupname": room}),
            "typed" => json!({"type": "chat_message", "message": text}),
            other => unreachable!("{other}"),
        };
        self.socket.send(&frame).await;
    }

    /// The next message: who says what, from the fields of the document.
    async fn hear(&mut self) -> (String, String) {
        let (kind, sender, text) = match self.dialect {
            "command" => ("command", "/message/__str__", "/message/content"),
            "plain" => ("message", "/username", "/message"),
            "remetente" => ("message", "/remetente", "/message"),
            "group" => ("type", "/from_user", "/message"),
            "typed" => ("user_id", "/username", "/message"),
            other => unreachable!("{other}"),
        };
        let is_message = |frame: &Value| frame.get(kind).is_some() && frame["type"] != "user_status";
        let frame = self.socket.receive_where(is_message).await;
        let field = |path: &str| frame.pointer(path).and_then(Value::as_str).expect("a text").to_owned();
        (field(sender), field(text))
    }
}

const DIALECTS: [&str; 5] = ["command", "plain", "group", "remetente", "typed"];

#[tokio::test]
async fn five_front_ends_share_a_room() {
    let server = TestServer::start().await;
    let mut front_ends = Vec::new();
    for dialect in DIALECTS {
        front_ends.push(FrontEnd::open(&server, dialect, "lobby", &format!("user-of-{dialect}")).await);
    }
    let mut said = Vec::new();
    for round in 0..3 {
        for speaker in &mut front_ends {
            let text = format!("{round} from {} 😀 <b>", speaker.dialect);
            speaker.say("lobby", &text).await;
            said.push((format!("user-of-{}", speaker.dialect), text));
        }
    }
    let mut orders = Vec::new();
    for front_end in &mut front_ends {
        // The group page has drawn its own messages itself.
        let own = format!("user-of-{}", front_end.dialect);
        let echoes = front_end.dialect != "group";
        let mut heard = Vec::new();
        for _ in 0..if echoes { 15 } else { 12 } {
            heard.push(front_end.hear().await);
        }
        let mut expected: Vec<_> =
            said.iter().filter(|(sender, _)| echoes || *sender != own).cloned().collect();
        let mut sorted = heard.clone();
        sorted.sort();
        expected.sort();
        assert_eq!(sorted, expected, "{} hears everything once", front_end.dialect);
        orders.push((front_end.dialect, heard));
    }

    let mut late = FrontEnd::open(&server, "command", "lobby", "late").await;
    late.socket.send(&json!({"command": "fetch_message", "roomName": ["lobby"]})).await;
    let history = late.socket.receive().await;
    let line = |line: &Value| {
        let text = |key: &str| line[key].as_str().expect("a text").to_owned();
        (text("__str__"), text("content"))
    };
    let stored: Vec<_> = history["message"].as_array().expect("a list").iter().rev().map(line).collect();
    assert_eq!(stored.len(), 15);
    for (dialect, heard) in orders {
        let expected: Vec<_> = match dialect {
            "group" => stored.iter().filter(|(sender, _)| sender != "user-of-group").cloned().collect(),
            _ => stored.clone(),
        };
        assert_eq!(heard, expected, "{dialect} hears all in the order in which it is stored");
    }
}

#[tokio::test]
async fn the_first_frame_settles_the_dialect() {
    let server = TestServer::start().await;
    let mut watcher = server.connect("/ws/chat/hall/?username=watcher&dialect=plain").await;
    let first_frames = [
        (json!({"command": "new_message", "content": "a", "roomName": "hall"}), "/message/content"),
        (json!({"message": "a"}), "/message"),
        (json!({"type": "chat_message", "message": "a"}), "/message"),
    ];
    for (frame, text) in first_frames {
        let mut socket = server.connect("/ws/chat/hall/").await;
        socket.send(&frame).await;
        assert_eq!(watcher.receive().await["username"], "Anonymous");
        let echo = socket.receive().await;
        assert_eq!(echo.pointer(text), Some(&json!("a")), "{frame} is answered by {echo}");
        assert_eq!(
            echo.get("type").is_some(),
            frame["message"] != "a" || frame.get("type").is_some(),
            "{echo}"
        );
    }
}

#[tokio::test]
async fn until_then_a_connection_hears_messages_in_a_form_that_plain_pages_read() {
    let server = TestServer::start().await;
    let mut silent = server.connect("/ws/chat/hall/").await;
    let mut ben = server.connect("/ws/chat/hall/?username=ben&dialect=typed").await;
    ben.send(&json!({"type": "typing", "is_typing": true})).await;
    ben.send(&json!({"type": "chat_message", "message": "hi"})).await;
    let heard = silent.receive().await;
    assert_eq!((&heard["type"], &heard["message"]), (&json!("chat_message"), &json!("hi")));
    assert_eq!(heard["username"], "ben");

    // Typed after all: what was held back comes first.
    silent.send(&json!({"type": "mark_read"})).await;
    let held = silent.receive_many(4).await;
    let kinds: Vec<_> = held.iter().map(|frame| frame["type"].as_str().expect("a type")).collect();
    assert_eq!(kinds, ["user_status", "typing_indicator", "typing_indicator", "messages_marked_read"]);
}

#[tokio::test]
async fn a_subprotocol_settles_the_dialect() {
    let server = TestServer::start().await;
    let url = server.ws_url("/ws/chat/hall/?username=amy&dialect=plain");
    let mut socket = Socket::open_with_subprotocol(&url, "chat.typed").await;
    socket.send(&json!({"type": "mark_read"})).await;
    assert_eq!(socket.receive().await["type"], "messages_marked_read");
}

#[tokio::test]
async fn the_setting_settles_the_dialect() {
    let server = TestServer::start_with(|config| {
        config.gateway.dialect = Some("remetente".parse().expect("a dialect"));
    })
    .await;
    let mut socket = server.connect("/ws/chat/hall/?username=amy").await;
    socket.send(&json!({"message": "oi"})).await;
    assert_eq!(socket.receive().await["remetente"], "amy");
}

#[tokio::test]
async fn command_frames_are_those_of_the_document() {
    let server = TestServer::start().await;
    let mut amy = server.connect("/ws/chat/3212156deb2d49d698f8acdca5ba7900/").await;
    let mut listener = server.connect("/ws/chat/listener/").await;
    let room = "3212156deb2d49d698f8acdca5ba7900";
    amy.send(&json!({"command": "fetch_message", "roomName": room})).await;
    assert_eq!(amy.receive().await, json!({"command": "fetch_message", "message": []}));

    let send =
        json!({"command": "new_message", "content": "hi", "username": "username1", "roomName": [room]});
    amy.send(&send).await;
    let posted = amy.receive().await;
    assert_eq!(posted["command"], "new_message");
    assert_eq!(
        (&posted["message"]["__str__"], &posted["message"]["content"]),
        (&json!("username1"), &json!("hi"))
    );
    let timestamp = posted["message"]["timestamp"].as_str().expect("a time");
    assert_eq!(timestamp.len(), "2024-03-09T13:04:33253530Z".len(), "{timestamp}");

    let heard = listener.receive().await;
    assert_eq!(heard["members_list"], json!(["username1"]));
    assert_eq!((&heard["roomName"], &heard["type"]), (&json!(room), &json!("chat_message")));
    assert_eq!((&heard["username"], &heard["content"]), (&json!("username1"), &json!("hi")));
    assert_eq!(heard["message"], posted["message"]);
}

#[tokio::test]
async fn history_is_paged() {
    let server = TestServer::start_with(|config| config.service.history_page = 3).await;
    let mut amy = server.connect("/ws/chat/hall/?username=amy&dialect=command").await;
    for number in 1..=5 {
        amy.send(&json!({"command": "new_message", "content": number.to_string(), "roomName": "hall"})).await;
        amy.receive().await;
    }
    let mut page = async |extra: Value| {
        let mut fetch = json!({"command": "fetch_message", "roomName": "hall"});
        fetch.as_object_mut().expect("an object").extend(extra.as_object().expect("an object").clone());
        amy.send(&fetch).await;
        let page = amy.receive().await;
        let lines = page["message"].as_array().cloned().unwrap_or_else(|| panic!("a page: {page}"));
        let texts: Vec<_> =
            lines.iter().map(|line| line["content"].as_str().expect("a text").to_owned()).collect();
        (texts.join(" "), lines.last().map(|line| line["message_id"].clone()))
    };
    let (texts, oldest) = page(json!({})).await;
    assert_eq!(texts, "5 4 3");
    let (texts, oldest) = page(json!({"before": oldest})).await;
    assert_eq!(texts, "2 1");
    assert_eq!(page(json!({"before": oldest})).await, (String::new(), None));
    let as_text = oldest.expect("an id").to_string();
    assert_eq!(page(json!({"before": as_text, "limit": 2})).await, (String::new(), None));
    assert_eq!(page(json!({"limit": "1"})).await.0, "5");
    assert_eq!(page(json!({"limit": 4_000_000_000_u32})).await.0, "5 4 3 2 1");
}

#[tokio::test]
async fn a_named_listener_hears_of_its_own_rooms_only() {
    let server = TestServer::start().await;
    let mut amy = server.connect("/ws/chat/hall/?username=amy&dialect=plain").await;
    let mut ben = server.connect("/ws/chat/kitchen/?username=ben&dialect=plain").await;
    let mut of_amy = server.connect("/ws/chat/listener/?username=amy").await;
    let mut of_all = server.connect("/ws/chat/listener/").await;
    ben.send(&json!({"message": "in the kitchen"})).await;
    ben.receive().await;
    amy.send(&json!({"message": "in the hall"})).await;
    let heard = of_amy.receive().await;
    assert_eq!((&heard["roomName"], &heard["members_list"]), (&json!("hall"), &json!(["amy"])));
    let rooms: Vec<_> = of_all.receive_many(2).await.iter().map(|frame| frame["roomName"].clone()).collect();
    assert_eq!(rooms, ["kitchen", "hall"]);
}

#[tokio::test]
async fn typed_frames_are_those_of_the_document() {
    let server = TestServer::start().await;
    let mut amy = server.connect("/ws/chat/7/?username=amy&dialect=typed").await;
    let mut ben = server.connect("/ws/chat/7/?username=ben&dialect=typed").await;
    let status = amy.receive().await;
    let ben_id = status["user_id"].clone();
    assert!(ben_id.is_u64());
    assert_eq!(
        status,
        json!({"type": "user_status", "user_id": ben_id, "username": "ben", "is_online": true, "message": "ben is online"})
    );

    ben.send(&json!({"type": "typing", "is_typing": true})).await;
    let typing = json!({"type": "typing_indicator", "user_id": ben_id, "username": "ben", "is_typing": true});
    assert_eq!(amy.receive().await, typing);

    ben.send(&json!({"type": "chat_message", "message": "Привет!"})).await;
    let posted = amy.receive().await;
    let (id, time) = (posted["message_id"].clone(), posted["timestamp"].clone());
    assert!(id.is_u64() && time.as_str().is_some_and(|time| time.ends_with('Z')), "{posted}");
    assert_eq!(
        posted,
        json!({"type": "chat_message", "message_id": id, "message": "Привет!", "user_id": ben_id,
               "username": "ben", "timestamp": time, "is_read": false})
    );
    assert_eq!(amy.receive().await["is_typing"], false, "a message ends the typing");
    assert_eq!(ben.receive().await, posted, "the echo comes before the confirmation");
    assert_eq!(
        ben.receive().await,
        json!({"type": "message_sent", "message_id": id, "message": "Привет!", "timestamp": time})
    );

    amy.send(&json!({"type": "mark_read"})).await;
    let marked = ben.receive().await;
    assert_eq!((&marked["type"], &marked["room_id"]), (&json!("messages_marked_read"), &json!(7)));
    assert_eq!(amy.receive().await, marked);

    ben.close().await;
    let status = amy.receive().await;
    assert_eq!((&status["is_online"], &status["message"]), (&json!(false), &json!("ben is offline")));
}

#[tokio::test]
async fn presence_counts_connections() {
    let server = TestServer::start().await;
    let mut amy = server.connect("/ws/chat/hall/?username=amy&dialect=typed").await;
    let first = server.connect("/ws/chat/hall/?username=ben&dialect=typed").await;
    assert_eq!(amy.receive().await["is_online"], true);
    let second = server.connect("/ws/chat/hall/?username=ben&dialect=plain").await;
    first.close().await;
    // A second Ben is there: nothing to tell until he says something, and leaves.
    let mut second = second;
    second.send(&json!({"message": "still here"})).await;
    assert_eq!(amy.receive().await["message"], "still here");
    second.close().await;
    assert_eq!(amy.receive().await["message"], "ben is offline");
}

#[tokio::test]
async fn typing_ends_by_itself() {
    let server = TestServer::start_with(|config| {
        config.service.typing_lasts = std::time::Duration::from_millis(20);
    })
    .await;
    let mut amy = server.connect("/ws/chat/hall/?username=amy&dialect=typed").await;
    let mut ben = server.connect("/ws/chat/hall/?username=ben&dialect=typed").await;
    amy.receive().await;
    ben.send(&json!({"type": "typing", "is_typing": true})).await;
    assert_eq!(amy.receive().await["is_typing"], true);
    assert_eq!(amy.receive().await["is_typing"], false);
}

#[tokio::test]
async fn group_sockets_carry_all_rooms_of_their_user() {
    let server = TestServer::start().await;
    let hall = server.connect("/ws/chat/hall/?username=amy&dialect=plain").await;
    let mut amy = server.connect("/ws/chat/anything/?username=amy&dialect=group").await;
    let mut tab = server.connect("/ws/chat/kitchen/?username=amy&dialect=group").await;
    let mut ben = server.connect("/ws/chat/hall/?username=ben&dialect=group").await;

    ben.send(&json!({"type": "chat", "message": "你好", "groupname": "hall"})).await;
    for socket in [&mut amy, &mut tab] {
        let heard = socket.receive().await;
        assert_eq!((&heard["type"], &heard["message"]), (&json!("chat"), &json!("你好")));
        assert_eq!((&heard["group_name"], &heard["display_name"]), (&json!("hall"), &json!("hall")));
        assert_eq!(heard["from_user"], "ben");
    }
    // Amy entered the kitchen with her second tab, so that the first carries it, too.
    tab.send(&json!({"type": "chat", "message": "soup?", "groupname": "kitchen"})).await;
    assert_eq!(amy.receive().await["message"], "soup?");

    // A message without a reference carries the id, under which the room can be answered, as text or as number.
    let mut plain = server.connect("/ws/chat/hall/?username=cleo&dialect=plain").await;
    plain.send(&json!({"message": "ids?"})).await;
    let id = ben.receive().await["group_name"].as_str().expect("a text").to_owned();
    for reference in [json!(id), json!(id.parse::<i64>().expect("a number"))] {
        ben.send(&json!({"type": "chat", "message": "by id", "groupname": reference})).await;
        let heard = amy.receive_where(|frame| frame["message"] == "by id").await;
        assert_eq!(heard["group_name"], reference, "in the form in which it came");
    }
    drop(hall);
}

#[tokio::test]
async fn a_chat_to_a_room_that_one_is_not_in_is_an_error() {
    let server = TestServer::start().await;
    let _hall = server.connect("/ws/chat/hall/?username=amy&dialect=plain").await;
    let mut ben = server.connect("/ws/chat/kitchen/?username=ben&dialect=group").await;
    ben.send(&json!({"type": "chat", "message": "let me in", "groupname": "hall"})).await;
    let error = ben.receive().await;
    assert_eq!((&error["type"], &error["code"]), (&json!("error"), &json!("not_a_member")));
}

#[tokio::test]
async fn notifications_reach_every_group_socket_of_their_user() {
    let server = TestServer::start().await;
    let mut tabs = [
        server.connect("/ws/chat/hall/?username=wang&dialect=group").await,
        server.connect("/ws/chat/kitchen/?username=wang&dialect=group").await,
    ];
    let mut ben = server.connect("/ws/chat/hall/?username=ben&dialect=group").await;
    ben.send(&json!({"type": "notification", "message": "you have mail", "user_name": "wang"})).await;
    for tab in &mut tabs {
        let heard = tab.receive().await;
        assert_eq!((&heard["type"], &heard["message"]), (&json!("notification"), &json!("you have mail")));
        assert!(heard["id"].is_u64(), "{heard}");
    }
    ben.send(&json!({"type": "notification", "message": "hello?", "user_name": "nobody"})).await;
    assert_eq!(ben.receive().await["code"], "unknown_user");
}

#[tokio::test]
async fn guests_of_one_name_are_one_user_and_nameless_ones_are_not() {
    let server = TestServer::start().await;
    let mut first = server.connect("/ws/chat/hall/?dialect=typed").await;
    let mut second = server.connect("/ws/chat/hall/?dialect=typed").await;
    second.send(&json!({"type": "typing", "is_typing": true})).await;
    assert_eq!(first.receive().await["username"], "Anonymous");
    let mut plain = server.connect("/ws/chat/hall/").await;
    plain.send(&json!({"username": "currentUser", "message": "named by the frame"})).await;
    let posted = first.receive_where(|frame| frame["type"] == "chat_message").await;
    assert_eq!(posted["username"], "currentUser");
    let mut other = server.connect("/ws/chat/hall/?username=currentUser&dialect=typed").await;
    other.send(&json!({"type": "chat_message", "message": "the same"})).await;
    let again = first.receive_where(|frame| frame["type"] == "chat_message").await;
    assert_eq!(again["user_id"], posted["user_id"]);
}

#[tokio::test]
async fn the_server_speaks_the_language_it_is_set_to() {
    let server = TestServer::start_with(|config| {
        config.gateway.language = "ru".parse().expect("a language");
    })
    .await;
    let mut amy = server.connect("/ws/chat/hall/?username=amy&dialect=typed").await;
    amy.send(&json!({"type": "chat_message", "message": "  "})).await;
    assert_eq!(amy.receive().await["message"], "Сообщение не может быть пустым");
}
