//! A link whose peer does not read.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Wake, Waker};

use chat_protocol::{ClientId, Dialect, ErrorCode, Event, Limits, MessageText, Refusal, SendMessage};
use futures::StreamExt;
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::tungstenite::handshake::server::{ErrorResponse, Request, Response};
use tokio_tungstenite::tungstenite::http::{HeaderMap, HeaderValue};
use tokio_tungstenite::{WebSocketStream, accept_hdr_async};

use super::*;
use crate::reconnect::backoff::Backoff;
use crate::reconnect::marks::Marks;
use crate::reconnect::outbox::Draft;
use crate::since::Since;

const DELAY: Duration = Duration::from_millis(100);
const SUBPROTOCOL: &str = "chat.typed";

/// Counts how often its task is woken.
#[derive(Debug, Default)]
struct Wakes(AtomicUsize);

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

#[expect(clippy::result_large_err, clippy::unnecessary_wraps, reason = "the library's callback wants it so")]
fn agree(_: &Request, mut response: Response) -> Result<Response, ErrorResponse> {
    response.headers_mut().insert("sec-websocket-protocol", HeaderValue::from_static(SUBPROTOCOL));
    Ok(response)
}

async fn pair() -> (Link, WebSocketStream<TcpStream>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let host = listener.local_addr().unwrap().to_string();
    let uri = format!("ws://{host}/").parse().unwrap();
    let accept = async { accept_hdr_async(listener.accept().await.unwrap().0, agree).await.unwrap() };
    let open = Connection::open(&host, uri, SUBPROTOCOL, HeaderMap::new(), 1024);
    let (connection, peer) = tokio::join!(open, accept);
    (Link::new(connection.unwrap(), Duration::from_mins(1), Instant::now()), peer)
}

/// Longer than what a socket takes of a few.
fn long_frame() -> String {
    "x".repeat(256 * 1024)
}

/// A long message, whatever its text.
fn draft(mark: &ClientId) -> Draft {
    let text = MessageText::new("hi", &Limits::default()).unwrap();
    let send = SendMessage { room: None, text, claimed_sender: None, client_id: Some(mark.clone()) };
    Draft { frame: long_frame(), send: Some(send) }
}

fn course(marks: &Arc<Marks>) -> Course<()> {
    let backoff = Backoff::new(DELAY, DELAY, 1);
    let mut course = Course::new(Dialect::Typed.behavior(), backoff, Since::beginning(), Arc::clone(marks));
    course.connected(Instant::now().into_std());
    course
}

/// Says something until the link cannot get rid of it. Gives what it has written before.
fn fill(link: &mut Link, course: &mut Course<()>, marks: &Marks) -> Vec<ClientId> {
    let mut said = Vec::new();
    while link.unsent.is_none() {
        said.push(marks.make());
        course.say(draft(&said[said.len() - 1]), ());
        assert!(link.poll(course, &mut Context::from_waker(Waker::noop())).is_pending());
    }
    said.pop();
    said
}

#[tokio::test]
async fn what_is_due_waits_for_the_socket() {
    let (mut link, mut peer) = pair().await;
    let marks = Arc::new(Marks::default());
    let mut course = course(&marks);
    // Not held back by the runtime's own fairness: only the socket is to hold it up.
    let filling = poll_fn(|_| Poll::Ready(fill(&mut link, &mut course, &marks)));
    let written = tokio::task::unconstrained(filling).await;

    tokio::time::pause();
    for mark in &written {
        let refusal = Refusal { client_id: Some(mark.clone()), ..Refusal::new(ErrorCode::Unavailable) };
        course.hear(Event::Refused(refusal), Instant::now().into_std(), &mut VecDeque::new());
    }
    tokio::time::advance(DELAY).await;
    let counter = Arc::new(Wakes::default());
    let waker = Waker::from(Arc::clone(&counter));
    assert!(link.poll(&mut course, &mut Context::from_waker(&waker)).is_pending());
    assert!(link.unsent.is_some() && course.wakes_at().unwrap() <= Instant::now().into_std());
    assert_eq!(counter.0.load(Ordering::Relaxed), 0, "it waits for the socket alone");

    // And once that takes more, all goes out.
    tokio::time::resume();
    let read = async {
        for _ in 0..=2 * written.len() {
            assert!(peer.next().await.unwrap().unwrap().is_text());
        }
    };
    tokio::select! {
        heard = poll_fn(|cx| link.poll(&mut course, cx)) => panic!("{heard:?}"),
        () = read => {}
    }
    assert_eq!(course.wakes_at(), None);
}

#[tokio::test]
async fn what_no_connection_has_taken_is_sent_on_the_next() {
    let (mut link, peer) = pair().await;
    let mut course = course(&Arc::default());
    let mut said = 0;
    let filling = poll_fn(|_| {
        // Nobody confirms these.
        while link.unsent.is_none() {
            course.say(Draft { frame: format!("{said}{}", long_frame()), send: None }, ());
            said += 1;
            assert!(link.poll(&mut course, &mut Context::from_waker(Waker::noop())).is_pending());
        }
        Poll::Ready(())
    });
    tokio::task::unconstrained(filling).await;
    assert!(link.may_lose(), "what was said before the last one");
    drop(peer);
    poll_fn(|cx| link.poll(&mut course, cx)).await.unwrap_err();
    course.connected(Instant::now().into_std());
    let frame = course.next_frame(Instant::now().into_std()).unwrap();
    assert!(frame.starts_with(&format!("{}x", said - 1)), "the last one, and none before");
    assert_eq!(course.next_frame(Instant::now().into_std()), None);
}
