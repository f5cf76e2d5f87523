//! `?since=`: what was missed, then what is posted, in every dialect.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "helpers of tests fail as tests do"
)]

use chat_server::Database;
use chat_tests::dialect::{DIALECTS, code_of, id_of, post, text_of};
use chat_tests::server::TestServer;
use chat_tests::socket::Socket;
use serde_json::json;
use tokio_tungstenite::tungstenite::http::StatusCode;

/// Posts texts to `hall`, and gives the ids that they get.
async fn say(server: &TestServer, texts: &[&str]) -> Vec<i64> {
    let mut amy = server.connect("/ws/chat/hall/?username=amy&dialect=typed").await;
    let mut ids = Vec::new();
    for text in texts {
        amy.send(&post("typed", &json!(text))).await;
        let confirmed = amy.receive_where(|frame| frame["type"] == "message_sent").await;
        ids.push(confirmed["message_id"].as_i64().expect("an id"));
    }
    amy.close().await;
    ids
}

/// The next message in a dialect, with its id.
async fn hear(dialect: &str, socket: &mut Socket) -> (String, i64) {
    let frame = socket.receive_where(|frame| text_of(dialect, frame).is_some()).await;
    let text = text_of(dialect, &frame).expect("a message").to_owned();
    (text, id_of(&frame))
}

#[tokio::test]
async fn every_dialect_hears_what_it_missed_and_then_what_is_posted() {
    let server = TestServer::start().await;
    for dialect in DIALECTS {
        let ids = say(&server, &["one", "two", "three"]).await;
        let path = format!("/ws/chat/hall/?username=ben&dialect={dialect}&since={}", ids[0]);
        let mut ben = server.connect(&path).await;
        assert_eq!(hear(dialect, &mut ben).await, ("two".to_owned(), ids[1]), "{dialect}");
        assert_eq!(hear(dialect, &mut ben).await, ("three".to_owned(), ids[2]), "{dialect}");
        let live = say(&server, &[dialect]).await;
        assert_eq!(hear(dialect, &mut ben).await.1, live[0], "{dialect}");
        ben.close().await;

        let path = format!("/ws/chat/hall/?username=ben&dialect={dialect}&since={}", live[0]);
        let mut ben = server.connect(&path).await;
        let next = say(&server, &["next"]).await;
        assert_eq!(
            hear(dialect, &mut ben).await,
            ("next".to_owned(), next[0]),
            "{dialect}: nothing was missed"
        );
        ben.close().await;
    }
}

#[tokio::test]
async fn a_connection_without_a_dialect_resumes_too() {
    let server = TestServer::start().await;
    let ids = say(&server, &["one", "two"]).await;
    let mut ben = server.connect(&format!("/ws/chat/hall/?username=ben&since={}", ids[0])).await;
    assert_eq!(hear("typed", &mut ben).await, ("two".to_owned(), ids[1]));
}

#[tokio::test]
async fn the_beginning_is_a_place_to_go_on_from() {
    let server = TestServer::start().await;
    let mut ben = server.connect("/ws/chat/hall/?username=ben&dialect=plain&since=0").await;
    say(&server, &["one"]).await;
    assert_eq!(hear("plain", &mut ben).await.0, "one");
    let mut cleo = server.connect("/ws/chat/hall/?username=cleo&dialect=plain&since=0").await;
    say(&server, &["two"]).await;
    for text in ["one", "two"] {
        assert_eq!(hear("plain", &mut cleo).await.0, text);
    }
}

#[tokio::test]
async fn what_cannot_be_resumed_is_answered_in_every_dialect() {
    let server = TestServer::start_with(|config| config.service.history_page = 2).await;
    say(&server, &["one", "two", "three"]).await;
    for dialect in DIALECTS {
        let path = format!("/ws/chat/hall/?username=ben&dialect={dialect}&since=999999");
        let mut ben = server.connect(&path).await;
        // Who has just left may be told as well, to those who hear of it.
        let refused = ben.receive_where(|frame| frame["type"] != "user_status").await;
        assert_eq!(code_of(dialect, &refused), "cannot_resume");
        for text in ["two", "three"] {
            assert_eq!(hear(dialect, &mut ben).await.0, text, "{dialect}: the newest page");
        }
        ben.close().await;
    }
}

