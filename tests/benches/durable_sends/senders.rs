//! Senders in a closed loop: each sends its next message when the one before is confirmed.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use futures::{SinkExt, StreamExt};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{WebSocketStream, client_async};

use crate::figures::{Figures, micros};

/// What is said: of usual length.
pub(crate) const TEXT: &str =
    "Has anybody seen the keys of the workshop? They were on the table by the window this morning.";

/// Lets so many senders send, each in a room of its own, so that what is measured is storing, and not fan-out.
pub(crate) async fn send(
    server: SocketAddr,
    senders: usize,
    warm_up: Duration,
    measured: Duration,
) -> Figures {
    let mut sockets = Vec::with_capacity(senders);
    for number in 0..senders {
        sockets.push(open(server, number).await);
    }
    let from = Instant::now() + warm_up;
    let until = from + measured;
    let sending = sockets.into_iter().map(|socket| tokio::spawn(send_on(socket, from, until)));
    let mut timed = Vec::new();
    for sender in futures::future::join_all(sending).await {
        timed.extend(sender.expect("no sender fails"));
    }
    Figures::of(timed, measured)
}

async fn open(server: SocketAddr, number: usize) -> WebSocketStream<TcpStream> {
    let stream = TcpStream::connect(server).await.expect("the server listens");
    stream.set_nodelay(true).expect("the connection is open");
    let url = format!("ws://{server}/ws/chat/r{number}/?username=s{number}&dialect=typed");
    client_async(url, stream).await.expect("the handshake is accepted").0
}

/// Gives how long each confirmation took that came within the time that is measured.
async fn send_on(mut socket: WebSocketStream<TcpStream>, from: Instant, until: Instant) -> Vec<u32> {
    let mut timed = Vec::new();
    let frame = Message::text(format!(r#"{{"type":"chat_message","message":"{TEXT}"}}"#));
    loop {
        let sent = Instant::now();
        socket.send(frame.clone()).await.expect("the server reads");
        await_confirmation(&mut socket).await;
        let now = Instant::now();
        if now >= until {
            return timed;
        }
        if now >= from {
            timed.push(micros(now - sent));
        }
    }
}

async fn await_confirmation(socket: &mut WebSocketStream<TcpStream>) {
    loop {
        let message = socket.next().await.expect("the server is there").expect("the connection is whole");
        if let Message::Text(text) = message {
            assert!(!text.contains(r#""error""#), "{text}");
            if text.contains("message_sent") {
                return;
            }
        }
    }
}
