//! What is wrong is answered by an error in the client's own dialect, and the connection stays up.

#![allow(clippy::expect_used, clippy::panic, reason = "helpers of tests fail as tests do")]

use chat_tests::dialect::{DIALECTS, code_of, post};
use chat_tests::server::TestServer;
use chat_tests::socket::Socket;
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

async fn open(server: &TestServer, dialect: &str) -> Socket {
    server.connect(&format!("/ws/chat/hall/?username=amy&dialect={dialect}")).await
}

#[tokio::test]
async fn a_refusal_says_which_send_it_is_about() {
    let server = TestServer::start().await;
    // Nobody leaves meanwhile, of which the others would hear.
    let mut sockets = Vec::new();
    for dialect in DIALECTS {
        let mut socket = open(&server, dialect).await;
        for (text, code) in [(json!(" "), "blank_message"), (json!("x".repeat(4097)), "message_too_long")] {
            let mut frame = post(dialect, &text);
            frame["client_id"] = json!(code);
            socket.send(&frame).await;
            let answer = socket.receive().await;
            assert_eq!(code_of(dialect, &answer), code, "{dialect}");
            assert_eq!(answer["client_id"], code, "{dialect}");
        }
        sockets.push(socket);
    }
}

#[tokio::test]
async fn every_dialect_answers_bad_frames_and_stays_up() {
    let server = TestServer::start().await;
    // Nobody leaves meanwhile, of which the others would hear.
    let mut sockets = Vec::new();
    for dialect in DIALECTS {
        let mut socket = open(&server, dialect).await;
        let mut watcher = open(&server, "plain").await;
        let with_raw_text = |text: &str| post(dialect, &json!("@")).to_string().replace("\"@\"", text);
        let kind = if dialect == "command" { "command" } else { "type" };
        let mut cases = vec![
            ("not json".to_owned(), "invalid_json"),
            (String::new(), "invalid_json"),
            (with_raw_text("\"\\ud800\""), "invalid_json"),
            (with_raw_text("1e999"), "invalid_json"),
            (with_raw_text(&"[".repeat(10_000)), "invalid_json"),
            ("[1,2]".to_owned(), "not_an_object"),
            ("null".to_owned(), "not_an_object"),
            (post(dialect, &json!(" \n\t")).to_string(), "blank_message"),
            (post(dialect, &json!("x".repeat(4097))).to_string(), "message_too_long"),
            (post(dialect, &json!("a\0b")).to_string(), "forbidden_character"),
            (post(dialect, &json!({"n": 1})).to_string(), "wrong_type"),
            (post(dialect, &Value::Null).to_string(), "wrong_type"),
        ];
        let mut without_text = post(dialect, &json!("x"));
        without_text
            .as_object_mut()
            .expect("an object")
            .retain(|key, _| key != "message" && key != "content");
        cases.push((without_text.to_string(), "missing_field"));
        if !matches!(dialect, "plain" | "remetente") {
            cases.push((json!({kind: "dance"}).to_string(), "unknown_type"));
            cases.push((json!({kind: 5}).to_string(), "wrong_type"));
            cases.push(("{}".to_owned(), "missing_field"));
        }
        for (frame, code) in cases {
            socket.send_text(&frame).await;
            let answer = socket.receive().await;
            assert_eq!(code_of(dialect, &answer), code, "{dialect}: {frame:.80} is answered by {answer}");
        }
        socket.send_message(Message::binary(vec![1, 2, 3])).await;
        assert_eq!(code_of(dialect, &socket.receive().await), "binary_frame");

        socket.send(&post(dialect, &json!("x".repeat(4096)))).await;
        let heard = watcher.receive().await;
        assert_eq!(heard["message"].as_str().map(str::len), Some(4096), "{dialect}: nothing else was posted");
        sockets.push((socket, watcher));
    }
}

#[tokio::test]
async fn names_in_frames_are_checked() {
    let server = TestServer::start().await;
    let mut command = open(&server, "command").await;
    for (room, code) in [
        (json!("../x"), "invalid_room_name"),
        (json!("x".repeat(300)), "invalid_room_name"),
        (json!("a b"), "invalid_room_name"),
        (json!("😀"), "invalid_room_name"),
        (json!(""), "invalid_room_name"),
        (json!(["a", "b"]), "wrong_type"),
        (json!([]), "wrong_type"),
        (json!({}), "wrong_type"),
        (json!(0), "invalid_value"),
        (json!(true), "wrong_type"),
        (json!("nowhere"), "unknown_room"),
        (json!(4711), "unknown_room"),
    ] {
        for frame in [
            json!({"command": "fetch_message", "roomName": room}),
            json!({"command": "new_message", "content": "x", "roomName": room}),
        ] {
            command.send(&frame).await;
            let answer = command.receive().await;
            assert_eq!(code_of("command", &answer), code, "{frame} is answered by {answer}");
        }
    }
    let mut plain = open(&server, "plain").await;
    for (name, code) in [
        (json!("server"), "reserved_name"),
        (json!("Server"), "reserved_name"),
        (json!("x".repeat(151)), "invalid_username"),
        (json!("a\nb"), "invalid_username"),
        (json!("<img src=x>"), "invalid_username"),
        (json!(5), "wrong_type"),
    ] {
        plain.send(&json!({"message": "x", "username": name})).await;
        let answer = plain.receive().await;
        assert_eq!(code_of("plain", &answer), code, "{name} is answered by {answer}");
    }
}

