//! A client that stays while its connections come and go.

mod closing;

use std::time::Duration;

use chat_client::{
    Closed, Command, Dialect, Disconnected, Event, Limits, MessageText, Reconnect, ReconnectingClient,
    RoomId, RoomName, RoomRef, SendMessage, Since, Update, Username,
};
use futures::stream::FusedStream;
use futures::{FutureExt, SinkExt, StreamExt};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;

use crate::server::{Answer, Peer, Server};

const PATH: &str = "/ws/chat/testroom/";

/// Does not keep a test waiting.
fn quick() -> Reconnect {
    Reconnect::default().first_delay(Duration::from_millis(1)).max_delay(Duration::from_millis(5))
}

fn client_of(server: &Server, dialect: Dialect) -> ReconnectingClient {
    server.connect(PATH).dialect(dialect).reconnect(quick()).unwrap()
}

async fn next(client: &mut ReconnectingClient) -> Update {
    client.next().await.unwrap().unwrap()
}

/// Polls a client until it is connected, and gives the server's end.
async fn meet(client: &mut ReconnectingClient, server: &Server) -> Peer {
    let connect = async { while !matches!(next(client).await, Update::Connected) {} };
    let ((), peer) = tokio::join!(connect, server.accept(Answer::TheSame));
    peer
}

fn typed(id: i64, mark: &str) -> String {
    format!(
        r#"{{"type":"chat_message","message_id":{id},"message":"m{id}","user_id":2,"username":"bob",
            "timestamp":"2025-10-03T03:00:00Z","is_read":false,"client_id":"{mark}"}}"#
    )
}

fn confirmation(id: i64, mark: &str) -> String {
    format!(
        r#"{{"type":"message_sent","message_id":{id},"message":"hi","timestamp":"2025-10-03T03:00:00Z",
            "client_id":"{mark}"}}"#
    )
}

/// The id of the message that comes next.
async fn heard(client: &mut ReconnectingClient) -> i64 {
    let update = next(client).await;
    let Update::Event(Event::MessagePosted(posted)) = update else { panic!("{update:?}") };
    posted.message.id.unwrap().value()
}

async fn disconnected(client: &mut ReconnectingClient) -> Disconnected {
    let update = next(client).await;
    let Update::Disconnected(disconnected) = update else { panic!("{update:?}") };
    disconnected
}

/// The send that comes next, as a server reads it.
async fn send(peer: &mut Peer, dialect: Dialect) -> SendMessage {
    let command = peer.command(dialect).await;
    let Command::SendMessage(send) = command else { panic!("{command:?}") };
    send
}

fn close_frame(code: u16) -> CloseFrame {
    CloseFrame { code: code.into(), reason: "".into() }
}

#[tokio::test]
async fn it_comes_back_and_goes_on_where_it_was() {
    let server = Server::bind().await;
    let mut client = client_of(&server, Dialect::Typed);
    let mut peer = meet(&mut client, &server).await;
    assert_eq!(peer.uri.to_string(), PATH);
    peer.send(&typed(5, "a")).await;
    assert_eq!(heard(&mut client).await, 5);
    let (lost, ()) = tokio::join!(disconnected(&mut client), peer.close(Some(close_frame(1012))));
    assert_eq!(lost.error.closed().map(|closed| closed.code), Some(1012));
    assert!(lost.retry_in <= Duration::from_millis(1));

    let mut peer = meet(&mut client, &server).await;
    assert_eq!(peer.uri.to_string(), format!("{PATH}?since=5"));
    for id in [4, 5, 6, 6, 7] {
        peer.send(&typed(id, "a")).await;
    }
    assert_eq!(heard(&mut client).await, 6);
    assert_eq!(heard(&mut client).await, 7);
    assert_eq!(client.since().to_string(), "7");
}

#[tokio::test]
async fn group_goes_on_in_each_room() {
    let server = Server::bind().await;
    let since = Since::beginning();
    let mut client = server.connect(PATH).dialect(Dialect::Group).since(since).reconnect(quick()).unwrap();
    let mut peer = meet(&mut client, &server).await;
    assert_eq!(peer.uri.to_string(), format!("{PATH}?since=0"));
    for (room, name, id) in [(5, "5", 40), (7, "hall", 41), (7, "7", 42), (5, "den", 39)] {
        let frame = format!(
            r#"{{"type":"chat","message":"hi","group_name":"{name}","display_name":"x","room_id":{room},
                "message_id":{id}}}"#
        );
        peer.send(&frame).await;
    }
    for id in [40, 41, 42] {
        assert_eq!(heard(&mut client).await, id);
    }
    drop(peer);
    disconnected(&mut client).await;
    let peer = meet(&mut client, &server).await;
    assert_eq!(peer.uri.query(), Some("since=7%3A42%2C5%3A40%2C0"));
}

