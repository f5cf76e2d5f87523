//! What the client asks for, and what it makes of the answer.

use std::time::Duration;

use chat_client::{Client, ClientError, Dialect, Event, Limits, Since, Username};
use futures::StreamExt;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use crate::server::{Answer, Server};

/// The client's request, and what it makes of the answer to it.
async fn answered(answer: impl FnOnce(&str) -> Vec<u8>) -> (String, Result<Client, ClientError>) {
    let server = Server::bind().await;
    let serve = async {
        let (mut stream, _) = server.listener.accept().await.unwrap();
        let mut request = Vec::new();
        while !request.ends_with(b"\r\n\r\n") {
            stream.read_buf(&mut request).await.unwrap();
        }
        let request = String::from_utf8(request).unwrap();
        stream.write_all(&answer(&request)).await.unwrap();
        request
    };
    let (client, request) = tokio::join!(server.connect("/ws/chat/testroom/").into_future(), serve);
    (request, client)
}

async fn refused(answer: &str) -> (String, ClientError) {
    let (request, client) = answered(|_| answer.into()).await;
    (request, client.unwrap_err())
}

#[tokio::test]
async fn the_dialect_and_the_guest_are_in_the_request() {
    let cases = [
        (Dialect::Command, "/ws/chat/testroom/?username=amy%20lee"),
        (Dialect::Group, "/ws/chat/testroom/?username=amy%20lee"),
        (Dialect::Typed, "/ws/chat/testroom/?username=amy%20lee"),
        (Dialect::Remetente, "/ws/chat/testroom/?user=amy%20lee"),
        (Dialect::Plain, "/ws/chat/testroom/?username=amy%20lee"),
    ];
    for (dialect, expected) in cases {
        let server = Server::bind().await;
        let connect =
            server.connect("/ws/chat/testroom/").dialect(dialect).user(Username::new("amy lee").unwrap());
        let (client, peer) = tokio::join!(connect.into_future(), server.accept(Answer::TheSame));
        assert!(client.is_ok(), "{client:?}");
        assert_eq!(peer.uri.to_string(), expected);
        assert_eq!(peer.subprotocol, format!("chat.{dialect}"));
    }
}

