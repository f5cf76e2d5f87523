//! A WebSocket as a document's front end has it: JSON texts, sent and received.

use std::fs;
use std::net::SocketAddr;

use futures::{SinkExt, StreamExt, stream};
use serde_json::Value;
use tokio::net::TcpStream;
use tokio::task::yield_now;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::client::{ClientRequestBuilder, IntoClientRequest};
use tokio_tungstenite::tungstenite::http::StatusCode;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async, connect_async_with_config};

use crate::PATIENCE;

/// An open socket.
#[derive(Debug)]
pub struct Socket(WebSocketStream<MaybeTlsStream<TcpStream>>);

/// A handshake that was refused.
#[derive(Debug, PartialEq, Eq)]
pub struct Refused {
    /// The status of the answer.
    pub status: StatusCode,
    /// What the answer says.
    pub text: String,
}

/// The connection is no more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Broken;

impl Socket {
    /// Opens a socket; the server must accept it.
    pub async fn open(url: &str) -> Self {
        Self::try_open(url).await.expect("the handshake is accepted")
    }

    /// Opens a socket, or tells how the server refused it.
    ///
    /// # Errors
    ///
    /// [`Refused`] where the server answers with something else than a WebSocket.
    pub async fn try_open(url: &str) -> Result<Self, Refused> {
        Self::open_request(url).await
    }

    /// Opens a socket that asks for a subprotocol; the server must confirm it.
    pub async fn open_with_subprotocol(url: &str, subprotocol: &str) -> Self {
        let request = ClientRequestBuilder::new(url.parse().expect("a URL")).with_sub_protocol(subprotocol);
        Self::open_request(request).await.expect("the handshake is accepted")
    }

    /// Opens a socket with further headers, or tells how the server refused it.
    ///
    /// # Errors
    ///
    /// [`Refused`] where the server answers with something else than a WebSocket.
    pub async fn try_open_with_headers(url: &str, headers: &[(&str, String)]) -> Result<Self, Refused> {
        let request = ClientRequestBuilder::new(url.parse().expect("a URL"));
        let request =
            headers.iter().fold(request, |request, (name, value)| request.with_header(*name, value));
        Self::open_request(request).await
    }

    async fn open_request(request: impl IntoClientRequest + Unpin) -> Result<Self, Refused> {
        match timeout(PATIENCE, connect_async(request)).await.expect("the server answers") {
            Ok((socket, _)) => Ok(Self(socket)),
            Err(Error::Http(response)) => {
                let body = response.body().as_deref().unwrap_or_default();
                Err(Refused { status: response.status(), text: String::from_utf8_lossy(body).into_owned() })
            }
            Err(error) => panic!("no answer: {error}"),
        }
    }

    /// Opens a socket on a server that may be gone, or refuse it.
    ///
    /// # Errors
    ///
    /// [`Broken`] where it is.
    pub async fn reach(url: &str) -> Result<Self, Broken> {
        let handshake = connect_async_with_config(url, None, true);
        let (socket, _) =
            timeout(PATIENCE, handshake).await.expect("the server answers").map_err(|_| Broken)?;
        Ok(Self(socket))
    }

    /// Waits until all that was sent has come to the system of the other side, where it can be read: a send that is done may
    /// still wait in this one. For sockets over IPv4.
    pub async fn all_arrived(&self) {
        let MaybeTlsStream::Plain(stream) = self.0.get_ref() else { panic!("no plain socket") };
        let port = |address: SocketAddr| format!("{:04X}", address.port());
        let from = port(stream.local_addr().expect("an address"));
        let to = port(stream.peer_addr().expect("an address"));
        let waiting = || {
            let table = fs::read_to_string("/proc/net/tcp").expect("the system's table of sockets");
            // `sl local_address rem_address st tx_queue:rx_queue …`, in hexadecimal digits.
            let mut sockets = table.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
            let this = sockets.find(|fields| fields[1].ends_with(&from) && fields[2].ends_with(&to));
            !this.expect("this socket")[4].starts_with("00000000:")
        };
        let arrival = async {
            while waiting() {
                yield_now().await;
            }
        };
        timeout(PATIENCE, arrival).await.expect("the other side's system takes it");
    }

    /// Sends a frame of JSON on a connection that may have broken.
    ///
    /// # Errors
    ///
    /// [`Broken`] where it has; the frame may have been sent or not.
    pub async fn try_send(&mut self, frame: &Value) -> Result<(), Broken> {
        self.0.send(Message::text(frame.to_string())).await.map_err(|_| Broken)
    }

    /// The next frame of a connection that may break, however long that takes.
    ///
    /// # Errors
    ///
    /// [`Broken`] where it has ended, well or not.
    pub async fn try_receive(&mut self) -> Result<Value, Broken> {
        loop {
            match self.0.next().await {
                Some(Ok(Message::Text(text))) => {
                    return Ok(serde_json::from_str(&text).expect("the frame is JSON"));
                }
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                _ => return Err(Broken),
            }
        }
    }

    /// Sends a frame of JSON.
    pub async fn send(&mut self, frame: &Value) {
        self.send_text(&frame.to_string()).await;
    }

    /// Sends frames of JSON in one piece, so that they come in together.
    pub async fn send_together(&mut self, frames: &[Value]) {
        let messages = frames.iter().map(|frame| Ok(Message::text(frame.to_string())));
        timeout(PATIENCE, self.0.send_all(&mut stream::iter(messages)))
            .await
            .expect("the server reads")
            .expect("the messages are sent");
    }

    /// Sends a text frame, whatever it holds.
    pub async fn send_text(&mut self, text: &str) {
        self.send_message(Message::text(text)).await;
    }

    /// Sends any message.
    pub async fn send_message(&mut self, message: Message) {
        timeout(PATIENCE, self.0.send(message))
            .await
            .expect("the server reads")
            .expect("the message is sent");
    }

    /// The next frame.
    pub async fn receive(&mut self) -> Value {
        match self.receive_message().await {
            Message::Text(text) => serde_json::from_str(&text).expect("the frame is JSON"),
            other => panic!("not a text: {other:?}"),
        }
    }

    /// So many frames.
    pub async fn receive_many(&mut self, count: usize) -> Vec<Value> {
        let mut frames = Vec::with_capacity(count);
        for _ in 0..count {
            frames.push(self.receive().await);
        }
        frames
    }

    /// The next frame for which this holds; those before it are dropped.
    pub async fn receive_where(&mut self, holds: impl Fn(&Value) -> bool) -> Value {
        loop {
            let frame = self.receive().await;
            if holds(&frame) {
                return frame;
            }
        }
    }

    /// The code of the close frame that the server sends next.
    pub async fn receive_close(&mut self) -> u16 {
        loop {
            match self.receive_message().await {
                Message::Close(Some(close)) => return close.code.into(),
                Message::Close(None) => panic!("a close without a code"),
                _ => {}
            }
        }
    }

    /// The next message that is no ping or pong.
    pub async fn receive_message(&mut self) -> Message {
        let next = async {
            loop {
                let next = self.0.next().await;
                match next.expect("the connection is open").expect("the connection is whole") {
                    Message::Ping(_) | Message::Pong(_) => {}
                    message => return message,
                }
            }
        };
        timeout(PATIENCE, next).await.expect("the server sends something")
    }

    /// Says goodbye, and waits until the server has said so, too.
    pub async fn close(mut self) {
        timeout(PATIENCE, async {
            self.0.close(None).await.expect("the goodbye is sent");
            while let Some(Ok(_)) = self.0.next().await {}
        })
        .await
        .expect("the server answers the goodbye");
    }
}
