//! Two servers on one database, which talk over Redis.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use std::time::Duration;

use chat_server::channel_layer::RedisOptions;
use chat_server::{Config, Database};
use chat_tests::postgres::Postgres;
use chat_tests::redis::Redis;
use chat_tests::server::TestServer;
use serde_json::json;

/// Two servers that share a database and, by this URL, a Redis.
async fn two_nodes(redis: &str, prefix: &str) -> [TestServer; 2] {
    let postgres = Postgres::shared();
    let database: Database = postgres.url_of(&postgres.fresh_database()).parse().unwrap();
    let set = |config: &mut Config| {
        let mut redis = RedisOptions::new(redis.parse().unwrap());
        prefix.clone_into(&mut redis.prefix);
        config.database = database.clone();
        config.channel_layer = Some(redis);
        config.service.rooms_checked_every = Duration::from_millis(200);
    };
    [TestServer::start_with(set).await, TestServer::start_with(set).await]
}

fn chat(text: &str) -> serde_json::Value {
    json!({"type": "chat_message", "message": text})
}

#[tokio::test]
async fn people_in_a_room_hear_each_other_from_node_to_node() {
    let redis = Redis::shared();
    let [first, second] = two_nodes(&redis.url(), &redis.fresh_prefix()).await;
    let mut amy = first.connect("/ws/chat/hall/?username=amy&dialect=typed").await;
    let mut ben = second.connect("/ws/chat/hall/?username=ben&dialect=typed").await;
    for number in 0..50 {
        let text = format!("{number}");
        amy.send(&chat(&text)).await;
        let heard = ben.receive_where(|frame| frame["type"] == "chat_message").await;
        assert_eq!(heard["message"], *text);
    }
    ben.send(&json!({"type": "typing", "is_typing": true})).await;
    let typing =
        amy.receive_where(|frame| frame["type"] == "typing_indicator" || frame["type"] == "typing").await;
    assert_eq!(typing["is_typing"], true);
}

#[tokio::test]
async fn what_was_said_while_redis_was_away_is_heard_everywhere_afterwards() {
    let mut redis = Redis::start();
    let [first, second] = two_nodes(&redis.url(), "chat").await;
    let mut amy = first.connect("/ws/chat/hall/?username=amy&dialect=typed").await;
    let mut eve = first.connect("/ws/chat/hall/?username=eve&dialect=typed").await;
    let mut ben = second.connect("/ws/chat/hall/?username=ben&dialect=typed").await;
    let is_message = |frame: &serde_json::Value| frame["type"] == "chat_message";
    amy.send(&chat("one")).await;
    assert_eq!(ben.receive_where(is_message).await["message"], "one");
    assert_eq!(eve.receive_where(is_message).await["message"], "one");
    redis.stop();
    for text in ["two", "three"] {
        amy.send(&chat(text)).await;
        assert_eq!(amy.receive_where(|frame| frame["type"] == "message_sent").await["type"], "message_sent");
        assert_eq!(eve.receive_where(is_message).await["message"], text);
    }
    redis.restart();
    for text in ["two", "three"] {
        assert_eq!(ben.receive_where(is_message).await["message"], text);
    }
    amy.send(&chat("four")).await;
    assert_eq!(ben.receive_where(is_message).await["message"], "four");
}
