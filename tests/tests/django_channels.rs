//! Rooms that are groups of a real Django project with Channels and `channels_redis`, over both of its layers.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests fail so"
)]

use std::path::Path;

use chat_tests::channels::{Backend, Deployment, PREFIX, dropped};
use chat_tests::figures::Figures;
use chat_tests::server::TestServer;
use chat_tests::socket::Socket;
use serde_json::json;

/// Messages that are under way at once, each way: well within the capacity of an inbox, 100.
const WINDOW: usize = 50;

/// Messages each way, from each who speaks, unless the environment says otherwise.
const MESSAGES: usize = 300;

fn messages() -> usize {
    std::env::var("CHANNELS_MESSAGES").map_or(MESSAGES, |count| count.parse().expect("a number"))
}

async fn deployment(backend: Backend) -> Deployment {
    Deployment::start(Path::new(env!("CARGO_TARGET_TMPDIR")), backend).await
}

async fn amy(server: &TestServer) -> Socket {
    server.connect("/ws/chat/lobby/?dialect=plain&username=amy").await
}

/// Who says something.
#[derive(Clone, Copy)]
enum Speaker {
    /// The one of the sockets with this index.
    Socket(usize),
    /// The project's view.
    View,
}

/// Has messages said, no more at once than are within capacity; everybody must hear them all, in order, and nothing else.
async fn say(deployment: &Deployment, speaker: Speaker, name: &str, sockets: &mut [Socket]) {
    let texts: Vec<String> = (0..messages()).map(|number| format!("{name} says {number}")).collect();
    for texts in texts.chunks(WINDOW) {
        match speaker {
            Speaker::Socket(index) => {
                for text in texts {
                    sockets[index].send(&json!({"message": text, "username": name})).await;
                }
            }
            Speaker::View => {
                let event = |text| json!({"type": "chat.message", "message": text, "username": name});
                deployment.project.say("lobby", &texts.iter().map(event).collect()).await;
            }
        }
        for socket in &mut *sockets {
            for text in texts {
                let frame = socket.receive().await;
                assert_eq!(
                    (frame["message"].as_str(), frame["username"].as_str()),
                    (Some(&**text), Some(name))
                );
            }
        }
    }
}

async fn messages_go_both_ways(backend: Backend) {
    let deployment = deployment(backend).await;
    let server = deployment.server().await;
    let mut sockets = vec![amy(&server).await];
    deployment.joined("lobby").await;
    sockets.push(deployment.project.connect("/ws/chat/lobby/").await);

    say(&deployment, Speaker::Socket(0), "amy", &mut sockets).await;
    say(&deployment, Speaker::Socket(1), "dora", &mut sockets).await;
    say(&deployment, Speaker::View, "vera", &mut sockets).await;

    // Stored once, and nothing besides.
    let [ours, _] = &mut sockets[..] else { panic!("there are two") };
    ours.send(&json!({"message": "the last", "username": "amy"})).await;
    assert_eq!(ours.receive().await["message_id"], json!(3 * messages() + 1));
}

#[tokio::test]
async fn messages_go_both_ways_over_the_core_layer() {
    messages_go_both_ways(Backend::Core).await;
}

#[tokio::test]
async fn messages_go_both_ways_over_the_pubsub_layer() {
    messages_go_both_ways(Backend::PubSub).await;
}

/// Groups and inboxes are where Django has them, on the one server or on the other.
async fn several_servers_share_the_groups(backend: Backend) {
    let scratch = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let deployment = Deployment::start_on(scratch, backend, 3).await;
    let server = deployment.server().await;
    let mut sockets = Vec::new();
    for room in ["lobby", "hall", "kitchen", "garden", "attic", "cellar", "shed", "porch"] {
        let mut ours = server.connect(&format!("/ws/chat/{room}/?dialect=plain&username=amy")).await;
        deployment.joined(room).await;
        let mut django = deployment.project.connect(&format!("/ws/chat/{room}/")).await;
        let event = json!({"type": "chat_message", "message": format!("{room} hears"), "username": "vera"});
        deployment.project.say(room, &json!([event])).await;
        for socket in [&mut ours, &mut django] {
            assert_eq!(socket.receive().await["message"], format!("{room} hears"));
        }
        ours.send(&json!({"message": format!("{room} speaks"), "username": "amy"})).await;
        for socket in [&mut ours, &mut django] {
            assert_eq!(socket.receive().await["message"], format!("{room} speaks"));
        }
        sockets.push((ours, django));
    }
    let groups: Vec<Vec<String>> = match backend {
        Backend::Core => deployment.ask_all(&["KEYS", &format!("{PREFIX}:group:*")]).await,
        Backend::PubSub => deployment.ask_all(&["PUBSUB", "CHANNELS", &format!("{PREFIX}__group__*")]).await,
    };
    assert!(groups.iter().all(|groups| !groups.is_empty()), "each server has some: {groups:?}");
    assert_eq!(groups.iter().flatten().count(), sockets.len());
}

