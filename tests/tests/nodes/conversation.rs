//! People on several servers talk to each other, also when Redis was away.

use chat_tests::redis::Redis;
use serde_json::json;

use super::{Shared, chat, is_message};

#[tokio::test]
async fn people_in_a_room_hear_each_other_from_node_to_node() {
    let [first, second] = Shared::new().nodes().await;
    let mut amy = first.connect("/ws/chat/hall/?username=amy&dialect=typed").await;
    let mut ben = second.connect("/ws/chat/hall/?username=ben&dialect=typed").await;
    for number in 0..50 {
        let text = format!("{number}");
        amy.send(&chat(&text)).await;
        assert_eq!(ben.receive_where(is_message).await["message"], *text);
    }
    ben.send(&json!({"type": "typing", "is_typing": true})).await;
    let typing =
        amy.receive_where(|frame| frame["type"] == "typing_indicator" || frame["type"] == "typing").await;
    assert_eq!(typing["is_typing"], true);
}

#[tokio::test]
async fn what_was_said_while_redis_was_away_is_heard_everywhere_afterwards() {
    let mut redis = Redis::start();
    let [first, second] = Shared::by(&redis.url(), "chat").nodes().await;
    let mut amy = first.connect("/ws/chat/hall/?username=amy&dialect=typed").await;
    let mut eve = first.connect("/ws/chat/hall/?username=eve&dialect=typed").await;
    let mut ben = second.connect("/ws/chat/hall/?username=ben&dialect=typed").await;
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
