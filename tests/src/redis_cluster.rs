//! A Redis Cluster of the tests' own.

use redis::aio::MultiplexedConnection;
use redis::{Client, cmd};
use tokio::time::timeout;

use crate::redis::Redis;
use crate::{PATIENCE, port};

/// How many slots there are.
const SLOTS: usize = 16_384;

/// A running cluster of three nodes without replicas.
#[derive(Debug)]
pub struct RedisCluster(Vec<Redis>);

impl RedisCluster {
    /// Starts one; returns when each of its nodes knows who has what.
    pub async fn start() -> Self {
        let nodes: Vec<_> = (0..3).map(|_| start_node()).collect();
        let mut asking = Vec::new();
        for (number, (redis, _)) in nodes.iter().enumerate() {
            let client = Client::open(redis.url()).expect("a URL");
            let mut node = client.get_multiplexed_async_connection().await.expect("it runs");
            let [from, to] = [number, number + 1].map(|number| number * SLOTS / nodes.len());
            tell(&mut node, &["ADDSLOTSRANGE", &from.to_string(), &(to - 1).to_string()]).await;
            tell(&mut node, &["SET-CONFIG-EPOCH", &(number + 1).to_string()]).await;
            asking.push(node);
        }
        for (redis, bus) in nodes.iter().skip(1) {
            let meet = ["MEET", "127.0.0.1", &redis.port().to_string(), bus];
            tell(&mut asking[0], &meet).await;
        }
        for node in &mut asking {
            timeout(PATIENCE, until_whole(node)).await.expect("the nodes find each other in time");
        }
        Self(nodes.into_iter().map(|(redis, _)| redis).collect())
    }

    /// The URL of each node.
    #[must_use]
    pub fn urls(&self) -> Vec<String> {
        self.0.iter().map(Redis::url).collect()
    }
}

/// A node that knows no other, and the port by which the others talk to it.
fn start_node() -> (Redis, String) {
    let bus = port::lasting().port().to_string();
    let redis = Redis::start_with(&["--cluster-enabled", "yes", "--cluster-port", &bus]);
    (redis, bus)
}

async fn tell(node: &mut MultiplexedConnection, command: &[&str]) {
    cmd("CLUSTER").arg(command).query_async::<()>(node).await.expect("the node does it");
}

async fn until_whole(node: &mut MultiplexedConnection) {
    loop {
        let info: String = cmd("CLUSTER").arg("INFO").query_async(node).await.expect("the node answers");
        if ["cluster_state:ok", "cluster_known_nodes:3", "cluster_size:3"]
            .iter()
            .all(|part| info.contains(part))
        {
            return;
        }
    }
}
