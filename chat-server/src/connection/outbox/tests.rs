use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWrite, DuplexStream, duplex};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

use super::*;

fn frame(length: usize) -> Bytes {
    vec![0; length].into()
}

/// Frames of all lengths, many more bytes than a socket takes at once.
fn frames() -> Vec<Bytes> {
    (0_usize..3_000).map(|number| vec![number.to_le_bytes()[0]; 1 + number * 7 % 5_000].into()).collect()
}

/// A plain socket to write to, and its other end.
async fn socket() -> (Wire, TcpStream) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    let (_, write) = listener.accept().await.unwrap().0.into_split();
    (Wire::Socket(write), client)
}

/// A stream of another kind, which holds little, and its other end.
fn stream(holds: usize) -> (Wire, DuplexStream) {
    let (server, client) = duplex(holds);
    (Wire::Stream(Box::pin(server)), client)
}

/// What the task of a connection does, until it must end.
fn task(outbox: &Arc<Outbox>) -> tokio::task::JoinHandle<End> {
    let outbox = Arc::clone(outbox);
    tokio::spawn(async move { poll_fn(|cx| outbox.poll_end(cx)).await })
}

async fn all_frames_arrive(wire: Wire, mut client: impl tokio::io::AsyncRead + Unpin, every: usize) {
    let outbox = Arc::new(Outbox::new(usize::MAX));
    // What waits before there is a wire goes first.
    let frames = frames();
    outbox.push(frames[0].clone(), 1);
    outbox.write_to(wire);
    let task = task(&outbox);
    for (number, frame) in frames.iter().enumerate().skip(1) {
        if number % (2 * every) == 0 {
            outbox.send(frame, 1);
        } else {
            outbox.push(frame.clone(), 1);
        }
        if number % every == 0 {
            outbox.flush();
        }
    }
    outbox.finish();
    outbox.push(frame(1), 1);
    outbox.send(&frame(1), 1);
    let mut read = Vec::new();
    client.read_to_end(&mut read).await.unwrap();
    assert!(read == frames.concat(), "every {every}");
    let tally = outbox.tally();
    assert_eq!((tally.frames, tally.bytes, tally.waiting), (frames.len() as u64, read.len() as u64, 0));
    task.abort();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_frames_arrive_in_order_on_every_kind_of_wire() {
    for every in [1, 2, 7, 500] {
        let (wire, client) = socket().await;
        all_frames_arrive(wire, client, every).await;
        let (wire, client) = stream(1_000);
        all_frames_arrive(wire, client, every).await;
    }
}

/// What is sent while nothing waits goes without a copy, and a client whose socket takes no more is waited for.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_sent_at_once_arrives_whole_however_much_the_socket_takes() {
    let (wire, mut client) = socket().await;
    let outbox = Arc::new(Outbox::new(usize::MAX));
    outbox.write_to(wire);
    let large: Bytes = (0..50_000_000_u32).map(|number| number.to_le_bytes()[0]).collect();
    outbox.send(&frame(3), 1);
    assert_eq!(outbox.waiting_bytes(), 0);
    outbox.send(&large, 1);
    assert!((1..large.len()).contains(&outbox.waiting_bytes()));
    outbox.send(&frame(7), 1);
    outbox.finish();
    let task = task(&outbox);
    let mut read = Vec::new();
    client.read_to_end(&mut read).await.unwrap();
    assert!(read == [&frame(3)[..], &large, &frame(7)].concat());
    task.abort();
}

#[tokio::test]
async fn the_bound_counts_what_is_not_yet_written() {
    let outbox = Outbox::new(10);
    let (wire, _client) = stream(5);
    outbox.write_to(wire);
    outbox.push(frame(10), 1);
    outbox.flush();
    outbox.push(frame(1), 1);
    assert_eq!(poll_fn(|cx| outbox.poll_end(cx)).await, End::TooSlow);
    outbox.push(frame(1), 1);
    assert_eq!(outbox.queue.lock().phase, Phase::CutOff);
}

/// A stream that takes all it is given, and passes on what there is room for only when it is asked to, as one that encrypts.
struct Keeping {
    stream: DuplexStream,
    kept: Vec<u8>,
}

