//! A deployment of Django Channels with several nodes of the server, with a Redis that goes away, and with full inboxes.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests fail so"
)]

#[path = "django_channels_faults/forgetful.rs"]
mod forgetful;
#[path = "django_channels_faults/killed.rs"]
mod killed;

use std::path::Path;

use chat_server::Database;
use chat_tests::channels::{Backend, Deployment, PREFIX, dropped};
use chat_tests::figures::Figures;
use chat_tests::postgres::Postgres;
use chat_tests::server::TestServer;
use chat_tests::socket::Socket;
use serde_json::{Value, json};

async fn deployment(backend: Backend) -> Deployment {
    Deployment::start(Path::new(env!("CARGO_TARGET_TMPDIR")), backend).await
}

async fn enter(server: &TestServer) -> Socket {
    server.connect("/ws/chat/lobby/?dialect=plain&username=amy").await
}

fn said(text: &str) -> Value {
    json!({"type": "chat_message", "message": text, "username": "vera"})
}

/// Which figure tells how often the inbox of the chat server was full.
const OWN_INBOX_FULL: &str = "chat_django_channels_own_inbox_full_total";

/// Has Django say something, which must be the next that a socket hears.
async fn hear_django(deployment: &Deployment, text: &str, socket: &mut Socket) -> Value {
    deployment.project.say("lobby", &json!([said(text)])).await;
    let frame = socket.receive().await;
    assert_eq!(frame["message"], text);
    frame
}

/// Nodes on one database take in what Django sends once, and another goes on when the one that did it stops.
async fn nodes_take_turns(backend: Backend) {
    let deployment = deployment(backend).await;
    let postgres = Postgres::shared();
    let url = postgres.url_of(&postgres.fresh_database());
    let node = async || {
        TestServer::start_with(|config| {
            config.database = url.parse::<Database>().unwrap();
            config.django_channels = Some(deployment.bridge());
        })
        .await
    };
    let first = node().await;
    let mut amy = enter(&first).await;
    let receiver = deployment.joined("lobby").await;
    let second = node().await;
    let texts: Vec<String> = (0..40).map(|number| number.to_string()).collect();
    deployment.project.say("lobby", &texts.iter().map(|text| said(text)).collect()).await;
    for text in &texts {
        assert_eq!(amy.receive().await["message"], **text);
    }
    first.stop().await;

    let mut amy = enter(&second).await;
    deployment.joined_after("lobby", Some(&receiver)).await;
    let frame = hear_django(&deployment, "and on", &mut amy).await;
    let newest =
        postgres.execute(url.rsplit('/').next().unwrap(), "SELECT count(*) || ' ' || max(id) FROM messages");
    assert_eq!(newest, format!("41 {}", frame["message_id"]));
}

#[tokio::test]
async fn nodes_take_turns_over_the_core_layer() {
    nodes_take_turns(Backend::Core).await;
}

#[tokio::test]
async fn nodes_take_turns_over_the_pubsub_layer() {
    nodes_take_turns(Backend::PubSub).await;
}

#[tokio::test]
async fn what_django_says_while_the_server_restarts_is_taken_in_afterwards() {
    let deployment = deployment(Backend::Core).await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("chat.db");
    let start = async || {
        TestServer::start_with(|config| {
            config.database = Database::SqliteFile(path.clone());
            config.django_channels = Some(deployment.bridge());
        })
        .await
    };
    let server = start().await;
    let mut amy = enter(&server).await;
    deployment.joined("lobby").await;
    let last = hear_django(&deployment, "before", &mut amy).await["message_id"].clone();
    server.stop().await;
    deployment.project.say("lobby", &json!([said("meanwhile"), said("and then")])).await;

    let server = start().await;
    let back = format!("/ws/chat/lobby/?dialect=plain&username=amy&since={last}");
    let mut amy = server.connect(&back).await;
    for text in ["meanwhile", "and then"] {
        assert_eq!(amy.receive().await["message"], text);
    }
}

#[tokio::test]
async fn an_inbox_that_was_full_is_counted_and_what_django_put_there_is_taken_in() {
    let deployment = deployment(Backend::Core).await;
    let folder = tempfile::tempdir().unwrap();
    let start = async || {
        TestServer::start_with(|config| {
            config.database = Database::SqliteFile(folder.path().join("chat.db"));
            config.django_channels = Some(deployment.bridge());
        })
        .await
    };
    let server = start().await;
    let mut amy = enter(&server).await;
    deployment.joined("lobby").await;
    let last = hear_django(&deployment, "before", &mut amy).await["message_id"].clone();
    assert_eq!(Figures::of(&server).await.figure(OWN_INBOX_FULL), 0);
    server.stop().await;
    let texts: Vec<String> = (0..110).map(|number| number.to_string()).collect();
    deployment.project.say("lobby", &texts.iter().map(|text| said(text)).collect()).await;

    let server = start().await;
    let back = format!("/ws/chat/lobby/?dialect=plain&username=amy&since={last}");
    let mut amy = server.connect(&back).await;
    for text in &texts[..100] {
        assert_eq!(amy.receive().await["message"], **text);
    }
    hear_django(&deployment, "after", &mut amy).await;
    assert_eq!(Figures::of(&server).await.figure(OWN_INBOX_FULL), 1);
}