#[tokio::test]
async fn what_is_not_confirmed_is_sent_again_with_the_same_mark() {
    for &dialect in Dialect::ALL {
        let server = Server::bind().await;
        let mut client = client_of(&server, dialect);
        // Before there is a connection.
        let mark = client.sender().send_text("hi").await.unwrap();
        assert_eq!(client.unconfirmed().count(), 0, "it is not polled yet");
        for _ in 0..2 {
            let mut peer = meet(&mut client, &server).await;
            // One poll writes it.
            assert!(client.next().now_or_never().is_none());
            assert_eq!(send(&mut peer, dialect).await.client_id.as_ref(), Some(&mark), "{dialect}");
            assert_eq!(client.unconfirmed().count(), 1);
            drop(peer);
            disconnected(&mut client).await;
        }
        let mut peer = meet(&mut client, &server).await;
        assert!(client.next().now_or_never().is_none());
        assert_eq!(send(&mut peer, dialect).await.client_id.as_ref(), Some(&mark));
        // Confirmed by the message itself, or in words.
        let frames = match dialect {
            Dialect::Typed => vec![typed(9, mark.as_str()), confirmation(9, mark.as_str())],
            Dialect::Group => vec![confirmation(9, mark.as_str())],
            Dialect::Command => vec![format!(
                r#"{{"command":"new_message","message":{{"__str__":"amy","content":"hi","message_id":9}},
                    "client_id":"{mark}"}}"#
            )],
            _ => vec![format!(r#"{{"message":"hi","remetente":"amy","message_id":9,"client_id":"{mark}"}}"#)],
        };
        for frame in frames {
            peer.send(&frame).await;
        }
        if dialect != Dialect::Group {
            assert_eq!(heard(&mut client).await, 9, "{dialect}");
        }
        let update = next(&mut client).await;
        let Update::Confirmed(confirmed) = update else { panic!("{update:?}") };
        assert_eq!(confirmed.client_id, mark);
        assert_eq!(confirmed.message_id.map(i64::from), Some(9));
        assert_eq!(client.unconfirmed().count(), 0);

        drop(peer);
        disconnected(&mut client).await;
        let mut peer = meet(&mut client, &server).await;
        client.sender().send_text("next").await.unwrap();
        assert!(client.next().now_or_never().is_none());
        let sent = send(&mut peer, dialect).await;
        assert_eq!(sent.text.as_str(), "next", "what is confirmed is not sent again");
    }
}

#[tokio::test]
async fn what_nothing_would_confirm_is_not_taken() {
    let server = Server::bind().await;
    let room = |name| RoomRef::Name(RoomName::new(name).unwrap());
    let to = |room| {
        let text = MessageText::new("hi", &Limits::default()).unwrap();
        Command::SendMessage(SendMessage { room: Some(room), text, claimed_sender: None, client_id: None })
    };
    for (dialect, hears_all) in [(Dialect::Command, false), (Dialect::Group, true)] {
        let client = client_of(&server, dialect);
        let sender = client.sender();
        assert!(sender.try_send(to(room("testroom"))).is_ok(), "{dialect}");
        // An id may be of the room of the URL, or not.
        for other in [room("another"), RoomRef::Id(RoomId::new(7).unwrap())] {
            let elsewhere = sender.try_send(to(other));
            assert_eq!(elsewhere.is_ok(), hears_all, "{dialect}");
            assert!(elsewhere.err().is_none_or(|error| error.is_invalid_command()), "{dialect}");
        }
    }
}

#[tokio::test]
async fn no_time_is_too_long() {
    let server = Server::bind().await;
    let how = Reconnect::default().first_delay(Duration::MAX).max_delay(Duration::MAX).silence(Duration::MAX);
    let mut client = server.connect(PATH).timeout(Duration::MAX).reconnect(how).unwrap();
    let mut peer = meet(&mut client, &server).await;
    peer.send(&typed(5, "a")).await;
    assert_eq!(heard(&mut client).await, 5);
    drop(peer);
    disconnected(&mut client).await;
    assert!(client.next().now_or_never().is_none());
}

