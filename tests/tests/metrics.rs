//! What the server counts is what has happened.

#![allow(clippy::indexing_slicing, reason = "helpers of tests fail as tests do")]

use chat_tests::figures::Figures;
use chat_tests::server::TestServer;
use chat_tests::socket::Socket;
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

const QUEUE: &str = "chat_queue_bytes";
const TOO_SLOW: &str = r#"chat_connections_ended_total{reason="too_slow"}"#;

/// So many bytes may wait for a client.
const MAX_QUEUE_BYTES: usize = 512 * 1024;

/// What a message takes with everything around it, at most.
const FRAME_BYTES: usize = 4_500;

/// A room in which somebody does not read.
struct Hall {
    server: TestServer,
    speaker: Socket,
    listener: Socket,
    slow: Socket,
    said: usize,
}

impl Hall {
    async fn open() -> Self {
        let server = TestServer::start_with(|config| config.gateway.max_queue_bytes = MAX_QUEUE_BYTES).await;
        let [speaker, listener, slow] = ["typed", "plain", "plain"]
            .map(|dialect| server.ws_url(&format!("/ws/chat/hall/?dialect={dialect}")));
        let (speaker, listener) = (Socket::open(&speaker).await, Socket::open(&listener).await);
        let slow = Socket::open(&slow).await;
        Self { server, speaker, listener, slow, said: 0 }
    }

    /// One says something, and all hear it, save the one that does not read.
    async fn say(&mut self) {
        self.said += 1;
        assert!(self.said < 20_000, "the buffers of the system cannot hold this much");
        let text = text(self.said);
        self.speaker.send(&json!({"type": "chat_message", "message": text})).await;
        let echo = self.speaker.receive_where(|frame| frame["type"] == "chat_message").await;
        assert_eq!(echo["message"], text);
        assert_eq!(self.listener.receive().await["message"], text);
    }
}

/// A long one, that is known by its number.
fn text(number: usize) -> String {
    format!("{number:4000}")
}

#[tokio::test]
async fn who_does_not_read_is_cut_off_at_the_bound_and_counted_while_all_others_hear_everything() {
    let mut hall = Hall::open().await;
    let mut most = 0;
    loop {
        hall.say().await;
        let figures = Figures::of(&hall.server).await;
        most = most.max(figures.figure(QUEUE));
        if figures.figure_if_any(TOO_SLOW) == Some(1) {
            break;
        }
    }
    assert!(most > MAX_QUEUE_BYTES / 2, "the queue was seen to grow: {most}");
    assert!(most <= MAX_QUEUE_BYTES + FRAME_BYTES, "and stays within its bound: {most}");
    let figures = Figures::with(&hall.server, QUEUE, 0).await;
    assert_eq!(figures.figure(r#"chat_connections{dialect="plain"}"#), 1);
    // It heard the beginning, and not the end.
    let mut heard = 0;
    while let Ok(frame) = hall.slow.try_receive().await {
        heard += 1;
        assert_eq!(frame["message"], text(heard));
    }
    assert!((1..hall.said).contains(&heard), "{heard} of {}", hall.said);
    hall.say().await;
    assert_eq!(Figures::of(&hall.server).await.figure(TOO_SLOW), 1);
}

#[tokio::test]
async fn what_waits_is_counted_until_it_is_read() {
    let mut hall = Hall::open().await;
    while Figures::of(&hall.server).await.figure(QUEUE) == 0 {
        hall.say().await;
    }
    for number in 1..=hall.said {
        assert_eq!(hall.slow.receive().await["message"], text(number));
    }
    let figures = Figures::with(&hall.server, QUEUE, 0).await;
    assert_eq!(figures.figure_if_any(TOO_SLOW), None);
    assert_eq!(figures.figure(r#"chat_connections{dialect="plain"}"#), 2);
}
