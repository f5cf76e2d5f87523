//! What waits to be sent to one client: whole frames, in order, within a bound.
//!
//! Whoever has something for the client pushes it, and flushes: that writes straight to the socket, on the thread of whoever
//! does it, with no task to wake. Only where the socket takes no more, the connection's own task is woken, which writes
//! the rest when it does.

mod queue;
mod wire;

use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use parking_lot::{Mutex, MutexGuard};

use super::end::{End, Farewell};
use crate::metrics::Tally;
use queue::{Phase, Queue};
pub(super) use wire::Wire;

/// So much waits at most for a client that reads what it has missed, besides what happens meanwhile.
const LITTLE_BYTES: usize = 64 * 1024;

/// The queue of a connection.
#[derive(Debug)]
pub(crate) struct Outbox {
    queue: Mutex<Queue>,
    max_bytes: usize,
}

impl Outbox {
    pub(super) fn new(max_bytes: usize) -> Self {
        Self { queue: Mutex::default(), max_bytes }
    }

    /// Writes to this wire from now on, beginning with what waits.
    pub(super) fn write_to(&self, wire: Wire) {
        self.queue.lock().wire = Some(wire);
        self.flush();
    }

    /// Adds frames, one behind the other, to be flushed. Where as much as may wait waits already, the client is cut off: it
    /// would never catch up. What is added at once may go over the bound, so that a long page of history is no reason.
    pub(super) fn push(&self, frames: Bytes, count: usize) {
        let mut queue = self.queue.lock();
        let woken = self.add(&mut queue, frames, count);
        drop(queue);
        wake(woken);
    }

    fn add(&self, queue: &mut Queue, frames: Bytes, count: usize) -> Option<Waker> {
        if queue.phase != Phase::Open {
            return None;
        }
        // It may only not have been flushed yet.
        let woken = if queue.bytes < self.max_bytes { None } else { queue.flush() };
        if queue.bytes < self.max_bytes {
            queue.add(frames, count);
            return woken;
        }
        queue.cut_off();
        let ended = queue.end(End::TooSlow);
        // Flushing has taken the waker, where there was one.
        woken.or(ended)
    }

    /// [Adds](Self::push) frames, and [lets go](Self::flush) what waits. Where nothing does, they go straight to the socket.
    pub(super) fn send(&self, frames: &Bytes, count: usize) {
        let mut queue = self.queue.lock();
        let is_sent = queue.send_at_once(frames, count);
        if is_sent && queue.bytes == 0 {
            return;
        }
        let woken = if is_sent { None } else { self.add(&mut queue, frames.clone(), count) };
        self.flush_locked(queue);
        wake(woken);
    }

    /// Lets what waits go, as far as the socket takes it.
    pub(super) fn flush(&self) {
        self.flush_locked(self.queue.lock());
    }

    fn flush_locked(&self, mut queue: MutexGuard<'_, Queue>) {
        let woken = queue.flush();
        let waiting = self.take_waiting(&mut queue);
        drop(queue);
        wake(woken);
        wake(waiting);
    }

    /// Parts from the client as the end asks for it, and takes no more. The first goodbye counts: nothing may follow a close
    /// frame (RFC 6455, section 5.5.1).
    pub(super) fn say_goodbye(&self, end: End) {
        match end.farewell() {
            Farewell::None => return self.cut_off(),
            Farewell::Answered => {}
            Farewell::Close(frame) => self.push(frame, 1),
        }
        self.finish();
    }

    /// Whether nothing is sent any more.
    pub(super) fn is_cut_off(&self) -> bool {
        self.queue.lock().phase == Phase::CutOff
    }

    /// Takes no more; what waits is still sent.
    fn finish(&self) {
        let mut queue = self.queue.lock();
        if queue.phase == Phase::Open {
            queue.phase = Phase::Finishing;
        }
        let woken = queue.task.take();
        drop(queue);
        wake(woken);
    }

    /// Drops what waits: nothing is sent any more.
    pub(super) fn cut_off(&self) {
        let mut queue = self.queue.lock();
        queue.cut_off();
        let waiting = self.take_waiting(&mut queue);
        drop(queue);
        wake(waiting);
    }

    /// Asks the task of the connection to end it. The first reason counts.
    pub(super) fn end(&self, end: End) {
        let woken = self.queue.lock().end(end);
        wake(woken);
    }

    /// For the task of the connection: writes what could not be written at once, and tells why the connection must end, once
    /// it must.
    pub(super) fn poll_end(&self, cx: &mut Context<'_>) -> Poll<End> {
        let mut queue = self.queue.lock();
        queue.write_on(cx);
        let end = queue.end;
        let waiting = self.take_waiting(&mut queue);
        drop(queue);
        wake(waiting);
        end.map_or(Poll::Pending, Poll::Ready)
    }

    /// For the task of the connection: does something, and writes meanwhile what could not be written at once.
    pub(super) async fn beside<F: Future + Unpin>(&self, mut work: F) -> F::Output {
        poll_fn(|cx| {
            // Whether the connection must end is for later.
            let _ = self.poll_end(cx);
            Pin::new(&mut work).poll(cx)
        })
        .await
    }

    /// Waits until little is left to be written, or nothing will be any more. One caller at a time.
    pub(super) async fn has_room(&self) {
        poll_fn(|cx| {
            let mut queue = self.queue.lock();
            if self.has_room_in(&queue) {
                return Poll::Ready(());
            }
            queue.waits_for_room = Some(cx.waker().clone());
            Poll::Pending
        })
        .await;
    }

    /// What was sent, and what waits.
    pub(super) fn tally(&self) -> Tally {
        let queue = self.queue.lock();
        Tally { waiting: queue.bytes as u64, ..queue.taken }
    }

    /// Bytes that wait.
    #[cfg(test)]
    pub(super) fn waiting_bytes(&self) -> usize {
        self.queue.lock().bytes
    }

    fn has_room_in(&self, queue: &Queue) -> bool {
        queue.bytes <= LITTLE_BYTES.min(self.max_bytes / 2) || queue.phase == Phase::CutOff
    }

    /// Whoever waits for room, where there is some.
    fn take_waiting(&self, queue: &mut Queue) -> Option<Waker> {
        let has_room = queue.waits_for_room.is_some() && self.has_room_in(queue);
        if has_room { queue.waits_for_room.take() } else { None }
    }
}

/// Wakes a task; not while a queue is locked, which is the first thing that it will want.
fn wake(task: Option<Waker>) {
    if let Some(task) = task {
        task.wake();
    }
}

#[cfg(test)]
mod tests;
