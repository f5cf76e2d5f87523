//! A whole server on PostgreSQL.

#![allow(clippy::expect_used, reason = "helpers of tests fail as tests do")]

use chat_server::Database;
use chat_tests::postgres::Postgres;
use chat_tests::server::TestServer;
use serde_json::{Value, json};

async fn on(database: &Database) -> TestServer {
    TestServer::start_with(|config| config.database = database.clone()).await
}

fn fresh(postgres: &Postgres) -> Database {
    postgres.url_of(&postgres.fresh_database()).parse().expect("a database")
}

#[tokio::test]
async fn two_dialects_talk_and_find_it_again_after_a_restart() {
    let database = fresh(Postgres::shared());
    let server = on(&database).await;
    let mut amy = server.connect("/ws/chat/hall/?username=amy&dialect=typed").await;
    let mut ben = server.connect("/ws/chat/hall/?username=ben&dialect=command").await;
    amy.send(&json!({"type": "chat_message", "message": "سلام 😀"})).await;
    assert_eq!(ben.receive().await["message"]["content"], "سلام 😀");
    amy.receive_where(|frame| frame["type"] == "message_sent").await;
    ben.send(&json!({"command": "new_message", "content": "hello", "roomName": "hall"})).await;
    amy.receive_where(|frame| frame["message"] == "hello").await;
    amy.close().await;
    ben.close().await;
    server.stop().await;

    let server = on(&database).await;
    let mut late = server.connect("/ws/chat/hall/?username=cleo&dialect=command").await;
    late.send(&json!({"command": "fetch_message", "roomName": "hall"})).await;
    let history = late.receive().await;
    let texts: Vec<_> =
        history["message"].as_array().expect("a list").iter().map(|m| &m["content"]).collect();
    assert_eq!(texts, ["hello", "سلام 😀"]);
    late.close().await;
    server.stop().await;
}

#[tokio::test]
async fn a_sender_hears_of_a_crash_and_goes_on_after_it() {
    let postgres = Postgres::start();
    let server = on(&fresh(&postgres)).await;
    let mut amy = server.connect("/ws/chat/hall/?username=amy&dialect=typed").await;
    let say = |text: &str| json!({"type": "chat_message", "message": text});
    let answered = |frame: &Value| ["message_sent", "error"].iter().any(|kind| frame["type"] == *kind);
    amy.send(&say("before")).await;
    assert_eq!(amy.receive_where(answered).await["type"], "message_sent");
    postgres.crash();
    amy.send(&say("lost")).await;
    assert_eq!(amy.receive_where(answered).await["type"], "error");
    postgres.restart();
    amy.send(&say("after")).await;
    assert_eq!(amy.receive_where(answered).await["type"], "message_sent");
    let mut ben = server.connect("/ws/chat/hall/?username=ben&dialect=command").await;
    ben.send(&json!({"command": "fetch_message", "roomName": "hall"})).await;
    let history = ben.receive_where(|frame| frame["command"] == "fetch_message").await;
    assert_eq!(history["message"].as_array().map(Vec::len), Some(2));
}
