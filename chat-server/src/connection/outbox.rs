//! What waits to be sent to one client: whole frames, in order, within a bound.
//!
//! Whoever has something for the client pushes it, and flushes: that writes straight to the socket, on the thread of whoever
//! does it, with no task to wake. Only where the socket takes no more, the connection's own [writer](super::writer) is
//! woken, and waits until it does.

mod queue;

use std::sync::Arc;

use bytes::Bytes;
use parking_lot::Mutex;
use tokio::net::tcp::OwnedWriteHalf;
use tokio::sync::Notify;

use super::end::End;
use queue::{Flushed, Phase, Queue};

/// So much waits at most for a client that reads what it has missed, besides what happens meanwhile.
const LITTLE_BYTES: usize = 64 * 1024;

/// The queue of a connection.
#[derive(Debug)]
pub(crate) struct Outbox {
    queue: Mutex<Queue>,
    max_bytes: usize,
    /// Wakes the writer.
    changed: Notify,
    /// Wakes whoever waits for room.
    drained: Notify,
    /// Why the connection must end, once it must.
    end: Mutex<Option<End>>,
    /// Wakes the reader when it must.
    ended: Notify,
}

/// What the writer finds.
#[derive(Debug)]
pub(super) enum Next {
    /// Frames to write.
    Frames(Vec<Bytes>),
    /// The socket takes no more for now: wait until it does, and flush.
    Wait(Arc<OwnedWriteHalf>),
    /// Everything is written, and there will be no more.
    Finished,
    /// Stop at once.
    CutOff,
}

impl Outbox {
    pub(super) fn new(max_bytes: usize) -> Self {
        Self {
            queue: Mutex::default(),
            max_bytes,
            changed: Notify::new(),
            drained: Notify::new(),
            end: Mutex::default(),
            ended: Notify::new(),
        }
    }

    /// Writes to this socket from now on, beginning with what waits. Without one, everything waits for the writer.
    pub(super) fn write_to(&self, socket: OwnedWriteHalf) {
        self.queue.lock().socket = Some(Arc::new(socket));
        self.flush();
    }

    /// Adds a frame, to be flushed. Where as much as may wait waits already, the client is cut off: it would never catch up.
    /// One frame may go over the bound, so that a long page of history is no reason.
    pub(super) fn push(&self, frame: Bytes) {
        let mut queue = self.queue.lock();
        if queue.phase != Phase::Open {
            return;
        }
        if queue.bytes >= self.max_bytes {
            // It may only not have been flushed yet.
            let flushed = queue.flush();
            if queue.bytes >= self.max_bytes {
                drop(queue);
                self.cut_off();
                return self.end(End::TooSlow);
            }
            queue.add(frame);
            drop(queue);
            return self.after(flushed);
        }
        queue.add(frame);
    }

    /// Lets what waits go, as far as the socket takes it.
    pub(super) fn flush(&self) {
        let flushed = self.queue.lock().flush();
        self.after(flushed);
    }

    /// As [`flush`](Self::flush), for the writer that has waited for the socket to take more.
    pub(super) fn resume(&self) {
        let flushed = self.queue.lock().resume();
        self.after(flushed);
    }

    fn after(&self, flushed: Flushed) {
        match flushed {
            Flushed::All => self.drained.notify_one(),
            Flushed::Blocked | Flushed::Finished => self.changed.notify_one(),
            Flushed::Waiting => {}
            Flushed::Broken => {
                self.cut_off();
                self.end(End::Broken);
            }
        }
    }

    /// Takes no more; what waits is still sent.
    pub(super) fn finish(&self) {
        let mut queue = self.queue.lock();
        if queue.phase == Phase::Open {
            queue.phase = Phase::Finishing;
        }
        drop(queue);
        self.changed.notify_one();
    }

    /// Drops what waits, and stops the writer.
    pub(super) fn cut_off(&self) {
        self.queue.lock().cut_off();
        self.changed.notify_one();
        self.drained.notify_one();
    }

    /// Asks the reader to end the connection. The first reason counts.
    pub(super) fn end(&self, end: End) {
        self.end.lock().get_or_insert(end);
        self.ended.notify_one();
    }

    /// Waits until the connection must end, and tells why.
    pub(super) async fn ended(&self) -> End {
        loop {
            if let Some(end) = *self.end.lock() {
                return end;
            }
            self.ended.notified().await;
        }
    }

    /// Waits until there is something for the writer to do; gives at most about `batch_bytes` of frames. `written` is how many
    /// bytes of those that it was given were written since.
    pub(super) async fn next(&self, written: usize, batch_bytes: usize) -> Next {
        self.queue.lock().bytes -= written;
        self.drained.notify_one();
        loop {
            if let Some(next) = self.queue.lock().next(batch_bytes) {
                return next;
            }
            self.changed.notified().await;
        }
    }

    /// Waits until little is left to be written, or nothing will be any more. One caller at a time.
    pub(super) async fn has_room(&self) {
        let little = LITTLE_BYTES.min(self.max_bytes / 2);
        loop {
            {
                let queue = self.queue.lock();
                if queue.bytes <= little || queue.phase == Phase::CutOff {
                    return;
                }
            }
            self.drained.notified().await;
        }
    }

