//! tokio-tungstenite, a map of peers for each room, an unbounded queue for each peer.

use std::collections::HashMap;
use std::net::TcpListener;
use std::sync::Arc;

use futures::{SinkExt, StreamExt};
use parking_lot::Mutex;
use tokio::net::TcpStream;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio_tungstenite::accept_hdr_async_with_config;
use tokio_tungstenite::tungstenite::handshake::server::{Request, Response};
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Message, Utf8Bytes};

use super::relay;

type Peers = HashMap<u64, UnboundedSender<Utf8Bytes>>;
type Rooms = Arc<Mutex<HashMap<String, Arc<Mutex<Peers>>>>>;

pub(super) async fn serve(listener: TcpListener, read_bytes: usize) {
    let listener = tokio::net::TcpListener::from_std(listener).expect("the listener is open");
    let rooms = Rooms::default();
    let config = WebSocketConfig::default().read_buffer_size(read_bytes);
    for id in 0.. {
        if let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(chat(stream, id, Arc::clone(&rooms), config));
        }
    }
}

async fn chat(stream: TcpStream, id: u64, rooms: Rooms, config: WebSocketConfig) {
    drop(stream.set_nodelay(true));
    let mut name = String::new();
    #[expect(clippy::result_large_err, reason = "the signature is tungstenite's")]
    let read_name = |request: &Request, response: Response| {
        request.uri().path().split('/').nth(3).unwrap_or_default().clone_into(&mut name);
        Ok(response)
    };
    let Ok(socket) = accept_hdr_async_with_config(stream, read_name, Some(config)).await else { return };
    let (mut sink, mut stream) = socket.split();
    let (sender, mut receiver) = unbounded_channel();
    let room = Arc::clone(rooms.lock().entry(name).or_default());
    room.lock().insert(id, sender);
    let sending = async {
        while let Some(text) = receiver.recv().await {
            if sink.send(Message::Text(text)).await.is_err() {
                break;
            }
        }
    };
    let receiving = async {
        while let Some(Ok(message)) = stream.next().await {
            let Message::Text(text) = message else { continue };
            let Some(heard) = relay(&text).map(Utf8Bytes::from) else { continue };
            for peer in room.lock().values() {
                drop(peer.send(heard.clone()));
            }
        }
    };
    tokio::select! {
        () = sending => {}
        () = receiving => {}
    }
    room.lock().remove(&id);
}
