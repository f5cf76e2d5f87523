//! Every dialect in both directions, and what a dialect has no form for.

use chat_client::{
    Client, Command, Dialect, Event, FetchHistory, Limits, MessageText, RoomName, RoomRef, SendMessage,
    SendNotification, Username,
};
use futures::StreamExt;

use crate::server::pair;

fn text(text: &str) -> MessageText {
    MessageText::new(text, &Limits::default()).unwrap()
}

fn room(name: &str) -> RoomRef {
    RoomRef::Name(RoomName::new(name).unwrap())
}

fn message(room: Option<RoomRef>, said: &str) -> Command {
    Command::SendMessage(SendMessage { room, text: text(said), claimed_sender: None, client_id: None })
}

/// The text of the event and the name of its sender.
async fn heard(client: &mut Client) -> (String, Option<String>) {
    let event = client.next().await.unwrap().unwrap();
    let Event::MessagePosted(posted) = event else { panic!("{event:?}") };
    (posted.message.text.to_string(), posted.message.sender.name.map(|name| name.to_string()))
}

#[tokio::test]
async fn every_dialect_sends_and_receives() {
    let cases = [
        (
            Dialect::Command,
            Some(room("testroom")),
            r#"{"command":"new_message","type":"chat_message","message":{"__str__":"bob","content":"hi"}}"#,
        ),
        (
            Dialect::Group,
            Some(room("testroom")),
            r#"{"type":"chat","message":"hi","group_name":"5","display_name":"Five","from_user":"bob"}"#,
        ),
        (
            Dialect::Typed,
            None,
            r#"{"type":"chat_message","message_id":1,"message":"hi","user_id":2,"username":"bob",
                "timestamp":"2025-10-03T03:00:00Z","is_read":false}"#,
        ),
        (Dialect::Remetente, None, r#"{"message":"hi","remetente":"bob"}"#),
        (Dialect::Plain, None, r#"{"message":"hi","username":"bob"}"#),
    ];
    assert_eq!(cases.len(), Dialect::ALL.len());
    for (dialect, room, frame) in cases {
        let (mut client, mut peer) = pair(dialect, "/ws/chat/testroom/").await;
        assert_eq!(client.dialect(), dialect);

        client.sender().send_text("hello").await.unwrap();
        assert_eq!(peer.command(dialect).await, message(room, "hello"), "{dialect}");

        peer.send(frame).await;
        assert_eq!(heard(&mut client).await, ("hi".to_owned(), Some("bob".to_owned())), "{dialect}");
    }
}

#[tokio::test]
async fn command_fetches_history() {
    let (mut client, mut peer) = pair(Dialect::Command, "/ws/chat/testroom/").await;
    client.sender().fetch_history().await.unwrap();
    assert_eq!(peer.text().await, r#"{"command":"fetch_message","roomName":"testroom"}"#);

    peer.send(r#"{"command":"fetch_message","message":[{"__str__":"bob","content":"hi"}]}"#).await;
    let event = client.next().await.unwrap().unwrap();
    let Event::HistoryFetched(history) = event else { panic!("{event:?}") };
    assert_eq!(&*history.messages[0].text, "hi");
}

#[tokio::test]
async fn typed_tells_of_typing_and_reading() {
    let (mut client, mut peer) = pair(Dialect::Typed, "/ws/chat/1/").await;
    let sender = client.sender();
    sender.set_typing(true).await.unwrap();
    assert_eq!(peer.command(Dialect::Typed).await, Command::SetTyping { is_typing: true });
    sender.mark_read().await.unwrap();
    assert_eq!(peer.command(Dialect::Typed).await, Command::MarkRead);

    peer.send(r#"{"type":"typing_indicator","user_id":2,"username":"bob","is_typing":true}"#).await;
    assert!(matches!(client.next().await, Some(Ok(Event::TypingChanged(typing))) if typing.is_typing));
}

#[tokio::test]
async fn group_leaves_notifications_and_speaks_in_other_rooms() {
    let (mut client, mut peer) = pair(Dialect::Group, "/ws/chat/5/").await;
    let sender = client.sender();
    let recipient = Username::new("bob").unwrap();
    sender.notify(recipient.clone(), "look").await.unwrap();
    let notification = Command::SendNotification(SendNotification { recipient, text: text("look") });
    assert_eq!(peer.command(Dialect::Group).await, notification);

    sender.send(message(Some(room("6")), "hello")).await.unwrap();
    assert_eq!(peer.command(Dialect::Group).await, message(Some(room("6")), "hello"));
    sender.send_text("hello").await.unwrap();
    assert_eq!(peer.command(Dialect::Group).await, message(Some(room("5")), "hello"));

    peer.send(r#"{"type":"notification","message":"look","id":7}"#).await;
    assert!(matches!(client.next().await, Some(Ok(Event::NotificationReceived(_)))));
}

#[tokio::test]
async fn frames_may_claim_a_sender() {
    let (client, mut peer) = pair(Dialect::Plain, "/ws/chat/testroom/").await;
    let claimed_sender = Some(Username::new("amy").unwrap());
    let send = SendMessage { room: None, text: text("hello"), claimed_sender, client_id: None };
    client.sender().send(Command::SendMessage(send)).await.unwrap();
    assert_eq!(peer.text().await, r#"{"message":"hello","username":"amy"}"#);
}

#[tokio::test]
async fn what_has_no_form_is_not_sent() {
    let fetch = || Command::FetchHistory(FetchHistory { room: None, before: None, limit: None });
    let notify = || {
        let recipient = Username::new("bob").unwrap();
        Command::SendNotification(SendNotification { recipient, text: text("look") })
    };
    let cases = [
        (Dialect::Command, Command::MarkRead),
        (Dialect::Command, notify()),
        (Dialect::Group, fetch()),
        (Dialect::Typed, notify()),
        (Dialect::Remetente, Command::SetTyping { is_typing: true }),
        (Dialect::Plain, fetch()),
    ];
    for (dialect, command) in cases {
        let (client, mut peer) = pair(dialect, "/ws/chat/testroom/").await;
        let sender = client.sender();
        let error = sender.send(command).await.unwrap_err();
        assert!(error.is_invalid_command() && !error.is_retryable() && !error.is_closed(), "{error:?}");

        sender.send_text("hello").await.unwrap();
        assert!(matches!(peer.command(dialect).await, Command::SendMessage(_)), "{dialect}");
    }
}

#[tokio::test]
async fn without_a_room_there_is_nothing_to_say_to() {
    let (client, _peer) = pair(Dialect::Command, "/ws/chat/listener/").await;
    let error = client.sender().send_text("hello").await.unwrap_err();
    assert!(error.is_invalid_command());
    assert!(error.to_string().contains("without a room"), "{error}");
}

#[tokio::test]
async fn texts_are_checked_before_they_are_sent() {
    let (client, _peer) = pair(Dialect::Typed, "/ws/chat/testroom/").await;
    for said in ["", " \n", "a\0b", &"x".repeat(4097)] {
        let error = client.sender().send_text(said).await.unwrap_err();
        assert!(error.is_invalid_command(), "{error:?}");
        assert!(std::error::Error::source(&error).is_some());
    }
}
