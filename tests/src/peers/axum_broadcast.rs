//! axum's `ws`, a broadcast channel for each room, a task for each direction.

use std::collections::HashMap;
use std::net::TcpListener;
use std::sync::Arc;

use axum::extract::ws::{Message, Utf8Bytes, WebSocket};
use axum::extract::{Path, State, WebSocketUpgrade};
use axum::response::Response;
use axum::routing::get;
use axum::serve::ListenerExt;
use futures::{SinkExt, StreamExt};
use parking_lot::Mutex;
use tokio::sync::broadcast::{self, error::RecvError};

use super::relay;

#[derive(Clone)]
struct Rooms {
    rooms: Arc<Mutex<HashMap<String, broadcast::Sender<Utf8Bytes>>>>,
    read_bytes: usize,
}

pub(super) async fn serve(listener: TcpListener, read_bytes: usize) {
    let rooms = Rooms { rooms: Arc::default(), read_bytes };
    let app = axum::Router::new().route("/ws/chat/{room}/", get(upgrade)).with_state(rooms);
    let listener = tokio::net::TcpListener::from_std(listener).expect("the listener is open");
    let listener = listener.tap_io(|stream| drop(stream.set_nodelay(true)));
    axum::serve(listener, app).await.expect("it serves");
}

async fn upgrade(Path(room): Path<String>, State(rooms): State<Rooms>, ws: WebSocketUpgrade) -> Response {
    ws.read_buffer_size(rooms.read_bytes).on_upgrade(move |socket| chat(socket, room, rooms))
}

async fn chat(socket: WebSocket, room: String, rooms: Rooms) {
    let sender = rooms.rooms.lock().entry(room).or_insert_with(|| broadcast::channel(1024).0).clone();
    let mut receiver = sender.subscribe();
    let (mut sink, mut stream) = socket.split();
    let mut sending = tokio::spawn(async move {
        loop {
            match receiver.recv().await {
                Ok(text) => {
                    if sink.send(Message::Text(text)).await.is_err() {
                        break;
                    }
                }
                Err(RecvError::Lagged(_)) => {}
                Err(RecvError::Closed) => break,
            }
        }
    });
    let mut receiving = tokio::spawn(async move {
        while let Some(Ok(message)) = stream.next().await {
            let Message::Text(text) = message else { continue };
            if let Some(heard) = relay(&text) {
                drop(sender.send(heard.into()));
            }
        }
    });
    tokio::select! {
        _ = &mut sending => receiving.abort(),
        _ = &mut receiving => sending.abort(),
    }
}