#[tokio::test]
async fn what_is_dropped_while_redis_is_away_is_counted() {
    let mut deployment = deployment(Backend::Core).await;
    let mut bridge = deployment.bridge();
    bridge.queued = 10;
    let server = TestServer::start_with(|config| config.django_channels = Some(bridge)).await;
    let mut amy = enter(&server).await;
    deployment.joined("lobby").await;
    deployment.redis.stop();
    // More than are under way at once, and than wait.
    for number in 0..300 {
        amy.send(&json!({"message": number.to_string(), "username": "amy"})).await;
        assert_eq!(amy.receive().await["message"], number.to_string());
    }
    deployment.redis.restart();
    let dropped = dropped("to_django", "too_many");
    Figures::when(&server, &dropped, |count| (1..300).contains(&count)).await;
}

async fn goes_on_when_redis_is_back(backend: Backend) {
    let mut deployment = deployment(backend).await;
    let server = deployment.server().await;
    let mut amy = enter(&server).await;
    deployment.joined("lobby").await;
    hear_django(&deployment, "before", &mut amy).await;

    deployment.redis.stop();
    for number in 0..20 {
        amy.send(&json!({"message": number.to_string(), "username": "amy"})).await;
        assert_eq!(amy.receive().await["message"], number.to_string());
    }
    deployment.redis.restart();
    deployment.restart_project().await;
    deployment.joined("lobby").await;
    hear_django(&deployment, "after", &mut amy).await;
    let mut django = deployment.project.connect("/ws/chat/lobby/").await;
    amy.send(&json!({"message": "still here", "username": "amy"})).await;
    // Some of what was said meanwhile may come first.
    django.receive_where(|frame| frame["message"] == "still here").await;
}

#[tokio::test]
async fn goes_on_when_redis_is_back_over_the_core_layer() {
    goes_on_when_redis_is_back(Backend::Core).await;
}

#[tokio::test]
async fn goes_on_when_redis_is_back_over_the_pubsub_layer() {
    goes_on_when_redis_is_back(Backend::PubSub).await;
}

/// The lease is on the first one: only of that one the loss shows elsewhere.
#[tokio::test]
async fn goes_on_when_another_redis_has_cut_it_off_over_the_pubsub_layer() {
    let scratch = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let deployment = Deployment::start_on(scratch, Backend::PubSub, 2).await;
    let server = deployment.server().await;
    let mut amy = enter(&server).await;
    deployment.joined("lobby").await;
    // The group of this room is on the second one.
    hear_django(&deployment, "before", &mut amy).await;
    let cut_off: u32 = deployment.ask_second(&["CLIENT", "KILL", "TYPE", "pubsub"]).await;
    assert_eq!(cut_off, 1);
    deployment.joined("lobby").await;
    hear_django(&deployment, "after", &mut amy).await;
}

#[tokio::test]
async fn a_full_inbox_gets_no_more_and_the_others_do() {
    let deployment = deployment(Backend::Core).await;
    let server = deployment.server().await;
    let mut amy = enter(&server).await;
    let mut django = deployment.project.connect("/ws/chat/lobby/").await;
    let group = format!("{PREFIX}:group:chat_lobby");
    // A process that reads nothing, and a member that is long gone.
    deployment
        .ask::<i64>(&["ZADD", &group, "9999999999", "specific.idle!a", "9999999999", "specific.idle!b"])
        .await;
    deployment.ask::<i64>(&["ZADD", &group, "1", "specific.gone!a"]).await;
    let idle = format!("{PREFIX}specific.idle!");
    deployment.ask::<i64>(&["ZADD", &idle, "1", "long expired"]).await;
    for number in 0..110 {
        amy.send(&json!({"message": number.to_string(), "username": "amy"})).await;
        assert_eq!(amy.receive().await["message"], number.to_string());
        assert_eq!(django.receive().await["message"], number.to_string());
    }
    let waiting =
        async |inbox: &str| deployment.ask::<u32>(&["ZCARD", &format!("{PREFIX}specific.{inbox}!")]).await;
    assert_eq!(waiting("idle").await, 100);
    assert_eq!(waiting("gone").await, 0);
    assert!(deployment.ask::<i64>(&["TTL", &idle]).await <= 60);
    let figures = Figures::with(&server, &dropped("to_django", "inbox_full"), 10).await;
    assert_eq!(figures.figure(&dropped("to_django", "expired")), 1);
}
