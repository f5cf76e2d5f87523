//! However much a client has missed, it is never all in memory.
//!
//! `CHAT_TEST_MISSED=1000000 cargo test --release -p chat-tests --test resume_memory` does it with a million messages.

#![allow(clippy::expect_used, reason = "helpers of tests fail as tests do")]

use std::path::Path;

use chat_core::storage::{MessageStorage, NewMessage, RoomStorage, UserStorage};
use chat_protocol::{RoomName, Timestamp, Username};
use chat_server::storage::{ServerStorage, SqliteStorage};
use chat_tests::crash::{Instance, TestDatabase};
use chat_tests::dialect::id_of;
use chat_tests::socket::Socket;

/// How many messages are missed, unless the environment says otherwise.
const MISSED: usize = 50_000;

/// How much more memory the server may take.
const MAX_GROWTH_KIB: u64 = 10 * 1024;

/// Messages that are stored at once.
const BATCH: usize = 1_000;

#[tokio::test]
async fn a_long_absence_is_read_page_by_page() {
    let missed = std::env::var("CHAT_TEST_MISSED")
        .map_or(MISSED, |count| count.parse().expect("CHAT_TEST_MISSED is a number"));
    let database = TestDatabase::sqlite();
    store(&database.folder().join("chat.db"), missed).await;
    let server = Instance::start(Path::new(env!("CARGO_BIN_EXE_crash")), &database.url()).await;
    let url = |query: &str| format!("ws://{}/ws/chat/hall/?dialect=plain{query}", server.address());
    // What the first connection and the first read of the database cost does not count.
    Socket::open(&url("&since=999999999")).await.receive().await;

    let before = server.resident_kib();
    server.forget_peak();
    let mut back = Socket::open(&url("&since=0")).await;
    let mut last = 0;
    for _ in 0..missed {
        let id = id_of(&back.receive().await);
        assert_eq!(id, last + 1, "no gap and no double");
        last = id;
    }
    let growth = server.peak_kib().saturating_sub(before);
    assert!(growth < MAX_GROWTH_KIB, "the server grew by {growth} KiB to replay {missed} messages");
    server.stop().await;
}

async fn store(path: &Path, count: usize) {
    let storage = SqliteStorage::open(path).await.expect("a database");
    let room = storage.ensure_room(&RoomName::new("hall").expect("a name")).await.expect("a room");
    let sender = storage.ensure_user(&Username::new("amy").expect("a name")).await.expect("a user");
    let message = NewMessage {
        room: room.id,
        sender,
        text: "Has anybody seen the keys of the workshop? They were on the table by the window.".into(),
        sent_at: Timestamp::from_micros(1_759_460_400_000_000).expect("a time"),
        client_id: None,
    };
    let batch = vec![message; BATCH];
    for stored in (0..count).step_by(BATCH) {
        let rest = batch.get(..BATCH.min(count - stored)).expect("a batch is as long");
        storage.append(rest).await.expect("messages are stored");
    }
    storage.close().await;
}