#[tokio::test]
async fn what_passes_is_no_end() {
    for code in [1001, 1006, 1011, 1012, 1013] {
        let server = Server::bind().await;
        let mut client = client_of(&server, Dialect::Typed);
        let peer = meet(&mut client, &server).await;
        let end = async {
            match code {
                1006 => drop(peer),
                code => peer.close(Some(close_frame(code))).await,
            }
        };
        let (lost, ()) = tokio::join!(disconnected(&mut client), end);
        assert_eq!(lost.error.closed().map(|closed| closed.code), Some(code));
        meet(&mut client, &server).await;
    }
}

#[tokio::test]
async fn what_does_not_pass_is_the_end() {
    for code in [1000, 1008, 4401, 4403] {
        let server = Server::bind().await;
        let mut client = client_of(&server, Dialect::Typed);
        let sender = client.sender();
        let peer = meet(&mut client, &server).await;
        let (last, ()) = tokio::join!(client.next(), peer.close(Some(close_frame(code))));
        let error = last.unwrap().unwrap_err();
        assert_eq!(error.closed().map(|closed: &Closed| closed.code), Some(code));
        assert!(client.is_terminated() && client.next().await.is_none());
        assert!(sender.send_text("hello").await.unwrap_err().is_closed());
        assert!(sender.try_send_text("hello").unwrap_err().is_closed());
    }
}

/// Answers one handshake with a status.
async fn refuse(server: &Server, status: u16) {
    let (mut stream, _) = server.listener.accept().await.unwrap();
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        stream.read_buf(&mut request).await.unwrap();
    }
    let answer = format!("HTTP/1.1 {status} X\r\nContent-Length: 0\r\n\r\n");
    stream.write_all(answer.as_bytes()).await.unwrap();
}

#[tokio::test]
async fn refusals_are_told_apart() {
    for status in [408, 429, 500, 502, 503, 504] {
        let server = Server::bind().await;
        let mut client = client_of(&server, Dialect::Typed);
        let (lost, ()) = tokio::join!(disconnected(&mut client), refuse(&server, status));
        assert_eq!(lost.error.status(), Some(status));
        meet(&mut client, &server).await;
    }
    for status in [400, 401, 403, 404, 302] {
        let server = Server::bind().await;
        let mut client = client_of(&server, Dialect::Typed);
        let (last, ()) = tokio::join!(client.next(), refuse(&server, status));
        assert_eq!(last.unwrap().unwrap_err().status(), Some(status));
        assert!(client.next().await.is_none());
    }
}

#[tokio::test]
async fn a_server_may_be_away_for_a_while() {
    let server = Server::bind().await;
    let address = server.listener.local_addr().unwrap();
    let mut client = client_of(&server, Dialect::Typed);
    drop(server);
    for _ in 0..3 {
        let lost = disconnected(&mut client).await;
        assert!(lost.error.is_retryable() && lost.error.status().is_none());
    }
    let server = Server { listener: TcpListener::bind(address).await.unwrap() };
    meet(&mut client, &server).await;
}

#[test]
fn urls_are_checked_at_once() {
    for url in ["http://h/", "wss://h/", "testroom"] {
        assert!(chat_client::Client::connect(url).reconnect(quick()).is_err(), "{url}");
    }
}

#[tokio::test]
async fn the_outbox_has_a_bound() {
    let server = Server::bind().await;
    let mut client = server.connect(PATH).reconnect(quick().outbox(2)).unwrap();
    let sender = client.sender();
    let first = sender.try_send_text("one").unwrap();
    sender.send_text("two").await.unwrap();
    assert!(sender.try_send_text("three").unwrap_err().is_full());
    let mut third = Box::pin(sender.send_text("three"));
    assert!(third.as_mut().now_or_never().is_none());

    let mut peer = meet(&mut client, &server).await;
    peer.send(&confirmation(1, first.as_str())).await;
    assert!(matches!(next(&mut client).await, Update::Confirmed(_)));
    third.await.unwrap();
    assert!(client.next().now_or_never().is_none());
    for text in ["one", "two", "three"] {
        assert_eq!(send(&mut peer, Dialect::Typed).await.text.as_str(), text);
    }
    drop(client);
    assert!(sender.send_text("four").await.unwrap_err().is_closed());
}

