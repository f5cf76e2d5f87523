//! What is on its way to Redis.

use std::collections::{HashSet, VecDeque};

use chat_core::Topic;
use parking_lot::Mutex;
use tokio::sync::Notify;

/// Most topics that are remembered as having lost something. Of others, nodes find out in their own time.
const MAX_LOST_TOPICS: usize = 10_000;

/// What waits to be published: never more than so many bytes, and nothing while there is no connection. Of what is
/// dropped, the topic is kept, so that the other nodes can be told.
#[derive(Debug)]
pub(super) struct Outgoing {
    state: Mutex<State>,
    changed: Notify,
    drained: Notify,
    max_bytes: usize,
}

#[derive(Debug, Default)]
struct State {
    is_open: bool,
    parcels: VecDeque<Parcel>,
    bytes: usize,
    /// How many parcels were taken and are not published yet.
    in_flight: usize,
    lost: HashSet<Topic>,
}

/// Something to publish.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Parcel {
    pub(super) topic: Topic,
    /// `None`: that something was lost.
    pub(super) payload: Option<Vec<u8>>,
}

impl Outgoing {
    pub(super) fn new(max_bytes: usize) -> Self {
        Self { state: Mutex::default(), changed: Notify::new(), drained: Notify::new(), max_bytes }
    }

    /// Takes a payload; `None` for one that cannot be sent.
    pub(super) fn push(&self, topic: Topic, payload: Option<Vec<u8>>) {
        let mut state = self.state.lock();
        match payload {
            Some(payload) if state.is_open && state.bytes + payload.len() <= self.max_bytes => {
                state.bytes += payload.len();
                state.parcels.push_back(Parcel { topic, payload: Some(payload) });
            }
            _ => state.lose(topic),
        }
        drop(state);
        self.changed.notify_one();
    }

    /// There is a connection.
    pub(super) fn open(&self) {
        self.state.lock().is_open = true;
        self.changed.notify_one();
    }

    /// There is no connection any more, and nobody knows what has become of these.
    pub(super) fn close(&self, doubtful: Vec<Parcel>) {
        let mut state = self.state.lock();
        state.is_open = false;
        state.bytes = 0;
        state.in_flight = 0;
        let dropped = std::mem::take(&mut state.parcels);
        for parcel in doubtful.into_iter().chain(dropped) {
            state.lose(parcel.topic);
        }
        drop(state);
        self.drained.notify_waiters();
    }

    /// Waits until there is something to publish, and takes at most so much of it.
    pub(super) async fn take(&self, most: usize) -> Vec<Parcel> {
        loop {
            let changed = self.changed.notified();
            let taken = self.state.lock().take(most);
            if !taken.is_empty() {
                return taken;
            }
            changed.await;
        }
    }

    /// What was taken is published.
    pub(super) fn done(&self) {
        self.state.lock().in_flight = 0;
        self.drained.notify_waiters();
    }

    /// Waits until everything is published that can be.
    pub(super) async fn drained(&self) {
        loop {
            let drained = self.drained.notified();
            if self.state.lock().is_drained() {
                return;
            }
            drained.await;
        }
    }
}

impl State {
    fn is_drained(&self) -> bool {
        self.parcels.is_empty() && self.in_flight == 0
    }

    fn lose(&mut self, topic: Topic) {
        if self.lost.len() < MAX_LOST_TOPICS {
            self.lost.insert(topic);
        }
    }

    fn take(&mut self, most: usize) -> Vec<Parcel> {
        let mut taken: Vec<_> = self.parcels.drain(..most.min(self.parcels.len())).collect();
        self.bytes -= taken.iter().filter_map(|parcel| parcel.payload.as_ref()).map(Vec::len).sum::<usize>();
        if taken.is_empty() && self.is_open {
            let lost = self.lost.extract_if(|_| true).take(most);
            taken.extend(lost.map(|topic| Parcel { topic, payload: None }));
        }
        self.in_flight = taken.len();
        taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::FutureExt;

    fn parcel(payload: &[u8]) -> Parcel {
        Parcel { topic: Topic::Listeners, payload: Some(payload.to_vec()) }
    }

    const LOST: Parcel = Parcel { topic: Topic::OpenListeners, payload: None };

    fn taken(outgoing: &Outgoing) -> Option<Vec<Parcel>> {
        outgoing.take(2).now_or_never()
    }

    #[test]
    fn what_is_queued_is_taken_in_order() {
        let outgoing = Outgoing::new(100);
        outgoing.open();
        for payload in [b"1", b"2", b"3"] {
            outgoing.push(Topic::Listeners, Some(payload.to_vec()));
        }
        assert_eq!(taken(&outgoing), Some(vec![parcel(b"1"), parcel(b"2")]));
        assert_eq!(taken(&outgoing), Some(vec![parcel(b"3")]));
        assert_eq!(taken(&outgoing), None);
    }

    #[test]
    fn what_is_too_much_is_dropped_and_others_are_told_so_once() {
        let outgoing = Outgoing::new(4);
        outgoing.open();
        outgoing.push(Topic::Listeners, Some(b"1234".to_vec()));
        outgoing.push(Topic::OpenListeners, Some(b"5".to_vec()));
        outgoing.push(Topic::OpenListeners, None);
        assert_eq!(taken(&outgoing), Some(vec![parcel(b"1234")]));
        assert_eq!(taken(&outgoing), Some(vec![LOST]));
        assert_eq!(taken(&outgoing), None);
        outgoing.push(Topic::Listeners, Some(b"6789".to_vec()));
        assert_eq!(taken(&outgoing), Some(vec![parcel(b"6789")]), "there is room again");
    }

    #[test]
    fn without_a_connection_nothing_waits() {
        let outgoing = Outgoing::new(100);
        outgoing.push(Topic::OpenListeners, Some(b"1".to_vec()));
        assert_eq!(outgoing.drained().now_or_never(), Some(()));
        outgoing.open();
        assert_eq!(taken(&outgoing), Some(vec![LOST]));
        outgoing.push(Topic::OpenListeners, Some(b"2".to_vec()));
        let taken_then = taken(&outgoing).unwrap();
        assert_eq!(outgoing.drained().now_or_never(), None, "it is on its way");
        outgoing.close(taken_then);
        assert_eq!(outgoing.drained().now_or_never(), Some(()));
        assert_eq!(taken(&outgoing), None);
        outgoing.open();
        assert_eq!(taken(&outgoing), Some(vec![LOST]));
        outgoing.done();
        assert_eq!(outgoing.drained().now_or_never(), Some(()));
    }
}
