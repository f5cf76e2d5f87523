//! Where all clients of a run write down what happens.

use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::watch;

use super::history::Event;

/// The history of a run while it is made. Clones write into the same one.
///
/// There is one order of all events: what is recorded before something is sent, and what is recorded after it was
/// received, can be told apart by their places.
#[derive(Debug, Clone)]
pub(super) struct Recorder {
    events: Arc<Mutex<Vec<Event>>>,
    count: watch::Sender<usize>,
}

impl Recorder {
    pub(super) fn new() -> Self {
        Self { events: Arc::default(), count: watch::Sender::new(0) }
    }

    pub(super) fn record(&self, event: Event) {
        let count = {
            let mut events = self.events.lock();
            events.push(event);
            events.len()
        };
        // Only ever forward, whoever comes here last.
        self.count.send_if_modified(|known| {
            let is_later = count > *known;
            *known = (*known).max(count);
            is_later
        });
    }

    /// Waits until so many more events are recorded.
    pub(super) async fn wait_for_more(&self, events: usize) {
        let mut count = self.count.subscribe();
        let goal = *count.borrow() + events;
        // Ends only when the goal is reached: this recorder holds the sending half.
        let _ = count.wait_for(|count| *count >= goal).await;
    }

    /// The history so far.
    pub(super) fn take(&self) -> Vec<Event> {
        std::mem::take(&mut *self.events.lock())
    }
}