#[tokio::test]
async fn a_group_socket_resumes_each_of_its_rooms() {
    let server = TestServer::start().await;
    for room in ["hall", "den"] {
        let mut ben = server.connect(&format!("/ws/chat/{room}/?username=ben&dialect=plain")).await;
        ben.send(&json!({"message": "old"})).await;
        ben.receive().await;
        ben.close().await;
    }
    let mut amy = server.connect("/ws/chat/den/?username=amy&dialect=plain").await;
    amy.send(&json!({"message": "missed in den"})).await;
    amy.receive().await;
    let missed = say(&server, &["missed in hall"]).await;

    // Of hall by its name, of den (the second room) by its id; a room that one is not in is answered.
    let since = format!("hall:{},2:0,attic:0", missed[0] - 3);
    let path = format!("/ws/chat/hall/?username=ben&dialect=group&since={since}");
    let mut ben = server.connect(&path).await;
    let frames = ben.receive_many(4).await;
    let refused = frames.iter().filter(|frame| frame["type"] == "error").count();
    assert_eq!(refused, 1, "{frames:?}");
    let texts: Vec<&str> = frames.iter().filter_map(|frame| text_of("group", frame)).collect();
    assert_eq!(texts, ["missed in hall", "old", "missed in den"], "{frames:?}");
    amy.send(&json!({"message": "live in den"})).await;
    assert_eq!(hear("group", &mut ben).await.0, "live in den");
}

#[tokio::test]
async fn slips_in_since_are_refused_with_the_reason() {
    let server = TestServer::start().await;
    for slip in ["x", "-1", "1,", "hall:", "a%20b:1"] {
        let refused = Socket::try_open(&server.ws_url(&format!("/ws/chat/hall/?since={slip}"))).await;
        let refused = refused.expect_err("it is refused");
        assert_eq!(refused.status, StatusCode::BAD_REQUEST);
        assert!(refused.text.contains("since"), "{}", refused.text);
    }
    let listener = Socket::try_open(&server.ws_url("/ws/chat/listener/?since=1")).await;
    assert_eq!(listener.expect_err("it is refused").status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn a_send_is_stored_once_across_reconnects_and_restarts() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("chat.db");
    for dialect in DIALECTS {
        let mut frame = post(dialect, &json!(format!("from {dialect}")));
        frame["client_id"] = json!(format!("mark-{dialect}"));
        let mut answers = Vec::new();
        for _ in 0..2 {
            let server =
                TestServer::start_with(|config| config.database = Database::SqliteFile(path.clone())).await;
            for _ in 0..2 {
                let mut amy = server.connect(&format!("/ws/chat/hall/?username=amy&dialect={dialect}")).await;
                amy.send(&frame).await;
                if dialect == "group" {
                    // Its own message is not sent back to it; it is told that it is stored.
                    let told = amy.receive().await;
                    assert_eq!(
                        (&told["type"], &told["client_id"]),
                        (&json!("message_sent"), &json!("mark-group"))
                    );
                    answers.push((told["message"].as_str().expect("a text").to_owned(), id_of(&told)));
                } else {
                    answers.push(hear(dialect, &mut amy).await);
                }
                amy.close().await;
            }
            server.stop().await;
        }
        assert!(answers.windows(2).all(|pair| pair[0] == pair[1]), "{answers:?}");
    }
    let server = TestServer::start_with(|config| config.database = Database::SqliteFile(path.clone())).await;
    let mut ben = server.connect("/ws/chat/hall/?username=ben&dialect=plain&since=0").await;
    for dialect in DIALECTS {
        assert_eq!(hear("plain", &mut ben).await.0, format!("from {dialect}"), "each was stored once");
    }
}
