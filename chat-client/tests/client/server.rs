//! A server of one connection at a time, which does only what its test says.

use chat_client::{Client, Command, Connect, Dialect, Limits};
use futures::{SinkExt, StreamExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::server::{ErrorResponse, Request, Response};
use tokio_tungstenite::tungstenite::http::{HeaderValue, Uri};
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::{WebSocketStream, accept_hdr_async};

const PROTOCOL: &str = "sec-websocket-protocol";

/// What the server answers when it is asked for a subprotocol.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Answer {
    /// The one that it was asked for.
    TheSame,
    /// None, as a server does that knows one dialect.
    None,
    /// This one, whatever it was asked for.
    Another(&'static str),
}

/// A listening socket on a free port.
pub(crate) struct Server {
    pub(crate) listener: TcpListener,
}

/// The server's end of a connection.
pub(crate) struct Peer {
    pub(crate) socket: WebSocketStream<TcpStream>,
    /// What the client asked for.
    pub(crate) uri: Uri,
    pub(crate) subprotocol: String,
}

impl Server {
    pub(crate) async fn bind() -> Self {
        Self { listener: TcpListener::bind("127.0.0.1:0").await.unwrap() }
    }

    pub(crate) fn connect(&self, path: &str) -> Connect {
        Client::connect(format!("ws://{}{path}", self.listener.local_addr().unwrap()))
    }

    #[expect(clippy::result_large_err, reason = "the library's callback wants it so")]
    pub(crate) async fn accept(&self, answer: Answer) -> Peer {
        let (stream, _) = self.listener.accept().await.unwrap();
        let mut asked = None;
        let callback = |request: &Request, mut response: Response| -> Result<Response, ErrorResponse> {
            let subprotocol = request.headers()[PROTOCOL].clone();
            let picked = match answer {
                Answer::TheSame => Some(subprotocol.clone()),
                Answer::None => None,
                Answer::Another(name) => Some(HeaderValue::from_static(name)),
            };
            if let Some(picked) = picked {
                response.headers_mut().insert(PROTOCOL, picked);
            }
            asked = Some((request.uri().clone(), subprotocol.to_str().unwrap().to_owned()));
            Ok(response)
        };
        let socket = accept_hdr_async(stream, callback).await.unwrap();
        let (uri, subprotocol) = asked.unwrap();
        Peer { socket, uri, subprotocol }
    }
}

impl Peer {
    pub(crate) async fn send(&mut self, text: &str) {
        self.socket.send(Message::text(text)).await.unwrap();
    }

    /// The next frame, with its text.
    pub(crate) async fn text(&mut self) -> String {
        let message = self.socket.next().await.unwrap().unwrap();
        message.into_text().unwrap().as_str().to_owned()
    }

    /// The next frame, as a server reads it.
    pub(crate) async fn command(&mut self, dialect: Dialect) -> Command {
        dialect.decode_command(&self.text().await, &Limits::default()).unwrap()
    }

    /// Says goodbye and reads until the client has done so.
    pub(crate) async fn close(mut self, frame: Option<CloseFrame>) {
        self.socket.close(frame).await.unwrap();
        while self.socket.next().await.is_some_and(|message| message.is_ok()) {}
    }
}

/// A client and the server's end of its connection.
pub(crate) async fn pair(dialect: Dialect, path: &str) -> (Client, Peer) {
    let server = Server::bind().await;
    let (client, peer) =
        tokio::join!(server.connect(path).dialect(dialect).into_future(), server.accept(Answer::TheSame));
    (client.unwrap(), peer)
}