impl AsyncWrite for Keeping {
    fn poll_write(mut self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.kept.extend(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Self { stream, kept } = self.get_mut();
        while !kept.is_empty() {
            let passed = ready!(Pin::new(&mut *stream).poll_write(cx, kept))?;
            kept.drain(..passed);
        }
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.as_mut().poll_flush(cx))?;
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[tokio::test]
async fn what_a_stream_keeps_to_itself_is_passed_on() {
    let outbox = Arc::new(Outbox::new(usize::MAX));
    let (stream, mut client) = duplex(5);
    outbox.write_to(Wire::Stream(Box::pin(Keeping { stream, kept: Vec::new() })));
    let task = task(&outbox);
    outbox.push(frame(100), 1);
    outbox.flush();
    let read = timeout(Duration::from_secs(30), client.read_exact(&mut [0; 100])).await;
    read.expect("it does not wait for what follows").unwrap();
    task.abort();
}

#[tokio::test]
async fn who_is_cut_off_by_what_was_not_flushed_is_told() {
    let outbox = Arc::new(Outbox::new(10));
    let (wire, _client) = stream(5);
    outbox.write_to(wire);
    let task = task(&outbox);
    tokio::task::yield_now().await;
    outbox.push(frame(10), 1);
    outbox.push(frame(1), 1);
    assert_eq!(timeout(Duration::from_secs(30), task).await.expect("it is woken").unwrap(), End::TooSlow);
}

#[tokio::test]
async fn who_waits_for_room_waits_until_little_is_left() {
    let outbox = Arc::new(Outbox::new(10));
    outbox.has_room().await;
    outbox.push(frame(6), 1);
    let mut waiting = Box::pin(outbox.has_room());
    assert!(futures::poll!(waiting.as_mut()).is_pending());
    let (wire, mut client) = stream(3);
    outbox.write_to(wire);
    let task = task(&outbox);
    client.read_exact(&mut [0; 6]).await.unwrap();
    waiting.await;
    task.abort();
    outbox.push(frame(6), 1);
    outbox.cut_off();
    outbox.has_room().await;
}

#[tokio::test]
async fn work_that_waits_does_not_keep_frames_from_being_written() {
    let outbox = Outbox::new(usize::MAX);
    let (wire, mut client) = stream(100);
    outbox.write_to(wire);
    outbox.push(frame(1_000), 1);
    outbox.flush();
    let read = outbox.beside(Box::pin(async move {
        let mut read = [1; 1_000];
        client.read_exact(&mut read).await.unwrap();
        read
    }));
    assert_eq!(read.await, [0; 1_000]);
}

#[tokio::test]
async fn what_was_not_flushed_is_no_reason_to_cut_off() {
    let (wire, mut client) = socket().await;
    let outbox = Outbox::new(10);
    outbox.write_to(wire);
    for _ in 0..100 {
        outbox.push(frame(10), 1);
    }
    outbox.flush();
    let mut read = vec![1; 1_000];
    client.read_exact(&mut read).await.unwrap();
    assert_eq!(read, vec![0; 1_000]);
}

#[tokio::test]
async fn who_does_not_read_is_cut_off() {
    let (wire, client) = socket().await;
    let outbox = Outbox::new(1_000_000);
    outbox.write_to(wire);
    // More than the system's buffers hold.
    for _ in 0..500 {
        outbox.push(frame(100_000), 1);
        outbox.flush();
    }
    assert_eq!(poll_fn(|cx| outbox.poll_end(cx)).await, End::TooSlow);
    drop(client);
}

#[tokio::test]
async fn a_broken_wire_ends_the_connection() {
    let ((socket, client), (stream, other)) = (socket().await, stream(10));
    drop((client, other));
    for wire in [socket, stream] {
        let outbox = Arc::new(Outbox::new(1_000_000));
        outbox.write_to(wire);
        let task = task(&outbox);
        while !task.is_finished() {
            outbox.push(frame(1), 1);
            outbox.flush();
            tokio::task::yield_now().await;
        }
        assert_eq!(task.await.unwrap(), End::Broken);
    }
}
