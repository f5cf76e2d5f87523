//! Storage that fails while the server runs: senders are told, readers read on, and the server recovers by itself.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "helpers of tests fail as tests do"
)]

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use chat_server::Database;
use chat_tests::PATIENCE;
use chat_tests::dialect::{DIALECTS, code_of, post};
use chat_tests::http::Visitor;
use chat_tests::server::TestServer;
use chat_tests::small_disk::{self, SmallDisk};
use chat_tests::socket::Socket;
use futures::future::join_all;
use serde_json::{Value, json};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Row};
use tokio::runtime::Runtime;
use tokio::time::{interval, timeout};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{CloseCode, Data, OpCode};

/// Room for some thousand messages, and for a log that SQLite tidies up now and then.
const DISK_BYTES: u64 = 48 * 1024 * 1024;

/// Somebody who posts with the `typed` dialect, and keeps a list of what came of it.
struct Sender {
    socket: Socket,
    name: String,
    confirmed: Vec<String>,
    refused: Vec<String>,
}

impl Sender {
    async fn connect(server: &TestServer, name: &str) -> Self {
        let socket = server.connect(&format!("/ws/chat/hall/?username={name}&dialect=typed")).await;
        Self { socket, name: name.to_owned(), confirmed: Vec::new(), refused: Vec::new() }
    }

    /// Sends a message; whether it was confirmed.
    async fn send(&mut self) -> bool {
        let mark = format!("{}-{}", self.name, self.confirmed.len() + self.refused.len());
        let text = mark.clone() + &"x".repeat(2000);
        self.socket.send(&json!({"type": "chat_message", "message": text, "client_id": mark})).await;
        let is_answer = |frame: &Value| matches!(frame["type"].as_str(), Some("message_sent" | "error"));
        let answer = self.socket.receive_where(is_answer).await;
        if answer["type"] == "message_sent" {
            self.confirmed.push(mark);
            return true;
        }
        assert_eq!((&answer["code"], &answer["client_id"]), (&json!("unavailable"), &json!(mark)));
        self.refused.push(mark);
        false
    }

    async fn send_many(&mut self, count: usize) {
        for _ in 0..count {
            assert!(self.send().await, "there is space");
        }
    }

    async fn send_until_refused(&mut self) {
        timeout(PATIENCE, async { while self.send().await {} }).await.expect("refused in time");
    }

    async fn send_until_confirmed(&mut self) {
        timeout(PATIENCE, async { while !self.send().await {} }).await.expect("confirmed in time");
    }
}

/// Asks until the answer is this one.
async fn is_ready_with(server: &TestServer, status: u16) -> String {
    let mut ticks = interval(Duration::from_millis(50));
    let asking = async {
        loop {
            ticks.tick().await;
            let answer = Visitor::new(server.address()).get("/readyz").await;
            if answer.status.as_u16() == status {
                return answer.body;
            }
        }
    };
    timeout(PATIENCE, asking).await.expect("in time")
}

async fn history(server: &TestServer, limit: usize) -> usize {
    let mut reader = server.connect("/ws/chat/hall/?username=reader&dialect=command").await;
    reader.send(&json!({"command": "fetch_message", "roomName": "hall", "limit": limit})).await;
    reader.receive_where(|frame| frame["message"].is_array()).await["message"].as_array().map_or(0, Vec::len)
}

async fn serve(path: &Path) -> TestServer {
    TestServer::start_with(|config| {
        config.database = Database::SqliteFile(path.to_owned());
        config.service.max_history_page = 10_000;
        config.service.store_within = Duration::from_secs(1);
    })
    .await
}

/// The marks of all messages, which must be numbered without a gap in a database that is in order.
async fn stored(path: &Path) -> Vec<String> {
    let mut database =
        SqliteConnectOptions::new().filename(path).connect().await.expect("the database opens");
    let health = sqlx::query("PRAGMA integrity_check").fetch_all(&mut database).await.expect("an answer");
    let health: Vec<String> = health.iter().map(|row| row.get(0)).collect();
    assert_eq!(health, ["ok"]);
    let rows = sqlx::query("SELECT seq, coalesce(client_id, text) FROM messages ORDER BY seq")
        .fetch_all(&mut database)
        .await
        .expect("an answer");
    for (number, row) in (1_i64..).zip(&rows) {
        assert_eq!(row.get::<i64, _>(0), number, "no gap");
    }
    rows.iter().map(|row| row.get(1)).collect()
}

/// What is confirmed is stored once, and nothing else is.
fn assert_kept(stored: &[String], senders: &[Sender]) {
    let confirmed: BTreeSet<&String> = senders.iter().flat_map(|sender| &sender.confirmed).collect();
    assert_eq!(stored.len(), confirmed.len());
    assert_eq!(stored.iter().collect::<BTreeSet<_>>(), confirmed);
}

