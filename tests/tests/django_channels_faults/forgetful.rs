//! Servers of a layer that fall silent, or forget what they knew.

use std::path::Path;

use chat_core::storage::RoomStorage;
use chat_server::Database;
use chat_server::storage::SqliteStorage;
use chat_tests::PATIENCE;
use chat_tests::channels::{Backend, Deployment, PREFIX};
use chat_tests::postgres::Postgres;
use chat_tests::proxy::Proxy;
use chat_tests::server::TestServer;
use serde_json::json;
use tokio::time::timeout;

use super::{deployment, enter, hear_django, said};

/// Two servers: the lease is on the first one, the group of the room on the second.
async fn deployment_on_two(backend: Backend) -> Deployment {
    Deployment::start_on(Path::new(env!("CARGO_TARGET_TMPDIR")), backend, 2).await
}

/// Asks until the answer is yes.
async fn until(mut ask: impl AsyncFnMut() -> bool) {
    let asking = async {
        while !ask().await {
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, asking).await.expect("it comes to that");
}

#[tokio::test]
async fn a_server_that_falls_silent_is_connected_to_anew_over_the_pubsub_layer() {
    let deployment = deployment_on_two(Backend::PubSub).await;
    let proxy = Proxy::to(deployment.second().port()).await;
    let mut bridge = deployment.bridge();
    bridge.hosts[1] = deployment.second().url_by(proxy.port()).parse().unwrap();
    let server = TestServer::start_with(|config| config.django_channels = Some(bridge)).await;
    let mut amy = enter(&server).await;
    deployment.joined("lobby").await;
    hear_django(&deployment, "before", &mut amy).await;

    let connections = proxy.accepted();
    proxy.pause();
    let cut_off: u32 = deployment.ask_second(&["CLIENT", "KILL", "TYPE", "pubsub"]).await;
    assert_eq!(cut_off, 1);
    // Nobody has anything to send there: only who listens can find out.
    proxy.accepted_more_than(connections).await;
    proxy.cut();
    proxy.resume();
    deployment.joined("lobby").await;
    hear_django(&deployment, "after", &mut amy).await;
}

/// What Django says is heard where all of it is on the first server, while the second one is away.
async fn hears_one_server_while_another_is_away(backend: Backend) {
    let deployment = deployment_on_two(backend).await;
    let proxy = Proxy::to(deployment.second().port()).await;
    let mut bridge = deployment.bridge();
    bridge.hosts[1] = deployment.second().url_by(proxy.port()).parse().unwrap();
    // The inbox of this name is on the first one, and so is the group of the room.
    "talk".clone_into(&mut bridge.name);
    proxy.pause();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("chat.db");
    // A room that is new has to wait for all servers.
    SqliteStorage::open(&path).await.unwrap().ensure_room(&"attic".parse().unwrap()).await.unwrap();
    let server = TestServer::start_with(|config| {
        config.database = Database::SqliteFile(path.clone());
        config.django_channels = Some(bridge);
    })
    .await;
    let mut amy = server.connect("/ws/chat/attic/?dialect=plain&username=amy").await;
    until(async || match backend {
        Backend::Core => deployment.ask::<u32>(&["ZCARD", &format!("{PREFIX}:group:chat_attic")]).await > 0,
        Backend::PubSub => deployment.ask::<u32>(&["PUBSUB", "NUMPAT"]).await > 0,
    })
    .await;
    deployment.project.say("attic", &json!([said("hello")])).await;
    assert_eq!(amy.receive().await["message"], "hello");
}

#[tokio::test]
async fn hears_one_server_while_another_is_away_over_the_core_layer() {
    hears_one_server_while_another_is_away(Backend::Core).await;
}

#[tokio::test]
async fn hears_one_server_while_another_is_away_over_the_pubsub_layer() {
    hears_one_server_while_another_is_away(Backend::PubSub).await;
}

#[tokio::test]
async fn groups_that_a_server_has_forgotten_are_joined_again() {
    let deployment = deployment_on_two(Backend::Core).await;
    let server = deployment.server().await;
    let mut amy = enter(&server).await;
    deployment.joined("lobby").await;
    hear_django(&deployment, "before", &mut amy).await;
    let _: String = deployment.ask_second(&["FLUSHALL"]).await;
    deployment.joined("lobby").await;
    hear_django(&deployment, "after", &mut amy).await;
}

#[tokio::test]
async fn groups_are_joined_once_the_database_tells_of_which_rooms() {
    let deployment = deployment(Backend::Core).await;
    let postgres = Postgres::start();
    let server = TestServer::start_with(|config| {
        config.database = postgres.url().parse::<Database>().unwrap();
        config.django_channels = Some(deployment.bridge());
    })
    .await;
    let mut amy = enter(&server).await;
    deployment.joined("lobby").await;
    hear_django(&deployment, "before", &mut amy).await;
    let group = format!("{PREFIX}:group:chat_lobby");
    let members: Vec<String> = deployment.ask(&["ZRANGE", &group, "0", "-1"]).await;
    let (inbox, _) = members[0].split_once('!').unwrap();
    let (inbox, lease) = (format!("{PREFIX}{inbox}!"), format!("{PREFIX}:chat-bridge:chat"));

    postgres.crash();
    let _: String = deployment.ask(&["FLUSHALL"]).await;
    until(async || deployment.ask(&["EXISTS", &lease]).await).await;
    // It goes on meanwhile: what nobody can read is taken out.
    let _: u32 = deployment.ask(&["ZADD", &inbox, "1", "x"]).await;
    until(async || deployment.ask::<u32>(&["EXISTS", &inbox]).await == 0).await;
    postgres.restart();
    deployment.joined("lobby").await;
    hear_django(&deployment, "after", &mut amy).await;
}

/// A Redis that was restarted has forgotten who holds the lease: whoever held it must not go on as if nothing had been.
#[tokio::test]
async fn what_django_says_after_a_restart_of_redis_is_stored_once_over_the_pubsub_layer() {
    const SAID: usize = 200;
    let mut deployment = deployment(Backend::PubSub).await;
    let postgres = Postgres::shared();
    let database = postgres.fresh_database();
    let node = async || {
        TestServer::start_with(|config| {
            config.database = postgres.url_of(&database).parse().unwrap();
            config.django_channels = Some(deployment.bridge());
        })
        .await
    };
    let nodes = [node().await, node().await];
    let mut amy = enter(&nodes[0]).await;
    amy.send(&json!({"message": "hello", "username": "amy"})).await;
    amy.receive().await;
    deployment.joined("lobby").await;

    deployment.redis.stop();
    deployment.redis.restart();
    deployment.restart_project().await;
    deployment.joined("lobby").await;
    // For longer than it takes another node to get the lease.
    for number in 0..SAID {
        deployment.project.say("lobby", &json!([said(&number.to_string())])).await;
    }
    let stored = || postgres.execute(&database, "SELECT count(*), count(DISTINCT text) FROM messages");
    until(async || stored().ends_with(&(SAID + 1).to_string())).await;
    assert_eq!(stored(), format!("{0}|{0}", SAID + 1));
}