#[tokio::test]
async fn other_commands_are_sent_once() {
    let server = Server::bind().await;
    let mut client = client_of(&server, Dialect::Typed);
    client.sender().mark_read().await.unwrap();
    client.sender().set_typing(true).await.unwrap();
    let mut peer = meet(&mut client, &server).await;
    assert!(client.next().now_or_never().is_none());
    assert_eq!(peer.command(Dialect::Typed).await, Command::MarkRead);
    assert_eq!(peer.command(Dialect::Typed).await, Command::SetTyping { is_typing: true });
    drop(peer);
    disconnected(&mut client).await;
    let mut peer = meet(&mut client, &server).await;
    client.sender().send_text("hi").await.unwrap();
    assert!(client.next().now_or_never().is_none());
    send(&mut peer, Dialect::Typed).await;
    assert!(client.sender().fetch_history().await.unwrap_err().is_invalid_command());
}

#[tokio::test]
async fn where_one_cannot_go_on_is_told() {
    let server = Server::bind().await;
    let mut client = client_of(&server, Dialect::Typed);
    let mut peer = meet(&mut client, &server).await;
    peer.send(&typed(90, "a")).await;
    heard(&mut client).await;
    drop(peer);
    disconnected(&mut client).await;
    let mut peer = meet(&mut client, &server).await;
    peer.send(r#"{"type":"error","message":"?","code":"cannot_resume","field":"since"}"#).await;
    peer.send(&typed(3, "a")).await;
    let update = next(&mut client).await;
    let Update::Event(Event::Refused(refusal)) = update else { panic!("{update:?}") };
    assert_eq!(refusal.code.as_str(), "cannot_resume");
    assert_eq!(heard(&mut client).await, 3, "from here on it goes by what the server has");
}

#[tokio::test]
async fn a_listener_asks_for_nothing() {
    let server = Server::bind().await;
    let connect = server.connect("/ws/chat/listener/").dialect(Dialect::Command).since(Since::beginning());
    let mut client = connect.reconnect(quick()).unwrap();
    assert_eq!(meet(&mut client, &server).await.uri.query(), None);
}

#[tokio::test]
async fn a_connection_on_which_nothing_comes_is_lost() {
    let server = Server::bind().await;
    let mut client = client_of(&server, Dialect::Typed);
    let mut peer = meet(&mut client, &server).await;
    // With nothing else to do, the clock jumps to whatever is waited for.
    tokio::time::pause();
    let begun = tokio::time::Instant::now();
    let ping = async {
        tokio::time::sleep(Duration::from_secs(40)).await;
        peer.socket.send(Message::Ping("".into())).await.unwrap();
    };
    let (lost, ()) = tokio::join!(disconnected(&mut client), ping);
    assert_eq!(lost.error.closed().map(|closed| closed.code), Some(1006));
    assert!(begun.elapsed() >= Duration::from_secs(100), "a ping is a sign of life");
}

#[tokio::test]
async fn polling_may_be_given_up_at_any_time() {
    let server = Server::bind().await;
    let mut client = client_of(&server, Dialect::Typed);
    let mark = client.sender().send_text("hi").await.unwrap();
    let mut peers = Vec::new();
    let serve = async {
        for round in 0..2 {
            let mut peer = server.accept(Answer::TheSame).await;
            send(&mut peer, Dialect::Typed).await;
            for id in 1..=50 {
                peer.send(&typed(id + 50 * round, if round == 1 { mark.as_str() } else { "a" })).await;
            }
            // Not waiting for the answer: at the end, nobody polls the client any more.
            peer.socket.close(Some(close_frame(1001))).await.unwrap();
            peers.push(peer);
        }
    };
    let listen = async {
        let mut ids = Vec::new();
        let mut confirmations = 0;
        while ids.len() < 100 || confirmations == 0 {
            // Each attempt lasts for one poll.
            match client.next().now_or_never() {
                Some(Some(Ok(Update::Event(Event::MessagePosted(posted))))) => {
                    ids.push(posted.message.id.unwrap().value());
                }
                Some(Some(Ok(Update::Confirmed(_)))) => confirmations += 1,
                Some(Some(Err(error))) => panic!("{error}"),
                _ => tokio::task::yield_now().await,
            }
        }
        assert_eq!(confirmations, 1);
        ids
    };
    let (ids, ()) = tokio::join!(listen, serve);
    assert!(ids.into_iter().eq(1..=100));
}