    /// Waits until the connection is cut off.
    pub(super) async fn is_cut_off(&self) {
        while self.queue.lock().phase != Phase::CutOff {
            self.changed.notified().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(length: usize) -> Bytes {
        vec![0; length].into()
    }

    async fn next_lengths(outbox: &Outbox, written: usize) -> Vec<usize> {
        match outbox.next(written, 10).await {
            Next::Frames(frames) => frames.iter().map(Bytes::len).collect(),
            other => unreachable!("{other:?}"),
        }
    }

    #[tokio::test]
    async fn frames_come_out_in_order_and_in_batches() {
        let outbox = Outbox::new(100);
        for length in [4, 5, 6, 7] {
            outbox.push(frame(length));
        }
        outbox.finish();
        outbox.push(frame(1));
        assert_eq!(next_lengths(&outbox, 0).await, [4, 5, 6]);
        assert_eq!(next_lengths(&outbox, 15).await, [7]);
        assert!(matches!(outbox.next(7, 10).await, Next::Finished));
    }

    #[tokio::test]
    async fn the_bound_counts_what_is_not_yet_written() {
        let outbox = Outbox::new(10);
        outbox.push(frame(10));
        assert_eq!(next_lengths(&outbox, 0).await, [10]);
        outbox.push(frame(1));
        assert_eq!(outbox.ended().await, End::TooSlow);
        assert!(matches!(outbox.next(10, 10).await, Next::CutOff));
    }

    #[tokio::test]
    async fn who_waits_for_room_waits_until_little_is_left() {
        let outbox = Outbox::new(10);
        outbox.has_room().await;
        outbox.push(frame(6));
        let mut waiting = Box::pin(outbox.has_room());
        assert!(futures::poll!(waiting.as_mut()).is_pending());
        assert_eq!(next_lengths(&outbox, 0).await, [6]);
        assert!(futures::poll!(waiting.as_mut()).is_pending(), "it is not written yet");
        let next = outbox.next(6, 10);
        assert!(futures::poll!(Box::pin(next)).is_pending());
        waiting.await;
        outbox.push(frame(6));
        outbox.cut_off();
        outbox.has_room().await;
    }

    #[tokio::test]
    async fn written_bytes_make_room() {
        let outbox = Outbox::new(10);
        outbox.push(frame(10));
        assert_eq!(next_lengths(&outbox, 0).await, [10]);
        let next = outbox.next(10, 10);
        outbox.push(frame(10));
        assert!(matches!(next.await, Next::CutOff | Next::Frames(_)));
    }

    /// Both ends of a connection.
    async fn connection() -> (tokio::net::TcpStream, tokio::net::TcpStream) {
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let client = tokio::net::TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        (listener.accept().await.unwrap().0, client)
    }

    /// Frames of all lengths, many more bytes than a socket takes at once.
    fn frames() -> Vec<Bytes> {
        (0_usize..3_000).map(|number| vec![number.to_le_bytes()[0]; 1 + number * 7 % 5_000].into()).collect()
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_socket_gets_what_the_writer_would_write() {
        for every in [1, 7, 500] {
            let (server, mut client) = connection().await;
            let outbox = Arc::new(Outbox::new(usize::MAX));
            // What waits before there is a socket goes first.
            let frames = frames();
            outbox.push(frames[0].clone());
            let (_read, write) = server.into_split();
            outbox.write_to(write);
            let writer = tokio::spawn({
                let outbox = Arc::clone(&outbox);
                async move { crate::connection::writer::run(&outbox, None::<tokio::io::Sink>).await }
            });
            for (number, frame) in frames.iter().enumerate().skip(1) {
                outbox.push(frame.clone());
                if number % every == 0 {
                    outbox.flush();
                }
            }
            outbox.finish();
            let mut read = Vec::new();
            tokio::io::AsyncReadExt::read_to_end(&mut client, &mut read).await.unwrap();
            assert!(read == frames.concat(), "every {every}");
            writer.await.unwrap();
        }
    }

    #[tokio::test]
    async fn what_was_not_flushed_is_no_reason_to_cut_off() {
        let (server, mut client) = connection().await;
        let outbox = Outbox::new(10);
        let (_read, write) = server.into_split();
        outbox.write_to(write);
        for _ in 0..100 {
            outbox.push(frame(10));
        }
        outbox.flush();
        let mut read = vec![1; 1_000];
        tokio::io::AsyncReadExt::read_exact(&mut client, &mut read).await.unwrap();
        assert_eq!(read, vec![0; 1_000]);
    }

    #[tokio::test]
    async fn who_does_not_read_is_cut_off() {
        let (server, client) = connection().await;
        let outbox = Outbox::new(1_000_000);
        let (_read, write) = server.into_split();
        outbox.write_to(write);
        // More than the system's buffers hold.
        for _ in 0..500 {
            outbox.push(frame(100_000));
            outbox.flush();
        }
        assert_eq!(outbox.ended().await, End::TooSlow);
        drop(client);
    }
}