#[tokio::test]
async fn other_fields_are_checked() {
    let server = TestServer::start().await;
    let mut typed = open(&server, "typed").await;
    for (frame, code) in [
        (json!({"type": "typing"}), "missing_field"),
        (json!({"type": "typing", "is_typing": "yes"}), "wrong_type"),
        (json!({"type": "chat_message", "message": "x", "client_id": ""}), "invalid_value"),
    ] {
        typed.send(&frame).await;
        assert_eq!(code_of("typed", &typed.receive().await), code, "{frame}");
    }
    let mut command = open(&server, "command").await;
    for (extra, code) in [
        (json!({"before": "x"}), "invalid_value"),
        (json!({"before": -1}), "invalid_value"),
        (json!({"before": 4711}), "unknown_message"),
        (json!({"limit": 0}), "invalid_value"),
        (json!({"limit": 1.5}), "wrong_type"),
    ] {
        let mut frame = json!({"command": "fetch_message", "roomName": "hall"});
        frame.as_object_mut().expect("an object").extend(extra.as_object().expect("an object").clone());
        command.send(&frame).await;
        let answer = command.receive().await;
        assert_eq!(code_of("command", &answer), code, "{frame} is answered by {answer}");
    }
    let mut group = open(&server, "group").await;
    group.send(&json!({"type": "notification", "message": "x"})).await;
    assert_eq!(code_of("group", &group.receive().await), "missing_field");
}

#[tokio::test]
async fn a_first_frame_of_no_dialect_is_answered_and_another_one_may_follow() {
    let server = TestServer::start().await;
    let mut socket = server.connect("/ws/chat/hall/?username=amy").await;
    for (frame, code) in [
        ("nonsense", "invalid_json"),
        ("{}", "unrecognized_frame"),
        ("{\"type\":\"dance\"}", "unknown_type"),
        ("{\"type\":[]}", "wrong_type"),
    ] {
        socket.send_text(frame).await;
        assert_eq!(code_of("typed", &socket.receive().await), code, "{frame}");
    }
    socket.send(&json!({"message": "plain after all"})).await;
    let echo = socket.receive().await;
    assert_eq!((&echo["username"], &echo["message"]), (&json!("amy"), &json!("plain after all")));
    assert!(echo.get("type").is_none(), "{echo}");
}

#[tokio::test]
async fn a_listener_is_answered_in_frames_that_its_page_survives() {
    let server = TestServer::start().await;
    let mut listener = server.connect("/ws/chat/listener/").await;
    for frame in ["nonsense", "{}", "{\"command\":\"fetch_message\",\"roomName\":\"hall\"}"] {
        listener.send_text(frame).await;
        assert_eq!(code_of("listener", &listener.receive().await), "listen_only", "{frame}");
    }
    listener.send_message(Message::binary(vec![0])).await;
    assert_eq!(code_of("listener", &listener.receive().await), "binary_frame");
}

#[tokio::test]
async fn a_frame_over_the_limit_closes_with_1009() {
    let server = TestServer::start().await;
    let mut socket = open(&server, "plain").await;
    socket.send(&json!({"message": "x", "pad": "x".repeat(200 * 1024)})).await;
    assert_eq!(socket.receive().await["message"], "x", "large frames are fine up to the limit");
    socket.send_text(&"x".repeat(256 * 1024 + 1)).await;
    assert_eq!(socket.receive_close().await, 1009);
}

#[tokio::test]
async fn handshakes_that_cannot_be_are_refused_over_http() {
    let server = TestServer::start().await;
    let long = format!("/ws/chat/{}/", "x".repeat(300));
    for (path, status, hint) in [
        ("/ws/chat/..%2Fx/", 400, "no room has such a name"),
        (long.as_str(), 400, "more than 94"),
        ("/ws/chat/a%20b/", 400, "' '"),
        ("/ws/chat/%F0%9F%98%80/", 400, "no room has such a name"),
        ("/ws/chat/%FF/", 400, ""),
        ("/ws/chat/hall/?username=server", 400, "reserved"),
        ("/ws/chat/hall?user=SERVER", 400, "reserved"),
        ("/ws/chat/hall/?username=amy%E2%80%8C", 400, "200c"),
        ("/ws/chat/hall%E3%85%A4/", 403, ""),
        ("/ws/chat/hall/?dialect=klingon", 400, "there are command"),
        ("/ws/chat/", 404, ""),
        ("/ws/elsewhere/", 404, ""),
    ] {
        let refused = Socket::try_open(&server.ws_url(path)).await.expect_err(path);
        assert_eq!(refused.status, status, "{path}");
        assert!(refused.text.contains(hint), "{path}: {}", refused.text);
    }
}

#[tokio::test]
async fn rooms_and_people_of_any_script_are_welcome() {
    let server = TestServer::start().await;
    let mut amy = server
        .connect("/ws/chat/%E8%81%8A%E5%A4%A9%E5%AE%A4/?username=%E7%8E%8B%E5%B0%8F%E6%98%8E&dialect=typed")
        .await;
    amy.send(&json!({"type": "chat_message", "message": "\u{202b}سلام\u{202c} 😀 \u{2028}"})).await;
    let echo = amy.receive().await;
    assert_eq!(
        (&echo["username"], &echo["message"]),
        (&json!("王小明"), &json!("\u{202b}سلام\u{202c} 😀 \u{2028}"))
    );
}
