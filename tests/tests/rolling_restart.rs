//! Three nodes behind nginx or HAProxy are stopped and started again one after the other, while clients of all dialects
//! talk: nothing is lost, nothing comes twice, and nobody has to do anything.

use std::net::SocketAddr;
use std::path::Path;

use chat_tests::balancer::{Balancer, Kind};
use chat_tests::crash::Instance;
use chat_tests::crowd::{self, Crowd, Size};
use chat_tests::port;
use chat_tests::postgres::Postgres;
use chat_tests::redis::Redis;

/// Starts a node on what all of them share.
async fn node(address: SocketAddr, database: &str, redis: &str, prefix: &str) -> Instance {
    let settings = ["--database", database, "--channel-layer", redis, "--channel-prefix", prefix];
    Instance::start_on(Path::new(env!("CARGO_BIN_EXE_crash")), address, &settings).await
}

async fn restart_each(kind: Kind) {
    let (postgres, redis) = (Postgres::shared(), Redis::shared());
    let database = postgres.url_of(&postgres.fresh_database());
    let (redis, prefix) = (redis.url(), redis.fresh_prefix());
    let addresses = [port::lasting(), port::lasting(), port::lasting()];
    let mut nodes = Vec::new();
    for address in addresses {
        nodes.push(node(address, &database, &redis, &prefix).await);
    }
    let balancer = Balancer::start(kind, addresses).await;

    let url = format!("ws://{}", balancer.address());
    let crowd = Crowd::start(&url, Size { rooms: 3, of_each_dialect: 2, sends: 40 });
    for (part, address) in [0.2, 0.4, 0.6].into_iter().zip(addresses) {
        crowd.reach(part).await;
        nodes.remove(0).terminate().await;
        nodes.push(node(address, &database, &redis, &prefix).await);
    }
    let records = crowd.finish().await;
    crowd::check(&records);
    let connections: usize = records.iter().map(|record| record.connections).sum();
    assert!(connections > records.len(), "some were on each node that was stopped");
    for node in nodes {
        node.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rolling_restart_behind_nginx_costs_clients_nothing() {
    restart_each(Kind::Nginx).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rolling_restart_behind_haproxy_costs_clients_nothing() {
    restart_each(Kind::HaProxy).await;
}
