//! A client that is closed while something is under way.

use super::*;

#[tokio::test]
async fn closing_waits_for_confirmations() {
    let server = Server::bind().await;
    let mut client = client_of(&server, Dialect::Typed);
    let mut peer = meet(&mut client, &server).await;
    let mark = client.sender().send_text("hi").await.unwrap();
    let serve = async {
        assert_eq!(send(&mut peer, Dialect::Typed).await.client_id.as_ref(), Some(&mark));
        peer.send(&confirmation(1, mark.as_str())).await;
        assert!(matches!(peer.socket.next().await, Some(Ok(Message::Close(Some(_))))));
        assert!(peer.socket.next().await.is_none());
    };
    let (closed, ()) = tokio::join!(client.close(), serve);
    closed.unwrap();
}

#[tokio::test]
async fn closing_does_not_wait_for_what_nobody_confirms() {
    let server = Server::bind().await;
    let mut client = client_of(&server, Dialect::Typed);
    let mut peer = meet(&mut client, &server).await;
    client.sender().set_typing(true).await.unwrap();
    let serve = async {
        assert_eq!(peer.command(Dialect::Typed).await, Command::SetTyping { is_typing: true });
        assert!(matches!(peer.socket.next().await, Some(Ok(Message::Close(Some(_))))));
        assert!(peer.socket.next().await.is_none());
    };
    let (closed, ()) = tokio::join!(client.close(), serve);
    closed.unwrap();
}

/// More than a socket takes at once, so that a second one waits for the first.
const LONG: usize = 7 * 1024 * 1024;

/// A client that has two long things to say that nobody confirms.
async fn verbose(server: &Server) -> (ReconnectingClient, Peer) {
    let limits = Limits { max_text_chars: LONG };
    let connect = server.connect(PATH).dialect(Dialect::Group).limits(limits);
    let mut client = connect.reconnect(quick()).unwrap();
    let peer = meet(&mut client, server).await;
    for _ in 0..2 {
        client.sender().notify(Username::new("bob").unwrap(), &"x".repeat(LONG)).await.unwrap();
    }
    (client, peer)
}

#[tokio::test]
async fn closing_tells_what_is_lost() {
    let server = Server::bind().await;
    let (client, mut peer) = verbose(&server).await;
    let serve = tokio::spawn(async move {
        // The first one is under way when the connection breaks; the second one is sent on the next.
        peer.socket.get_mut().read_exact(&mut [0; 1000]).await.unwrap();
        drop(peer);
        let mut peer = server.accept(Answer::TheSame).await;
        assert!(peer.text().await.len() > LONG);
        assert!(matches!(peer.socket.next().await, Some(Ok(Message::Close(Some(_))))));
        assert!(peer.socket.next().await.is_none());
    });
    client.close().await.unwrap_err();
    serve.await.unwrap();
}

#[tokio::test]
async fn closing_waits_until_all_is_written() {
    let server = Server::bind().await;
    let (client, mut peer) = verbose(&server).await;
    let text = "x".repeat(LONG);
    let serve = async {
        for _ in 0..2 {
            assert!(peer.text().await.contains(&text));
        }
        assert!(matches!(peer.socket.next().await, Some(Ok(Message::Close(Some(_))))));
        assert!(peer.socket.next().await.is_none());
    };
    let (closed, ()) = tokio::join!(client.close(), serve);
    closed.unwrap();
}

#[tokio::test]
async fn closing_tells_what_is_not_confirmed() {
    let server = Server::bind().await;
    let mut client = client_of(&server, Dialect::Typed);
    let _peer = meet(&mut client, &server).await;
    client.sender().send_text("hi").await.unwrap();
    tokio::time::pause();
    let error = client.close().await.unwrap_err();
    assert!(error.to_string().contains("1 sends"), "{error}");
}
