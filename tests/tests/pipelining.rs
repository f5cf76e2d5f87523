//! Clients that do not wait for an answer before they say more.

use chat_tests::dialect::{DIALECTS, code_of, post};
use chat_tests::figures::Figures;
use chat_tests::server::TestServer;
use serde_json::json;

/// More than may be unconfirmed at once.
const MANY: usize = 300;

#[tokio::test]
async fn messages_of_one_client_are_heard_in_the_order_in_which_they_were_sent() {
    let server = TestServer::start().await;
    for dialect in DIALECTS {
        let mut listening = server.connect("/ws/chat/hall/?username=ben&dialect=plain").await;
        let mut talking = server.connect(&format!("/ws/chat/hall/?username=amy&dialect={dialect}")).await;
        for number in 0..MANY {
            talking.send(&post(dialect, &json!(format!("{number}")))).await;
        }
        let mut heard = Vec::new();
        while heard.len() < MANY {
            let frame = listening.receive().await;
            heard.extend(frame["message"].as_str().and_then(|text| text.parse::<usize>().ok()));
        }
        assert!(heard.iter().copied().eq(0..MANY), "{dialect}: {heard:?}");
    }
}

#[tokio::test]
async fn messages_that_come_in_together_are_stored_together() {
    let server = TestServer::start().await;
    let mut socket = server.connect("/ws/chat/hall/?username=amy&dialect=plain").await;
    for (bursts, count) in [(1, 20), (2, 2)] {
        let frames: Vec<_> = (0..count).map(|number| post("plain", &json!(format!("{number}")))).collect();
        socket.send_together(&frames).await;
        for (frame, number) in socket.receive_many(count).await.into_iter().zip(0..) {
            assert_eq!(frame["message"], format!("{number}"));
        }
        Figures::with(&server, "chat_storage_seconds_count", bursts).await;
    }
}

#[tokio::test]
async fn answers_come_in_the_order_of_what_they_answer() {
    let server = TestServer::start().await;
    let mut socket = server.connect("/ws/chat/hall/?username=amy&dialect=plain").await;
    for text in ["one", "two", " ", "three", ""] {
        socket.send(&post("plain", &json!(text))).await;
    }
    for text in ["one", "two", " ", "three", ""] {
        let frame = socket.receive().await;
        if text.trim().is_empty() {
            assert_eq!(code_of("plain", &frame), "blank_message");
        } else {
            assert_eq!(frame["message"], text);
        }
    }
}
