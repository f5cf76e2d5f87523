//! What has come from Redis, and waits to be read.

use std::collections::VecDeque;

use parking_lot::Mutex;
use redis::Msg;
use tokio::sync::Notify;

/// A queue of never more than so many bytes. What is too much is dropped; in its place it is noted that something was.
#[derive(Debug)]
pub(super) struct Inbox {
    state: Mutex<State>,
    arrived: Notify,
    max_bytes: usize,
}

#[derive(Debug, Default)]
struct State {
    queue: VecDeque<Arrived>,
    bytes: usize,
    /// Whether something was dropped behind what is in the queue.
    is_overflowing: bool,
}

#[derive(Debug)]
pub(super) enum Arrived {
    Message(Msg),
    /// Something may be missing here.
    Interruption,
}

impl Inbox {
    pub(super) fn new(max_bytes: usize) -> Self {
        Self { state: Mutex::default(), arrived: Notify::new(), max_bytes }
    }

    pub(super) fn push(&self, message: Msg) {
        let mut state = self.state.lock();
        let bytes = message.get_payload_bytes().len();
        if state.bytes + bytes > self.max_bytes {
            if !std::mem::replace(&mut state.is_overflowing, true) {
                tracing::warn!("this node does not keep up with the others; what they say is dropped");
            }
            return;
        }
        if std::mem::take(&mut state.is_overflowing) {
            state.queue.push_back(Arrived::Interruption);
        }
        state.bytes += bytes;
        state.queue.push_back(Arrived::Message(message));
        drop(state);
        self.arrived.notify_one();
    }

    /// Notes that something may be missing from what has come so far.
    pub(super) fn interrupt(&self) {
        self.state.lock().queue.push_back(Arrived::Interruption);
        self.arrived.notify_one();
    }

    /// The next; waits for it. Given up, it has taken nothing.
    pub(super) async fn next(&self) -> Arrived {
        loop {
            let arrived = self.arrived.notified();
            let next = self.state.lock().next();
            if let Some(next) = next {
                return next;
            }
            arrived.await;
        }
    }
}

impl State {
    fn next(&mut self) -> Option<Arrived> {
        let next = self.queue.pop_front();
        if let Some(Arrived::Message(message)) = &next {
            self.bytes -= message.get_payload_bytes().len();
        }
        if next.is_none() && std::mem::take(&mut self.is_overflowing) {
            return Some(Arrived::Interruption);
        }
        next
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::FutureExt;
    use redis::Value;

    fn message(payload: &str) -> Msg {
        let parts = ["message", "channel", payload].map(|part| Value::BulkString(part.into()));
        Msg::from_owned_value(Value::Array(parts.into())).unwrap()
    }

    /// What is in the inbox; a dot for an interruption.
    fn read(inbox: &Inbox) -> String {
        let mut read = String::new();
        while let Some(next) = inbox.next().now_or_never() {
            match next {
                Arrived::Message(message) => read += str::from_utf8(message.get_payload_bytes()).unwrap(),
                Arrived::Interruption => read.push('.'),
            }
        }
        read
    }

    #[test]
    fn what_is_dropped_leaves_a_mark_in_its_place() {
        let inbox = Inbox::new(4);
        for payload in ["ab", "cd", "x", "y"] {
            inbox.push(message(payload));
        }
        assert_eq!(read(&inbox), "abcd.");
        for payload in ["abcd", "x"] {
            inbox.push(message(payload));
        }
        assert!(matches!(inbox.next().now_or_never(), Some(Arrived::Message(_))));
        inbox.push(message("efg"));
        inbox.interrupt();
        assert_eq!(read(&inbox), ".efg.");
    }
}
