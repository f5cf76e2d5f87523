//! A Redis that says what no node has said, or does not do what it should.

use chat_core::storage::RoomStorage;
use chat_tests::redis::{PASSWORD, Redis};
use chat_tests::server::TestServer;
use chat_tests::socket::Socket;
use redis::aio::MultiplexedConnection;
use redis::{Client, cmd};

use super::{Shared, chat, is_message};

async fn connect(server: &TestServer, name: &str) -> Socket {
    server.connect(&format!("/ws/chat/hall/?username={name}&dialect=typed")).await
}

/// One says these, and the other, who says nothing, hears them and nothing else, in their order.
async fn hears(from: &mut Socket, to: &mut Socket, texts: &[&str]) {
    for text in texts {
        from.send(&chat(text)).await;
        assert_eq!(to.receive_where(is_message).await["message"], *text);
    }
}

async fn administer(url: &str) -> MultiplexedConnection {
    Client::open(url).unwrap().get_multiplexed_async_connection().await.unwrap()
}

#[tokio::test]
async fn what_no_node_has_said_does_no_harm() {
    let shared = Shared::new();
    let [first, second] = shared.nodes().await;
    let (mut amy, mut ben) = (connect(&first, "amy").await, connect(&second, "ben").await);
    hears(&mut amy, &mut ben, &["before"]).await;
    let hall = shared.storage().await.room_named(&"hall".parse().unwrap()).await.unwrap().expect("a room");
    let mut stranger = administer(&shared.redis).await;
    let huge = vec![b'x'; 2 << 20];
    let (ours, next) = ([&[1][..], b"somebody"].concat(), [&[2][..], b"somebody and more"].concat());
    // A message whose number is far ahead: what is between is looked for, and not found.
    let ahead = [&ours[..], &[2, 0xfe, 0xff, 0x03, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]].concat();
    for payload in [&b""[..], b"\0", b"junk", &ours, &next, &ahead, &huge] {
        for topic in [format!("room:{}", hall.id), "room:junk".into(), "listeners".into(), "user:1".into()] {
            let channel = format!("{}:{topic}", shared.prefix);
            cmd("PUBLISH").arg(channel).arg(payload).query_async::<u64>(&mut stranger).await.unwrap();
        }
    }
    hears(&mut amy, &mut ben, &["after", "and after that"]).await;
}

#[tokio::test]
async fn a_redis_that_is_full_or_takes_no_writes_still_carries_messages() {
    let redis = Redis::start();
    let [first, second] = Shared::by(&redis.url(), "chat").nodes().await;
    let (mut amy, mut ben) = (connect(&first, "amy").await, connect(&second, "ben").await);
    let mut administrator = administer(&redis.url()).await;
    for setting in [["maxmemory", "1"], ["maxmemory", "0"], ["min-replicas-to-write", "1"]] {
        cmd("CONFIG").arg("SET").arg(&setting).query_async::<()>(&mut administrator).await.unwrap();
        let mut late = connect(&first, "late").await;
        hears(&mut amy, &mut ben, &[setting[0], setting[1]]).await;
        for text in setting {
            assert_eq!(late.receive_where(is_message).await["message"], text);
        }
    }
}

#[tokio::test]
async fn with_a_wrong_password_people_on_one_node_talk_and_others_hear_them_later() {
    let redis = Redis::shared();
    let wrong = redis.url().replace(PASSWORD, "not-the-one");
    let [first, second] = Shared::by(&wrong, &redis.fresh_prefix()).nodes().await;
    let (mut amy, mut eve) = (connect(&first, "amy").await, connect(&first, "eve").await);
    let mut ben = connect(&second, "ben").await;
    for text in ["one", "two"] {
        hears(&mut amy, &mut eve, &[text]).await;
        // Rooms are looked into now and then, whatever Redis does.
        assert_eq!(ben.receive_where(is_message).await["message"], text);
    }
}
