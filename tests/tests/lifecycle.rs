//! Starting, stopping, coming back; and clients that go without a word.

#![allow(clippy::expect_used, clippy::panic, reason = "helpers of tests fail as tests do")]

use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::time::Duration;

use chat_core::memory::{LocalChannelLayer, MemoryStorage};
use chat_core::{ChatService, ServiceConfig};
use chat_server::auth::GuestAuthenticator;
use chat_server::{Database, Gateway, GatewayConfig, SystemClock};
use chat_tests::PATIENCE;
use chat_tests::server::TestServer;
use chat_tests::socket::Socket;
use rustix::io::Errno;
use rustix::net::sockopt::tcp_user_timeout;
use rustix::net::{getpeername, getsockname};
use rustix::process::{PidfdFlags, PidfdGetfdFlags, getpid, pidfd_getfd, pidfd_open};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;

async fn get(server: &TestServer, path: &str) -> String {
    let mut stream = TcpStream::connect(server.address()).await.expect("the server is there");
    let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.expect("the request is sent");
    let mut answer = String::new();
    timeout(PATIENCE, stream.read_to_string(&mut answer)).await.expect("in time").expect("an answer");
    answer
}

#[tokio::test]
async fn history_survives_a_restart() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("chat.db");
    let fetch = json!({"command": "fetch_message", "roomName": "hall"});
    let server = TestServer::start_with(|config| config.database = Database::SqliteFile(path.clone())).await;
    let mut amy = server.connect("/ws/chat/hall/?username=amy&dialect=command").await;
    for text in ["one", "two"] {
        amy.send(&json!({"command": "new_message", "content": text, "roomName": "hall"})).await;
        amy.receive().await;
    }
    amy.send(&fetch).await;
    let before = amy.receive().await;
    assert_eq!(before["message"].as_array().map(Vec::len), Some(2));
    amy.close().await;
    server.stop().await;

    let server = TestServer::start_with(|config| config.database = Database::SqliteFile(path.clone())).await;
    let mut ben = server.connect("/ws/chat/hall/?username=ben&dialect=command").await;
    ben.send(&fetch).await;
    assert_eq!(ben.receive().await, before);
}

#[tokio::test]
async fn a_stop_closes_clients_with_1001_and_takes_no_new_ones() {
    let mut server = TestServer::start().await;
    let mut sockets = Vec::new();
    for dialect in ["command", "plain", "group", "remetente", "typed", "auto"] {
        sockets.push(server.connect(&format!("/ws/chat/hall/?username=amy&dialect={dialect}")).await);
    }
    sockets.push(server.connect("/ws/chat/listener/").await);
    server.begin_to_stop();
    for socket in &mut sockets {
        assert_eq!(socket.receive_close().await, 1001);
    }
    drop(sockets);
    let address = server.address();
    server.stop().await;
    assert!(TcpStream::connect(address).await.is_err(), "nobody listens any more");
}

/// The bounds of the system within which clients must take what they are sent (`TCP_USER_TIMEOUT`), in milliseconds: of all
/// connections to a server in this process.
fn system_bounds(server: &TestServer) -> Vec<u32> {
    let this = pidfd_open(getpid(), PidfdFlags::empty()).expect("this process runs");
    let mut bounds = Vec::new();
    for entry in std::fs::read_dir("/proc/self/fd").expect("descriptors are listed") {
        let name = entry.expect("they are listed").file_name();
        let number = name.to_str().and_then(|name| name.parse().ok()).expect("a number");
        let socket = match pidfd_getfd(&this, number, PidfdGetfdFlags::empty()) {
            Ok(socket) => socket,
            // It was closed meanwhile.
            Err(Errno::BADF) => continue,
            Err(error) => panic!("a process may look at its own descriptors: {error}"),
        };
        let is_of_server =
            getsockname(&socket).is_ok_and(|address| SocketAddr::try_from(address) == Ok(server.address()));
        if is_of_server && getpeername(&socket).is_ok() {
            bounds.push(tcp_user_timeout(&socket).expect("it is of TCP"));
        }
    }
    bounds
}

#[tokio::test]
async fn only_who_takes_an_answer_is_bounded_by_the_system() {
    let server = TestServer::start().await;
    let mut stream = TcpStream::connect(server.address()).await.expect("the server listens");
    stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: here\r\n\r\n").await.expect("the server reads");
    stream.read_exact(&mut [0; 12]).await.expect("the server answers");
    assert_eq!(system_bounds(&server), [30_000]);
    drop(stream);

    let mut amy = server.connect("/ws/chat/hall/?username=amy&dialect=plain").await;
    amy.send(&json!({"message": "hello"})).await;
    amy.receive().await;
    // The one before may still be there.
    assert!(system_bounds(&server).contains(&0));
}

