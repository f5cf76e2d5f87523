//! Redis Cluster: each node of ours is given another one of its nodes.

use std::time::Duration;

use chat_core::{ChannelLayer, Received, Roster};
use chat_protocol::UserId;
use chat_tests::redis_cluster::RedisCluster;

use super::{next, node, room, settle, typing};

#[tokio::test]
async fn any_node_of_a_redis_cluster_will_do() {
    let redis = RedisCluster::start().await;
    let amy = UserId::new(1).unwrap();
    let mut nodes = Vec::new();
    for url in redis.urls() {
        nodes.push(node(&url, "chat").await);
    }
    let [first, second, third] = &*nodes else { unreachable!("there are three of them") };
    settle(first, second).await;
    second.subscribe(room(1)).await;
    first.publish(typing(room(1), true));
    assert_eq!(next(second).await, Received::Envelope(typing(room(1), true)));
    // Only one of them has the roster.
    for node in &nodes {
        node.beat(Duration::from_mins(1)).await.unwrap();
    }
    first.enter(&[amy]).await.unwrap();
    for node in [second, third] {
        assert!(node.standings(&[amy]).await.unwrap()[0].is_online);
    }
    assert!(first.is_heard(&[room(2)]).await, "each knows its own subscribers only");
}
