//! A message costs nothing where nobody hears it, and no more to publish however many servers there are.

use chat_core::storage::RoomStorage;
use chat_tests::PATIENCE;
use futures::StreamExt;
use redis::aio::{MultiplexedConnection, PubSub};
use redis::{Client, cmd};
use tokio::time::timeout;

use super::{Shared, chat, is_message};

/// Redis, as who runs it sees it.
struct Watch {
    asking: MultiplexedConnection,
    /// Hears each publish of the cluster once.
    published: PubSub,
}

impl Watch {
    async fn over(shared: &Shared) -> Self {
        let client = Client::open(&*shared.redis).unwrap();
        let asking = client.get_multiplexed_async_connection().await.unwrap();
        let mut published = client.get_async_pubsub().await.unwrap();
        published.psubscribe(format!("{}:*", shared.prefix)).await.unwrap();
        Self { asking, published }
    }

    /// Waits until so many nodes receive what is published on a channel.
    async fn see_subscribers(&mut self, channel: &str, count: u64) {
        let mut ask = cmd("PUBSUB");
        ask.arg("NUMSUB").arg(channel);
        let seen = async {
            loop {
                let (_, subscribers): (String, u64) = ask.query_async(&mut self.asking).await.unwrap();
                if subscribers == count {
                    return;
                }
            }
        };
        timeout(PATIENCE, seen).await.unwrap_or_else(|_| panic!("not {count} nodes hear {channel}"));
    }

    /// Waits until so many nodes have given a sign of life.
    async fn see_nodes(&mut self, shared: &Shared, count: u64) {
        let mut ask = cmd("ZCARD");
        ask.arg(format!("{{{}}}:nodes", shared.prefix));
        let seen = async { while ask.query_async(&mut self.asking).await != Ok(count) {} };
        timeout(PATIENCE, seen).await.unwrap_or_else(|_| panic!("there are not {count} nodes"));
    }

    /// What is published until something has come on this channel: where, and what.
    async fn payloads_until(&mut self, last: &str) -> Vec<(String, Vec<u8>)> {
        let mut all = Vec::new();
        let mut published = self.published.on_message();
        loop {
            let message = timeout(PATIENCE, published.next()).await.expect("in time").expect("it is open");
            let channel = message.get_channel_name().to_owned();
            let is_last = channel == last;
            all.push((channel, message.get_payload_bytes().to_vec()));
            if is_last {
                return all;
            }
        }
    }
}

/// Whether a payload holds a text.
fn says(payload: &[u8], text: &str) -> bool {
    payload.windows(text.len()).any(|part| part == text.as_bytes())
}

#[tokio::test]
async fn a_node_receives_a_room_only_while_somebody_on_it_is_in_it() {
    let shared = Shared::new();
    let [first, second, third] = shared.nodes().await;
    let mut watch = Watch::over(&shared).await;
    let mut amy = first.connect("/ws/chat/hall/?username=amy&dialect=typed").await;
    let mut ben = second.connect("/ws/chat/hall/?username=ben&dialect=typed").await;
    // Somebody is on the third, but elsewhere.
    let eve = third.connect("/ws/chat/attic/?username=eve&dialect=typed").await;
    let storage = shared.storage().await;
    let hall = storage.room_named(&"hall".parse().unwrap()).await.unwrap().expect("somebody is in it");
    let channel = format!("{}:room:{}", shared.prefix, hall.id);
    watch.see_subscribers(&channel, 2).await;
    amy.send(&chat("to ben")).await;
    assert_eq!(ben.receive_where(is_message).await["message"], "to ben");
    ben.close().await;
    watch.see_subscribers(&channel, 1).await;
    let ida = third.connect("/ws/chat/hall/?username=ida&dialect=typed").await;
    watch.see_subscribers(&channel, 2).await;
    drop((amy, eve, ida));
    watch.see_subscribers(&channel, 0).await;
}

#[tokio::test]
async fn a_message_is_published_once_however_many_nodes_there_are() {
    let shared = Shared::new();
    let nodes: [_; 3] = shared.nodes().await;
    let mut watch = Watch::over(&shared).await;
    watch.see_nodes(&shared, 3).await;
    let mut sockets = Vec::new();
    for (node, name) in nodes.iter().zip(["amy", "ben", "eve"]) {
        sockets.push(node.connect(&format!("/ws/chat/hall/?username={name}&dialect=typed")).await);
    }
    for text in ["first of all", "second of all", "third of all"] {
        sockets[0].send(&chat(text)).await;
        for socket in &mut sockets {
            assert_eq!(socket.receive_where(is_message).await["message"], text);
        }
    }
    // What comes after them shows that there was nothing more of them.
    let mut listener = nodes[2].connect("/ws/chat/listener/").await;
    sockets[0].send(&chat("the last")).await;
    listener.receive().await;
    let open_listeners = format!("{}:open-listeners", shared.prefix);
    let published = watch.payloads_until(&open_listeners).await;
    for text in ["first of all", "second of all", "third of all"] {
        let places: Vec<_> =
            published.iter().filter(|(_, said)| says(said, text)).map(|(at, _)| at).collect();
        // Whether there are listeners is asked a little later: the one that shows the end may be taken for theirs.
        let to_rooms = places.iter().filter(|channel| channel.contains(":room:")).count();
        assert_eq!(to_rooms, 1, "{text}: {places:?}");
    }
}