#[tokio::test]
async fn who_still_comes_while_a_gateway_closes_is_sent_away_with_1001() {
    let (service, driver) = ChatService::new(
        MemoryStorage::new(),
        LocalChannelLayer::new(),
        SystemClock,
        ServiceConfig::default(),
    );
    let driving = tokio::spawn(driver.run());
    let gateway = Gateway::new(service, GuestAuthenticator, GatewayConfig::default());
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
    let address = listener.local_addr().expect("an address");
    // It goes on taking connections, as a router does that has other routes, too.
    let serving = tokio::spawn(axum::serve(listener, gateway.router()).into_future());
    gateway.close().await;
    for path in ["/ws/chat/hall/?dialect=typed", "/ws/chat/listener/"] {
        let mut late = Socket::open(&format!("ws://{address}{path}")).await;
        assert_eq!(late.receive_close().await, 1001);
    }
    serving.abort();
    driving.abort();
}

#[tokio::test]
async fn what_was_handed_in_before_a_stop_is_stored() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("chat.db");
    let mut server =
        TestServer::start_with(|config| config.database = Database::SqliteFile(path.clone())).await;
    let mut amy = server.connect("/ws/chat/hall/?username=amy&dialect=typed").await;
    // More than may be under way at once.
    let said = 200;
    for number in 0..said {
        amy.send(&json!({"type": "chat_message", "message": format!("m{number}")})).await;
    }
    amy.all_arrived().await;
    let mut confirmed = 0;
    // The first confirmation shows that the server is at it; then it is told to stop in the middle.
    amy.receive_where(|frame| frame["type"] == "message_sent").await;
    confirmed += 1;
    server.begin_to_stop();
    loop {
        match amy.receive_message().await {
            Message::Text(text) => {
                confirmed += usize::from(text.contains("message_sent"));
            }
            Message::Close(_) => break,
            other => panic!("{other:?}"),
        }
    }
    drop(amy);
    server.stop().await;
    assert_eq!(confirmed, said, "all that was said by then is done");

    let server = TestServer::start_with(|config| config.database = Database::SqliteFile(path.clone())).await;
    let mut ben = server.connect("/ws/chat/hall/?username=ben&dialect=command").await;
    ben.send(&json!({"command": "fetch_message", "roomName": "hall", "limit": said})).await;
    let history = ben.receive().await;
    let stored = history["message"].as_array().expect("a list");
    assert_eq!(stored.len(), confirmed, "what is confirmed is stored, and what is stored was confirmed");
    for (number, line) in stored.iter().rev().enumerate() {
        assert_eq!(line["content"], format!("m{number}"));
    }
}

#[tokio::test]
async fn a_stop_does_not_wait_for_clients_that_do_not_answer() {
    let server = TestServer::start_with(|config| config.stop_within = Duration::from_millis(100)).await;
    // A client that has shaken hands and reads nothing more.
    let mut mute = TcpStream::connect(server.address()).await.expect("the server is there");
    let handshake = "GET /ws/chat/hall/ HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
                     Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    mute.write_all(handshake.as_bytes()).await.expect("the handshake is sent");
    let mut head = [0; 12];
    mute.read_exact(&mut head).await.expect("an answer");
    assert_eq!(&head, b"HTTP/1.1 101");
    server.stop().await;
}