#[tokio::test]
async fn several_servers_share_the_groups_of_the_core_layer() {
    several_servers_share_the_groups(Backend::Core).await;
}

#[tokio::test]
async fn several_servers_share_the_groups_of_the_pubsub_layer() {
    several_servers_share_the_groups(Backend::PubSub).await;
}

#[tokio::test]
async fn the_consumers_of_every_document_find_their_keys() {
    let deployment = deployment(Backend::Core).await;
    let server = deployment.server().await;
    let mut amy = amy(&server).await;
    let mut remetente = deployment.project.connect("/ws/remetente/lobby").await;
    let mut typed = deployment.project.connect("/ws/typed/lobby/").await;
    amy.send(&json!({"message": "oi", "username": "amy"})).await;
    assert_eq!(remetente.receive().await, json!({"message": "oi", "remetente": "amy"}));
    let frame = typed.receive().await;
    let own = amy.receive().await;
    assert_eq!(frame["message_id"], own["message_id"]);
    assert_eq!((&frame["type"], &frame["is_read"]), (&json!("chat_message"), &json!(false)));
    assert!(frame["user_id"].is_i64() && frame["timestamp"].as_str().unwrap().ends_with('Z'), "{frame}");
}

async fn only_what_is_said_in_the_room_is_taken_in(backend: Backend) {
    let deployment = deployment(backend).await;
    let server = deployment.server().await;
    let mut amy = amy(&server).await;
    deployment.joined("lobby").await;
    let inbox = match backend {
        Backend::Core => {
            let group = format!("{PREFIX}:group:chat_lobby");
            let members: Vec<String> = deployment.ask(&["ZRANGE", &group, "0", "-1"]).await;
            let (inbox, _) = members[0].split_once('!').unwrap();
            format!("{PREFIX}{inbox}!")
        }
        Backend::PubSub => format!("{PREFIX}__group__chat_lobby"),
    };
    for noise in ["", "noise", "twelve bytes\u{1}", "\u{f}\u{f}\u{f}", &"x".repeat(400_000)] {
        match backend {
            Backend::Core => deployment.ask::<Count>(&["ZADD", &inbox, "1", noise]).await,
            Backend::PubSub => deployment.ask::<Count>(&["PUBLISH", &inbox, noise]).await,
        };
    }
    let events = json!([
        {"type": "chat_noise", "message": "for another handler", "username": "eve"},
        {"type": "websocket.receive", "text": "{\"message\": \"as if a client had\"}"},
        {"message": "without a type", "username": "eve"},
        {"type": "chat_message", "username": "eve"},
        {"type": "chat_message", "message": {"not": "text"}, "username": "eve"},
        {"type": "chat_message", "message": "  ", "username": "eve"},
        {"type": "chat_message", "message": "x".repeat(5000), "username": "eve"},
        {"type": "chat_message", "message": "one", "remetente": "rui"},
        {"type": "chat.message", "message": "two", "user": "王小明"},
        {"type": "chat_message", "message": "three", "username": "<b>"},
    ]);
    deployment.project.say("nowhere", &events).await;
    deployment.project.say("lobby", &events).await;
    for (text, name) in [("one", "rui"), ("two", "王小明"), ("three", "Anonymous")] {
        let frame = amy.receive().await;
        assert_eq!((frame["message"].as_str(), frame["username"].as_str()), (Some(text), Some(name)));
    }
    let figures = Figures::of(&server).await;
    assert_eq!(figures.figure(&dropped("from_django", "unreadable")), 5);
    // To the one layer, a room that is not there is a group like any other.
    let groups = if backend == Backend::Core { 1 } else { 2 };
    assert_eq!(figures.figure(&dropped("from_django", "refused")), 2 * groups);
}

/// What Redis counts.
type Count = i64;

#[tokio::test]
async fn only_what_is_said_in_the_room_is_taken_in_over_the_core_layer() {
    only_what_is_said_in_the_room_is_taken_in(Backend::Core).await;
}

#[tokio::test]
async fn only_what_is_said_in_the_room_is_taken_in_over_the_pubsub_layer() {
    only_what_is_said_in_the_room_is_taken_in(Backend::PubSub).await;
}
