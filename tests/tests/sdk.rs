//! The client SDK against the server, in every dialect.

#![allow(clippy::expect_used, clippy::panic, reason = "helpers of tests fail as tests do")]

use chat_client::{Client, Dialect, Event, Username};
use chat_tests::PATIENCE;
use chat_tests::server::TestServer;
use futures::StreamExt;
use tokio::time::timeout;

async fn connect(server: &TestServer, dialect: Dialect, name: &str) -> Client {
    let slash = if dialect == Dialect::Remetente { "" } else { "/" };
    Client::connect(server.ws_url(&format!("/ws/chat/hall{slash}")))
        .dialect(dialect)
        .user(Username::new(name).expect("a name"))
        .await
        .expect("one may")
}

async fn next(client: &mut Client) -> Event {
    timeout(PATIENCE, client.next()).await.expect("in time").expect("an event").expect("a good one")
}

/// Who says what in the next message.
async fn next_message(client: &mut Client) -> (String, String) {
    loop {
        if let Event::MessagePosted(posted) = next(client).await {
            let sender = posted.message.sender.name.expect("a name");
            return (sender.to_string(), posted.message.text.to_string());
        }
    }
}

#[tokio::test]
async fn clients_of_every_dialect_talk_to_each_other() {
    let server = TestServer::start().await;
    let mut clients = Vec::new();
    for &dialect in Dialect::ALL {
        clients.push(connect(&server, dialect, &format!("user of {dialect}")).await);
    }
    for speaker in 0..clients.len() {
        let dialect = clients.get(speaker).expect("a client").dialect();
        let text = format!("hello from {dialect} 😀");
        clients.get(speaker).expect("a client").sender().send_text(&text).await.expect("it is sent");
        for (listener, client) in clients.iter_mut().enumerate() {
            // What the dialect `group` sends does not come back to the sending socket.
            if listener != speaker || dialect != Dialect::Group {
                assert_eq!(next_message(client).await, (format!("user of {dialect}"), text.clone()));
            }
        }
    }
    for client in clients {
        client.close().await.expect("a good end");
    }
}

#[tokio::test]
async fn each_dialect_has_what_its_document_has() {
    let server = TestServer::start().await;
    let mut command = connect(&server, Dialect::Command, "amy").await;
    command.sender().send_text("kept").await.expect("it is sent");
    next_message(&mut command).await;
    command.sender().fetch_history().await.expect("it is sent");
    let Event::HistoryFetched(history) = next(&mut command).await else { panic!("no history") };
    assert_eq!(history.messages.first().map(|message| &*message.text), Some("kept"));

    let mut typed = connect(&server, Dialect::Typed, "ben").await;
    let mut other = connect(&server, Dialect::Typed, "cleo").await;
    assert!(matches!(next(&mut typed).await, Event::PresenceChanged(presence) if presence.is_online));
    other.sender().set_typing(true).await.expect("it is sent");
    assert!(matches!(next(&mut typed).await, Event::TypingChanged(typing) if typing.is_typing));
    other.sender().mark_read().await.expect("it is sent");
    assert!(matches!(next(&mut typed).await, Event::MessagesRead(mark) if mark.up_to.is_some()));
    other.sender().send_text("hello").await.expect("it is sent");
    let confirmed = loop {
        if let Event::MessageAccepted(message) = next(&mut other).await {
            break message;
        }
    };
    assert_eq!(&*confirmed.text, "hello");

    let mut group = connect(&server, Dialect::Group, "dora").await;
    let name = Username::new("dora").expect("a name");
    group.sender().notify(name, "to myself").await.expect("it is sent");
    assert!(matches!(next(&mut group).await, Event::NotificationReceived(one) if &*one.text == "to myself"));
    let nobody = Username::new("nobody").expect("a name");
    group.sender().notify(nobody, "hello?").await.expect("it is sent");
    assert!(
        matches!(next(&mut group).await, Event::Refused(refusal) if refusal.code.as_str() == "unknown_user")
    );
}

#[tokio::test]
async fn refusals_and_stops_are_told_apart() {
    let mut server = TestServer::start().await;
    let refused = Client::connect(server.ws_url("/ws/chat/a%20b/")).await.expect_err("no such name");
    assert_eq!(refused.status(), Some(400));
    let mut client = connect(&server, Dialect::Typed, "amy").await;
    server.begin_to_stop();
    let end =
        timeout(PATIENCE, client.next()).await.expect("in time").expect("an end").expect_err("no event");
    assert_eq!(end.closed().map(|closed| closed.code), Some(1001));
    assert!(end.is_retryable());
}