#[tokio::test]
async fn a_frame_that_comes_with_the_handshake_is_not_lost() {
    let server = TestServer::start().await;
    let mut watcher = server.connect("/ws/chat/hall/?username=ben&dialect=plain").await;
    let mut eager = TcpStream::connect(server.address()).await.expect("the server is there");
    let mut bytes =
        b"GET /ws/chat/hall/?username=amy&dialect=plain HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\n\
                      Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
                      Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
            .to_vec();
    for text in ["one", "two"] {
        let frame = format!(r#"{{"message":"{text}"}}"#);
        // A text frame, masked with zeros (RFC 6455, section 5.2).
        bytes.extend([0x81, 0x80 | u8::try_from(frame.len()).expect("it is short"), 0, 0, 0, 0]);
        bytes.extend(frame.as_bytes());
    }
    // All at once: the server reads the frames together with the request.
    eager.write_all(&bytes).await.expect("it is sent");
    for text in ["one", "two"] {
        assert_eq!(watcher.receive().await["message"], text);
    }
}

#[tokio::test]
async fn a_goodbye_is_answered() {
    let server = TestServer::start().await;
    let mut amy = server.connect("/ws/chat/hall/?username=amy&dialect=typed").await;
    let goodbye = CloseFrame { code: 4000.into(), reason: "bye".into() };
    amy.send_message(Message::Close(Some(goodbye.clone()))).await;
    assert_eq!(amy.receive_message().await, Message::Close(Some(goodbye)));
}

#[tokio::test]
async fn a_slow_request_keeps_nobody_from_hearing_of_a_stop() {
    let mut server = TestServer::start().await;
    let mut amy = server.connect("/ws/chat/hall/?username=amy&dialect=typed").await;
    let mut slow = TcpStream::connect(server.address()).await.expect("the server is there");
    slow.write_all(b"POST /chat/hall/ HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nx")
        .await
        .expect("half of it is sent");
    server.begin_to_stop();
    assert_eq!(amy.receive_close().await, 1001);
}

#[tokio::test]
async fn who_does_not_read_answers_does_not_hold_up_a_stop() {
    let server = TestServer::start_with(|config| {
        config.threads = NonZeroUsize::new(4).expect("not zero");
        config.stop_within = Duration::from_millis(100);
    })
    .await;
    let mut deaf = Vec::new();
    for _ in 0..16 {
        let mut socket = TcpStream::connect(server.address()).await.expect("the server is there");
        let requests = "GET /page.js HTTP/1.1\r\nHost: x\r\n\r\n".repeat(1000);
        socket.write_all(requests.as_bytes()).await.expect("they are sent");
        deaf.push(socket);
    }
    timeout(PATIENCE, server.stop()).await.expect("what takes longer is cut off");
}

#[tokio::test]
async fn a_long_page_of_history_is_no_reason_to_be_cut_off() {
    let server = TestServer::start_with(|config| config.gateway.max_queue_bytes = 16 * 1024).await;
    let mut amy = server.connect("/ws/chat/hall/?username=amy&dialect=command").await;
    for _ in 0..10 {
        let text = "\u{1}".repeat(4000);
        amy.send(&json!({"command": "new_message", "content": text, "roomName": "hall"})).await;
        amy.receive().await;
    }
    amy.send(&json!({"command": "fetch_message", "roomName": "hall"})).await;
    assert_eq!(amy.receive().await["message"].as_array().map(Vec::len), Some(10));
}

#[tokio::test]
async fn a_client_that_vanishes_goes_offline() {
    let server = TestServer::start().await;
    let mut amy = server.connect("/ws/chat/hall/?username=amy&dialect=typed").await;
    let ben = server.connect("/ws/chat/hall/?username=ben&dialect=typed").await;
    assert_eq!(amy.receive().await["is_online"], true);
    drop(ben);
    assert_eq!(amy.receive().await["is_online"], false);
}

#[tokio::test]
async fn a_client_without_a_sign_of_life_is_cut_off() {
    let server = TestServer::start_with(|config| {
        config.gateway.ping_every = Duration::from_millis(20);
        config.gateway.mute_for = Duration::from_millis(60);
    })
    .await;
    let mut amy = server.connect("/ws/chat/hall/?username=amy&dialect=typed").await;
    // Ben does not read, so that he does not answer pings.
    let _ben = server.connect("/ws/chat/hall/?username=ben&dialect=typed").await;
    assert_eq!(amy.receive().await["is_online"], true);
    assert_eq!(amy.receive().await["is_online"], false);
}

#[tokio::test]
async fn a_client_that_reads_too_slowly_is_cut_off_and_nobody_else_is() {
    let server = TestServer::start_with(|config| config.gateway.max_queue_bytes = 64 * 1024).await;
    let mut amy = server.connect("/ws/chat/hall/?username=amy&dialect=typed").await;
    let _slow = server.connect("/ws/chat/hall/?username=slow&dialect=typed").await;
    let text = "x".repeat(4000);
    let mut sent = 0;
    loop {
        amy.send(&json!({"type": "chat_message", "message": text})).await;
        sent += 1;
        // Amy hears everything, until she hears that the slow one is gone.
        let confirmation =
            amy.receive_where(|frame| frame["type"] == "message_sent" || frame["is_online"] == false).await;
        if confirmation["type"] == "user_status" {
            break;
        }
        assert!(sent < 20_000, "the buffers of the system cannot hold this much");
    }
}

#[tokio::test]
async fn health_the_page_and_unknown_paths() {
    let server = TestServer::start().await;
    assert!(get(&server, "/healthz").await.starts_with("HTTP/1.1 200"));
    let page = get(&server, "/").await;
    assert!(page.starts_with("HTTP/1.1 200") && page.contains("page.js") && page.contains("nosniff"));
    assert!(get(&server, "/page.js").await.contains("WebSocket"));
    assert!(get(&server, "/nothing").await.starts_with("HTTP/1.1 404"));
    assert!(get(&server, "/ws/chat/hall/").await.starts_with("HTTP/1.1 426"));
}
