//! A client that never ceases to send.

#![allow(clippy::unwrap_used, reason = "what cannot be set up fails the test")]

use std::convert::Infallible;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use chat_core::memory::LocalChannelLayer;
use chat_core::{Arrival, ChatService, Delivery, Identity, ServiceConfig, Target, Transport};
use chat_protocol::{Event, RoomName};
use chat_server::storage::SqliteStorage;
use chat_server::{GatewayConfig, SystemClock, router};
use http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncReadExt, ReadBuf, join, sink};
use tokio::sync::mpsc;
use tokio::task::coop;
use tokio::time::timeout;
use tower::ServiceExt;

/// More than anything here takes.
const PATIENCE: Duration = Duration::from_mins(1);

const HANDSHAKE: &[u8] =
    b"GET /ws/chat/harbour/?dialect=plain HTTP/1.1\r\nHost: here\r\nUpgrade: websocket\r\n\
    Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";

/// A masked frame of text; the mask changes nothing.
const HELLO: &[u8] = b"\x81\x94\0\0\0\0{\"message\": \"hello\"}";

const PONG: &[u8] = b"\x8a\x80\0\0\0\0";

/// The beginning of a message that comes in pieces, and a piece with nothing in it.
const BEGINNING: &[u8] = b"\x01\x80\0\0\0\0";
const PIECE: &[u8] = b"\x00\x80\0\0\0\0";

/// What a client sends that shakes hands, says something, and then sends the same for as long as anybody reads.
///
/// As a socket of tokio does, it lets a task take only so much before others have their turn.
#[derive(Debug)]
struct Flood<R> {
    first: R,
    then: &'static [u8],
}

impl<R: AsyncRead + Unpin> AsyncRead for Flood<R> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let turn = ready!(coop::poll_proceed(cx));
        let Self { first, then } = self.get_mut();
        let before = bytes.filled().len();
        ready!(Pin::new(first).poll_read(cx, bytes))?;
        if bytes.filled().len() == before {
            bytes.put_slice(then);
        }
        turn.made_progress();
        Poll::Ready(Ok(()))
    }
}

/// Somebody in the same room.
#[derive(Debug)]
struct Ear(mpsc::UnboundedSender<String>);

impl Transport for Ear {
    fn deliver(&self, delivery: &Delivery<'_>) {
        for event in delivery.events() {
            if let Event::MessagePosted(posted) = event {
                drop(self.0.send(posted.message.text.to_string()));
            }
        }
    }
}

async fn serve(flood: impl AsyncRead + Unpin + Send + 'static, router: Router) {
    let service = service_fn(move |request: Request<Incoming>| {
        let router = router.clone();
        async move { Ok::<_, Infallible>(router.oneshot(request.map(Body::new)).await.unwrap()) }
    });
    let stream = TokioIo::new(join(flood, sink()));
    http1::Builder::new().serve_connection(stream, service).with_upgrades().await.unwrap();
}

/// Others hear what a client said before it began to send this without end.
async fn is_heard(said: &'static [u8], then: &'static [u8]) {
    let storage = SqliteStorage::in_memory().await.unwrap();
    let (service, driver) =
        ChatService::new(storage, LocalChannelLayer::new(), SystemClock, ServiceConfig::default());
    tokio::spawn(driver.run());
    let (ear, mut heard) = mpsc::unbounded_channel();
    let _listener = service
        .connect(Arrival {
            identity: Identity::Guest { name: None },
            target: Target::Room(RoomName::new("harbour").unwrap().into()),
            behavior: None,
            transport: Arc::new(Ear(ear)),
        })
        .await
        .unwrap();
    let flood = Flood { first: HANDSHAKE.chain(HELLO).chain(said), then };
    tokio::spawn(serve(flood, router(service.clone(), GatewayConfig::default())));
    assert_eq!(timeout(PATIENCE, heard.recv()).await.unwrap().unwrap(), "hello");
}

#[tokio::test]
async fn what_is_said_before_pongs_without_end_is_heard() {
    is_heard(PONG, PONG).await;
}

#[tokio::test]
async fn what_is_said_before_a_message_without_end_is_heard() {
    is_heard(BEGINNING, PIECE).await;
}
