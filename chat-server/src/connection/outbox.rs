//! What waits to be sent to one client: whole frames, in order, within a bound.

use std::collections::VecDeque;

use bytes::Bytes;
use parking_lot::Mutex;
use tokio::sync::Notify;

use super::end::End;

/// So much waits at most for a client that reads what it has missed, besides what happens meanwhile.
const LITTLE_BYTES: usize = 64 * 1024;

/// The queue of a connection. Whoever has something for the client pushes; one writer takes.
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

#[derive(Debug, Default)]
struct Queue {
    frames: VecDeque<Bytes>,
    /// Of the frames that wait or are being written.
    bytes: usize,
    phase: Phase,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Phase {
    #[default]
    Open,
    /// What waits is still sent; nothing is taken any more.
    Finishing,
    /// Nothing is sent any more.
    CutOff,
}

/// What the writer finds.
#[derive(Debug)]
pub(super) enum Next {
    /// Frames to write.
    Frames(Vec<Bytes>),
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

    /// Adds a frame. Where as much as may wait waits already, the client is cut off: it would never catch up. One frame may
    /// go over the bound, so that a long page of history is no reason.
    pub(super) fn push(&self, frame: Bytes) {
        let mut queue = self.queue.lock();
        if queue.phase != Phase::Open {
            return;
        }
        if queue.bytes >= self.max_bytes {
            drop(queue);
            self.cut_off();
            return self.end(End::TooSlow);
        }
        queue.bytes += frame.len();
        queue.frames.push_back(frame);
        drop(queue);
        self.changed.notify_one();
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
        let mut queue = self.queue.lock();
        queue.phase = Phase::CutOff;
        queue.frames = VecDeque::new();
        drop(queue);
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

    /// Waits for the next frames, at most about `batch_bytes` of them. `written` is how many bytes were written since.
    pub(super) async fn next(&self, written: usize, batch_bytes: usize) -> Next {
        self.queue.lock().bytes -= written;
        self.drained.notify_one();
        loop {
            if let Some(next) = self.queue.lock().take(batch_bytes) {
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

impl Queue {
    fn take(&mut self, batch_bytes: usize) -> Option<Next> {
        match self.phase {
            Phase::CutOff => return Some(Next::CutOff),
            Phase::Finishing if self.frames.is_empty() => return Some(Next::Finished),
            Phase::Open if self.frames.is_empty() => return None,
            Phase::Open | Phase::Finishing => {}
        }
        let mut batch = Vec::new();
        let mut bytes = 0;
        while let Some(frame) = self.frames.pop_front() {
            bytes += frame.len();
            batch.push(frame);
            if bytes >= batch_bytes {
                break;
            }
        }
        Some(Next::Frames(batch))
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
}
