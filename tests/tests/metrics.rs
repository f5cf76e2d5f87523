//! What the server counts is what has happened.

use chat_tests::figures::Figures;
use chat_tests::server::TestServer;
use serde_json::json;

#[tokio::test]
async fn what_happens_is_counted() {
    let server = TestServer::start().await;
    let mut plain = server.connect("/ws/chat/hall/?dialect=plain").await;
    let mut typed = server.connect("/ws/chat/hall/?dialect=typed").await;
    let mut unknown = server.connect("/ws/chat/hall/").await;
    for text in ["one", "two"] {
        plain.send(&json!({"message": text})).await;
        for socket in [&mut plain, &mut typed, &mut unknown] {
            assert_eq!(socket.receive().await["message"], text);
        }
    }
    let figures = Figures::with(&server, "chat_confirmation_seconds_count", 2).await;
    for (name, value) in [
        (r#"chat_connections{dialect="plain"}"#, 1),
        (r#"chat_connections{dialect="typed"}"#, 1),
        (r#"chat_connections{dialect="undecided"}"#, 1),
        (r#"chat_connections{dialect="command"}"#, 0),
        (r#"chat_connections{dialect="group"}"#, 0),
        (r#"chat_connections{dialect="remetente"}"#, 0),
        ("chat_connections_opened_total", 3),
        ("chat_received_frames_total", 2),
        ("chat_received_bytes_total", 2 * r#"{"message":"one"}"#.len()),
        ("chat_messages_stored_total", 2),
        ("chat_messages_not_stored_total", 0),
        ("chat_storage_seconds_count", 2),
        // Two messages to three clients.
        ("chat_sent_frames_total", 6),
        ("chat_queue_bytes", 0),
    ] {
        assert_eq!(figures.figure(name), value, "{name}");
    }
    assert!(figures.figure("chat_sent_bytes_total") > 6 * 20);
    Figures::with(&server, "chat_fan_out_seconds_count", 2).await;
}

#[tokio::test]
async fn ends_are_counted_with_their_reason_and_what_was_sent_is_not_forgotten() {
    let server = TestServer::start().await;
    let mut plain = server.connect("/ws/chat/hall/?dialect=plain").await;
    plain.send(&json!({"message": "one"})).await;
    plain.receive().await;
    plain.close().await;
    let figures = Figures::with(&server, r#"chat_connections{dialect="plain"}"#, 0).await;
    assert_eq!(figures.figure(r#"chat_connections_ended_total{reason="closed"}"#), 1);
    // The message, and the answer to the close.
    assert_eq!(figures.figure("chat_sent_frames_total"), 2);
}