#[tokio::test]
async fn a_server_without_subprotocols_will_do() {
    let server = Server::bind().await;
    let (client, mut peer) =
        tokio::join!(server.connect("/ws/chat/testroom/").into_future(), server.accept(Answer::None));
    client.unwrap().sender().send_text("hello").await.unwrap();
    assert_eq!(peer.text().await, r#"{"type":"chat_message","message":"hello"}"#);
}

#[tokio::test]
async fn a_server_that_picks_another_subprotocol_will_not() {
    let server = Server::bind().await;
    let (client, _peer) = tokio::join!(
        server.connect("/ws/chat/testroom/").into_future(),
        server.accept(Answer::Another("chat.plain"))
    );
    let error = client.unwrap_err();
    assert!(!error.is_refused() && !error.is_retryable(), "{error:?}");
}

#[tokio::test]
async fn frames_that_come_with_the_answer_are_not_lost() {
    const EVENT: &str = r#"{"type":"messages_marked_read","room_id":1}"#;
    let (_, client) = answered(|request| {
        let (_, rest) = request.split_once("Sec-WebSocket-Key: ").unwrap();
        let key = derive_accept_key(rest.lines().next().unwrap().as_bytes());
        let mut answer = format!(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: WebSocket\r\nConnection: keep-alive, upgrade\r\n\
             Sec-WebSocket-Accept: {key}\r\n\r\n"
        )
        .into_bytes();
        answer.extend([0x81, u8::try_from(EVENT.len()).unwrap()]);
        answer.extend(EVENT.bytes());
        answer
    })
    .await;
    assert!(matches!(client.unwrap().next().await, Some(Ok(Event::MessagesRead(_)))));
}

#[tokio::test]
async fn a_refusal_shows_its_status() {
    let cases = [
        ("1.1 403 Forbidden", 403, false),
        ("1.1 404 Not Found", 404, false),
        ("1.1 302 Found", 302, false),
        ("1.1 429 Too Many Requests", 429, true),
        ("1.1 503 Service Unavailable", 503, true),
        // As some gateways say that nobody is behind them.
        ("1.0 503 Service Unavailable", 503, true),
    ];
    for (line, status, retryable) in cases {
        let (_, error) = refused(&format!("HTTP/{line}\r\nContent-Length: 2\r\n\r\nno")).await;
        assert!(error.is_refused());
        assert_eq!(error.status(), Some(status));
        assert_eq!(error.is_retryable(), retryable, "{status}");
        assert!(!error.is_closed() && !error.is_invalid_command());
    }
}

#[tokio::test]
async fn what_is_no_websocket_is_told() {
    let cases = [
        "HTTP/1.1 101 Switching Protocols\r\n\r\n",
        "HTTP/1.0 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n",
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
        "HTTP/1.1 101 S\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: x\r\n\r\n",
        "SSH-2.0-OpenSSH\r\n\r\n",
    ];
    for answer in cases {
        let (request, error) = refused(answer).await;
        assert!(request.starts_with("GET /ws/chat/testroom/ HTTP/1.1\r\n"), "{request}");
        assert!(!error.is_refused() && !error.is_closed() && !error.is_retryable(), "{error:?}");
        assert!(std::error::Error::source(&error).is_some());
    }
}

#[tokio::test]
async fn a_server_that_goes_in_the_middle_of_its_answer_may_come_back() {
    for answer in ["", "HTTP/1.1 101 Switch"] {
        let (_, error) = refused(answer).await;
        assert!(error.is_retryable() && !error.is_refused(), "{error:?}");
    }
}

#[tokio::test]
async fn tokens_and_cookies_are_in_the_headers_and_not_in_what_is_shown() {
    let server = Server::bind().await;
    let connect = server.connect("/ws/chat/testroom/").token("s3cret").cookie("sessionid=s3cret");
    assert!(!format!("{connect:?}").contains("s3cret"));
    let serve = async {
        let (mut stream, _) = server.listener.accept().await.unwrap();
        let mut request = Vec::new();
        while !request.ends_with(b"\r\n\r\n") {
            stream.read_buf(&mut request).await.unwrap();
        }
        String::from_utf8(request).unwrap().to_lowercase()
    };
    let (_, request) = tokio::join!(connect.into_future(), serve);
    assert!(request.contains("authorization: bearer s3cret\r\n"), "{request}");
    assert!(request.contains("cookie: sessionid=s3cret\r\n"), "{request}");

    let error = server.connect("/r/").token("a\nb").await.unwrap_err();
    assert!(!error.is_retryable() && std::error::Error::source(&error).is_some(), "{error:?}");
}

#[tokio::test]
async fn where_to_begin_is_in_the_query() {
    let server = Server::bind().await;
    let connect = server.connect("/ws/chat/testroom/").since(Since::beginning());
    let (client, peer) = tokio::join!(connect.into_future(), server.accept(Answer::TheSame));
    assert!(client.is_ok(), "{client:?}");
    assert_eq!(peer.uri.to_string(), "/ws/chat/testroom/?since=0");
}

#[tokio::test]
async fn an_endless_answer_is_not_read_to_the_end() {
    let (_, error) = refused(&format!("HTTP/1.1 101 S\r\nX: {}", "x".repeat(17 * 1024))).await;
    assert!(!error.is_retryable(), "{error:?}");
}

#[tokio::test]
async fn a_server_that_is_not_there_may_come_back() {
    let server = Server::bind().await;
    let connect = server.connect("/ws/chat/testroom/");
    drop(server);
    let error = connect.await.unwrap_err();
    assert!(error.is_retryable() && !error.is_refused(), "{error:?}");
}

#[tokio::test(start_paused = true)]
async fn a_server_that_does_not_answer_is_given_up() {
    let server = Server::bind().await;
    let error = server.connect("/r/").timeout(Duration::from_secs(3)).await.unwrap_err();
    assert!(error.is_retryable(), "{error:?}");
}

#[tokio::test]
async fn limits_are_those_of_the_builder() {
    let server = Server::bind().await;
    let connect = server.connect("/ws/chat/testroom/").limits(Limits { max_text_chars: 3 });
    let (client, _peer) = tokio::join!(connect.into_future(), server.accept(Answer::TheSame));
    assert!(client.unwrap().sender().send_text("four").await.unwrap_err().is_invalid_command());
}
