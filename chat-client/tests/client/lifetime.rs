//! How a connection stays alive, and how it ends.

use chat_client::{Client, Closed, Dialect, Event};
use futures::stream::FusedStream;
use futures::{SinkExt, StreamExt};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;

use crate::server::{Answer, Peer, Server, pair};

const EVENT: &str = r#"{"type":"messages_marked_read","room_id":1}"#;

async fn typed() -> (Client, Peer) {
    pair(Dialect::Typed, "/ws/chat/1/").await
}

/// The last item of the stream, after which there must be nothing.
async fn end_of(client: &mut Client) -> Closed {
    let error = client.next().await.unwrap().unwrap_err();
    assert!(error.is_closed() && !error.is_refused(), "{error:?}");
    assert!(client.is_terminated() && client.next().await.is_none());
    error.closed().unwrap().clone()
}

#[tokio::test]
async fn a_ping_is_answered_though_nobody_sends() {
    let (mut client, mut peer) = typed().await;
    let serve = async {
        peer.socket.send(Message::Ping("are you there".into())).await.unwrap();
        let pong = peer.socket.next().await.unwrap().unwrap();
        assert_eq!(pong, Message::Pong("are you there".into()));
        // Only now does the client have something to return from.
        peer.send(EVENT).await;
    };
    let (event, ()) = tokio::join!(client.next(), serve);
    assert!(matches!(event, Some(Ok(Event::MessagesRead(_)))));
}

#[tokio::test]
async fn unreadable_frames_are_skipped_and_counted() {
    let (mut client, mut peer) = typed().await;
    for frame in [r#"{"type":"from_the_future"}"#, "not json", "[]", r#"{"type":"chat_message"}"#] {
        peer.send(frame).await;
    }
    peer.socket.send(Message::binary(EVENT)).await.unwrap();
    peer.send(EVENT).await;
    assert!(matches!(client.next().await, Some(Ok(Event::MessagesRead(_)))));
    assert_eq!(client.unreadable_frames(), 5);
}

#[tokio::test]
async fn the_code_and_the_reason_of_a_close_are_told() {
    let cases = [
        (1000, "", false),
        (1001, "going away", true),
        (1008, "too many frames", false),
        (1011, "", true),
        (1013, "try again later", true),
        (4003, "not a member", false),
    ];
    for (code, reason, retryable) in cases {
        let (mut client, peer) = typed().await;
        let sender = client.sender();
        let frame = CloseFrame { code: code.into(), reason: reason.into() };
        let (error, ()) = tokio::join!(client.next(), peer.close(Some(frame)));
        let error = error.unwrap().unwrap_err();
        assert!(error.is_closed());
        assert_eq!(error.is_retryable(), retryable, "{code}");
        let closed = error.closed().unwrap();
        assert_eq!((closed.code, closed.reason.as_str()), (code, reason));
        assert!(client.next().await.is_none());

        let refused = sender.send_text("hello").await.unwrap_err();
        assert_eq!(refused.closed(), Some(closed));
        client.close().await.unwrap();
    }
}

#[tokio::test]
async fn a_close_may_come_without_a_code() {
    let (mut client, peer) = typed().await;
    let (closed, ()) = tokio::join!(end_of(&mut client), peer.close(None));
    assert_eq!(closed.code, 1005);
}

#[tokio::test]
async fn the_server_gets_an_answer_to_its_close() {
    let (mut client, mut peer) = typed().await;
    let serve = async {
        let frame = CloseFrame { code: 1001.into(), reason: "bye".into() };
        peer.socket.close(Some(frame.clone())).await.unwrap();
        assert_eq!(peer.socket.next().await.unwrap().unwrap(), Message::Close(Some(frame)));
        assert!(peer.socket.next().await.is_none());
    };
    tokio::join!(end_of(&mut client), serve);
}

#[tokio::test]
async fn a_connection_may_break() {
    let (mut client, mut peer) = typed().await;
    peer.send(EVENT).await;
    drop(peer);
    assert!(client.next().await.unwrap().is_ok());
    assert_eq!(end_of(&mut client).await.code, 1006);
}

#[tokio::test]
async fn too_long_a_message_ends_the_connection() {
    let server = Server::bind().await;
    let connect = server.connect("/ws/chat/1/").max_message_bytes(EVENT.len());
    let (client, mut peer) = tokio::join!(connect.into_future(), server.accept(Answer::TheSame));
    let mut client = client.unwrap();
    peer.send(EVENT).await;
    peer.send(&format!("{EVENT} ")).await;
    assert!(client.next().await.unwrap().is_ok());
    assert_eq!(end_of(&mut client).await.code, 1009);
}

#[tokio::test]
async fn closing_says_goodbye() {
    let (client, mut peer) = typed().await;
    let sender = client.sender();
    let serve = async {
        // What the server still has to say does not keep the client.
        peer.send(EVENT).await;
        let Message::Close(Some(frame)) = peer.socket.next().await.unwrap().unwrap() else { panic!() };
        assert_eq!(u16::from(frame.code), 1000);
        assert!(peer.socket.next().await.is_none());
    };
    let (closed, ()) = tokio::join!(client.close(), serve);
    closed.unwrap();
    assert!(sender.send_text("hello").await.unwrap_err().is_closed());
}

#[tokio::test]
async fn closing_fails_where_the_server_just_goes() {
    let (client, peer) = typed().await;
    drop(peer);
    let error = client.close().await.unwrap_err();
    assert!(error.is_closed());
    assert!(std::error::Error::source(&error).is_some());
}

#[tokio::test]
async fn closing_does_not_wait_for_ever() {
    let (client, _peer) = typed().await;
    // With nothing else to do, the clock jumps to the end of the wait.
    tokio::time::pause();
    assert!(client.close().await.unwrap_err().is_closed());
}

#[tokio::test]
async fn a_dropped_client_takes_its_senders_along() {
    let (client, mut peer) = typed().await;
    let sender = client.sender();
    drop(client);
    assert!(sender.send_text("hello").await.unwrap_err().is_closed());
    assert!(!matches!(peer.socket.next().await, Some(Ok(_))));
}
