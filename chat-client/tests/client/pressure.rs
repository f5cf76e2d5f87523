//! What happens when one side does not read.

use std::future::Future;

use chat_client::{Client, Command, Dialect, Event, Limits, Sender};
use futures::{FutureExt, SinkExt, StreamExt};
use tokio::task::unconstrained;
use tokio_tungstenite::tungstenite::Message;

use crate::server::{Answer, Peer, Server};

const EVENT: &str = r#"{"type":"messages_marked_read","room_id":1}"#;
const LONG: usize = 256 * 1024;

async fn typed() -> (Client, Peer) {
    let server = Server::bind().await;
    let connect = server.connect("/ws/chat/1/").limits(Limits { max_text_chars: LONG });
    let (client, peer) = tokio::join!(connect.into_future(), server.accept(Answer::TheSame));
    (client.unwrap(), peer)
}

/// Whether this gets through at once. It is polled once, and not held back by the runtime's own fairness.
fn is_done<T>(future: impl Future<Output = T>) -> bool {
    unconstrained(future).now_or_never().is_some()
}

/// Sends until the server's not reading holds up a send; gives that one back.
fn held_up(sender: &Sender) -> impl Future<Output = bool> + use<> {
    let text = "x".repeat(LONG);
    loop {
        let sender = sender.clone();
        let text = text.clone();
        let mut send = Box::pin(async move { sender.send_text(&text).await.is_ok() });
        if unconstrained(&mut send).now_or_never().is_none() {
            return send;
        }
    }
}

#[tokio::test]
async fn a_reader_that_does_not_read_holds_up_no_sender() {
    let (mut client, mut peer) = typed().await;
    let flood = format!("{EVENT}{}", " ".repeat(LONG));
    let mut flooded = 0;
    while is_done(peer.socket.send(Message::text(flood.as_str()))) {
        flooded += 1;
    }

    let sender = client.sender();
    let say = async {
        for _ in 0..100 {
            sender.send_text("hello").await.unwrap();
        }
    };
    let hear = async {
        for _ in 0..100 {
            assert!(matches!(peer.command(Dialect::Typed).await, Command::SendMessage(_)));
        }
    };
    tokio::join!(say, hear);

    for _ in 0..flooded {
        assert!(matches!(client.next().await, Some(Ok(Event::MessagesRead(_)))));
    }
}

#[tokio::test]
async fn a_sender_that_is_held_up_holds_up_no_reader() {
    let (mut client, mut peer) = typed().await;
    let held_up = held_up(&client.sender());
    peer.send(EVENT).await;
    assert!(matches!(client.next().await, Some(Ok(Event::MessagesRead(_)))));

    // When the server reads again, the send gets through.
    let drain = async { while peer.socket.next().await.is_some_and(|message| message.is_ok()) {} };
    let finish = async {
        assert!(held_up.await);
        drop(client);
    };
    tokio::join!(drain, finish);
}

#[tokio::test]
async fn senders_take_turns() {
    let (client, mut peer) = typed().await;
    let first = held_up(&client.sender());
    let second = client.sender();
    let third = client.sender();
    let drain = async {
        loop {
            if peer.text().await.contains("last") {
                return;
            }
        }
    };
    let say = async {
        let (first, second) = tokio::join!(first, second.send_text("second"));
        assert!(first && second.is_ok());
        third.send_text("last").await.unwrap();
    };
    tokio::join!(drain, say);
}

#[tokio::test]
async fn a_send_that_is_given_up_leaves_whole_frames() {
    let (client, mut peer) = typed().await;
    drop(held_up(&client.sender()));
    let sender = client.sender();
    let drain = async {
        loop {
            let Command::SendMessage(send) =
                Dialect::Typed.decode_command(&peer.text().await, &Limits { max_text_chars: LONG }).unwrap()
            else {
                panic!()
            };
            if send.text.as_str() == "last" {
                return;
            }
            assert_eq!(send.text.as_str().len(), LONG);
        }
    };
    let (sent, ()) = tokio::join!(sender.send_text("last"), drain);
    sent.unwrap();
}

#[tokio::test]
async fn the_end_of_the_client_ends_a_send_that_is_held_up() {
    let (client, _peer) = typed().await;
    let held_up = held_up(&client.sender());
    let (sent, ()) = tokio::join!(held_up, async { drop(client) });
    assert!(!sent);
}

#[tokio::test]
async fn the_end_of_the_stream_ends_a_send_that_is_held_up() {
    let (mut client, mut peer) = typed().await;
    let held_up = held_up(&client.sender());
    peer.socket.send(Message::Close(None)).await.unwrap();
    let (sent, last) = tokio::join!(held_up, client.next());
    assert!(!sent);
    assert!(last.unwrap().unwrap_err().is_closed());
}
