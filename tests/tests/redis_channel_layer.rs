//! The channel layer over Redis keeps what every channel layer promises.

#![allow(clippy::expect_used, clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

#[path = "redis_channel_layer/cluster.rs"]
mod cluster;

use std::time::Duration;

use chat_core::storage::User;
use chat_core::{ChannelLayer, Content, Envelope, Received, Roster, Topic};
use chat_protocol::{RoomId, UserId, Username};
use chat_server::channel_layer::{RedisChannelLayer, RedisOptions};
use chat_tests::PATIENCE;
use chat_tests::proxy::Proxy;
use chat_tests::redis::Redis;
use tokio::time::timeout;

fn options(url: &str, prefix: &str) -> RedisOptions {
    let mut options = RedisOptions::new(url.parse().unwrap());
    prefix.clone_into(&mut options.prefix);
    options
}

/// A node that is connected.
async fn node(url: &str, prefix: &str) -> RedisChannelLayer {
    let layer = RedisChannelLayer::open(&options(url, prefix));
    assert_eq!(next(&layer).await, Received::Interrupted, "the first connection is like any other");
    layer
}

async fn next(layer: &RedisChannelLayer) -> Received {
    timeout(PATIENCE, layer.receive()).await.expect("something comes")
}

/// Two nodes that hear each other.
async fn pair(url: &str, prefix: &str) -> (RedisChannelLayer, RedisChannelLayer) {
    let (first, second) = (node(url, prefix).await, node(url, prefix).await);
    settle(&first, &second).await;
    settle(&second, &first).await;
    (first, second)
}

/// Returns when one node publishes, and the other receives it: publishing connects by itself.
async fn settle(publisher: &RedisChannelLayer, receiver: &RedisChannelLayer) {
    let topic = Topic::User(UserId::new(i64::MAX).unwrap());
    receiver.subscribe(topic).await;
    publisher.publish(typing(topic, true));
    // Heard, or known to be lost: either way there is a connection now.
    next(receiver).await;
    receiver.unsubscribe(topic).await;
}

fn typing(topic: Topic, is_typing: bool) -> Envelope {
    let user = User { id: UserId::new(1).unwrap(), name: Username::new("amy").unwrap() };
    Envelope { topic, content: Content::Typing { user, is_typing } }
}

fn room(id: i64) -> Topic {
    Topic::Room(RoomId::new(id).unwrap())
}

chat_core::channel_layer_conformance!(async {
    let redis = Redis::shared();
    pair(&redis.url(), &redis.fresh_prefix()).await
});

mod roster {
    use super::{Redis, pair};

    chat_core::roster_conformance!(async {
        let redis = Redis::shared();
        pair(&redis.url(), &redis.fresh_prefix()).await
    });
}

#[tokio::test]
async fn a_roster_that_was_away_is_told_so_and_is_asked_again_at_the_next_sign_of_life() {
    let mut redis = Redis::start();
    let layer = node(&redis.url(), "chat").await;
    let amy = UserId::new(1).unwrap();
    let long = Duration::from_mins(1);
    assert!(layer.enter(&[amy]).await.is_err(), "nothing is asked before the first sign of life");
    layer.beat(long).await.unwrap();
    layer.enter(&[amy]).await.unwrap();
    redis.stop();
    assert!(layer.leave(amy).await.is_err());
    assert!(layer.beat(long).await.is_err());
    redis.restart();
    assert!(!layer.beat(long).await.unwrap().is_known, "it has forgotten everything");
    assert!(!layer.standings(&[amy]).await.unwrap()[0].is_online);
}

#[tokio::test]
async fn whether_anybody_listens_is_known_once_redis_was_reached() {
    let redis = Redis::shared();
    let (first, second) = pair(&redis.url(), &redis.fresh_prefix()).await;
    let topics = [room(1), room(2)];
    assert!(first.is_heard(&topics).await, "nobody was asked yet");
    first.beat(Duration::from_mins(1)).await.unwrap();
    assert!(!first.is_heard(&topics).await);
    second.subscribe(room(2)).await;
    assert!(first.is_heard(&topics).await);
    second.unsubscribe(room(2)).await;
    assert!(!first.is_heard(&topics).await);
}

#[tokio::test]
async fn clusters_on_one_redis_are_kept_apart_by_their_prefixes() {
    let redis = Redis::shared();
    let url = redis.url();
    let (first, second) = pair(&url, &redis.fresh_prefix()).await;
    let (other, _) = pair(&url, &redis.fresh_prefix()).await;
    second.subscribe(room(1)).await;
    other.publish(typing(room(1), true));
    first.publish(typing(room(1), false));
    assert_eq!(next(&second).await, Received::Envelope(typing(room(1), false)));
}

#[tokio::test]
async fn who_was_cut_off_is_told_so_and_hears_again_what_it_heard() {
    let mut redis = Redis::start();
    let url = redis.url();
    let (first, second) = pair(&url, "chat").await;
    second.subscribe(room(1)).await;
    redis.stop();
    // Lost, one way or another; and nobody waits.
    first.publish(typing(room(1), true));
    second.subscribe(room(2)).await;
    redis.restart();
    assert_eq!(next(&second).await, Received::Interrupted);
    for topic in [room(1), room(2)] {
        first.publish(typing(topic, false));
        loop {
            match next(&second).await {
                Received::Envelope(envelope) if envelope == typing(topic, false) => break,
                Received::Envelope(_) => {}
                // Perhaps that was it.
                Received::Missed(_) | Received::Interrupted => first.publish(typing(topic, false)),
            }
        }
    }
}

#[tokio::test]
async fn a_connection_that_says_nothing_is_given_up_and_what_was_lost_on_it_is_told() {
    let redis = Redis::shared();
    let prefix = redis.fresh_prefix();
    let proxy = Proxy::to(redis.port()).await;
    let first = node(&redis.url_by(proxy.port()), &prefix).await;
    let second = node(&redis.url(), &prefix).await;
    settle(&first, &second).await;
    second.subscribe(room(1)).await;
    let connections = proxy.accepted();
    proxy.pause();
    first.publish(typing(room(1), true));
    // It is given up, and so are others, until something gets through.
    proxy.accepted_more_than(connections).await;
    proxy.cut();
    proxy.resume();
    assert_eq!(next(&first).await, Received::Interrupted);
    assert_eq!(next(&second).await, Received::Missed(room(1)));
}