/// Somebody who is a member of the room, on each dialect.
async fn members(server: &TestServer) -> Vec<(&'static str, Socket)> {
    join_all(DIALECTS.map(async |dialect| {
        (dialect, server.connect(&format!("/ws/chat/hall/?username=m-{dialect}&dialect={dialect}")).await)
    }))
    .await
}

/// Every dialect hears of it in its own form.
async fn assert_all_are_refused(mut sockets: Vec<(&str, Socket)>) {
    for (dialect, socket) in &mut sockets {
        let mut frame = post(dialect, &json!("lost"));
        frame["client_id"] = json!("lost-1");
        socket.send(&frame).await;
        let answer = socket.receive_where(|frame| frame["client_id"] == "lost-1").await;
        assert_eq!(code_of(dialect, &answer), "unavailable", "{dialect}");
    }
}

#[test]
fn a_full_disk_loses_and_invents_nothing() {
    small_disk::run("a_full_disk_loses_and_invents_nothing", DISK_BYTES, |disk| {
        Runtime::new().expect("a runtime").block_on(fill_up_and_clear(disk));
    });
}

async fn fill_up_and_clear(disk: &SmallDisk) {
    let path = disk.path().join("chat.db");
    let server = serve(&path).await;
    let mut senders = join_all(["amy", "ben", "cat", "dan"].map(|name| Sender::connect(&server, name))).await;
    drop(members(&server).await);
    drop(server.connect("/ws/chat/hall/?username=reader&dialect=command").await);

    // With ever more in it, so that it is now SQLite's log that finds no space, now what tidies it up.
    for count in [20, 200, 700] {
        join_all(senders.iter_mut().map(|sender| sender.send_many(count))).await;
        disk.fill();
        join_all(senders.iter_mut().map(Sender::send_until_refused)).await;
        assert_eq!(is_ready_with(&server, 503).await, "nothing can be stored\n");
        assert_all_are_refused(members(&server).await).await;
        let confirmed = senders.iter().map(|sender| sender.confirmed.len()).sum::<usize>();
        assert_eq!(history(&server, 10_000).await, confirmed, "who was a member comes in, and reads on");
        let mut reader = Sender::connect(&server, "amy").await;

        disk.clear();
        join_all(senders.iter_mut().map(Sender::send_until_confirmed)).await;
        assert_eq!(is_ready_with(&server, 200).await, "ready\n");
        reader.socket.receive_where(|frame| frame["type"] == "chat_message").await;
    }
    assert!(senders.iter().all(|sender| !sender.refused.is_empty()));
    server.stop().await;
    assert_kept(&stored(&path).await, &senders);
}

#[tokio::test]
async fn a_locked_database_is_waited_for() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("chat.db");
    let server = serve(&path).await;
    let mut senders = join_all(["amy", "ben"].map(|name| Sender::connect(&server, name))).await;
    drop(server.connect("/ws/chat/hall/?username=reader&dialect=command").await);
    join_all(senders.iter_mut().map(|sender| sender.send_many(10))).await;

    let mut other = SqliteConnectOptions::new().filename(&path).connect().await.expect("the database opens");
    sqlx::query("BEGIN IMMEDIATE").execute(&mut other).await.expect("the lock is to be had");
    join_all(senders.iter_mut().map(Sender::send_until_refused)).await;
    assert_eq!(history(&server, 10_000).await, 20);
    is_ready_with(&server, 503).await;

    sqlx::query("ROLLBACK").execute(&mut other).await.expect("the lock can be given back");
    join_all(senders.iter_mut().map(Sender::send_until_confirmed)).await;
    assert_eq!(is_ready_with(&server, 200).await, "ready\n");
    server.stop().await;
    let stored = stored(&path).await;
    for sender in &senders {
        for mark in &sender.confirmed {
            assert_eq!(stored.iter().filter(|stored| *stored == mark).count(), 1, "{mark}");
        }
    }
}

#[tokio::test]
async fn a_connection_that_must_end_does_not_wait_for_a_locked_database() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("chat.db");
    let server = serve(&path).await;
    let mut socket = server.connect("/ws/chat/hall/?username=amy&dialect=plain").await;
    let mut other = SqliteConnectOptions::new().filename(&path).connect().await.expect("the database opens");
    sqlx::query("BEGIN IMMEDIATE").execute(&mut other).await.expect("the lock is to be had");
    socket.send(&post("plain", &json!("said before"))).await;
    let not_utf8 = Frame::message(vec![0xff], OpCode::Data(Data::Text), true);
    socket.send_message(Message::Frame(not_utf8)).await;
    let Message::Close(Some(close)) = socket.receive_message().await else { panic!("no goodbye") };
    assert_eq!(close.code, CloseCode::Invalid);
    drop(socket);

    sqlx::query("ROLLBACK").execute(&mut other).await.expect("the lock can be given back");
    server.stop().await;
    assert_eq!(stored(&path).await.len(), 1);
}
