//! Carries events between services of one process.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};

use async_trait::async_trait;
use parking_lot::Mutex;
use tokio::sync::{Mutex as AsyncMutex, mpsc};

use super::roster::{NodeId, SharedRoster};
use crate::{ChannelLayer, Envelope, Received, Topic};

/// Most envelopes that wait for a node; past it they are dropped, and the node is told so.
const QUEUED_ENVELOPES: usize = 1024;

/// A [`ChannelLayer`] within one process: each [`join`](Self::join) is one node more.
///
/// Alone, as [`new`](Self::new) makes it, it has nobody to talk to and costs nothing.
///
/// ```
/// use chat_core::memory::LocalChannelLayer;
///
/// let first = LocalChannelLayer::new();
/// let second = first.join();
/// ```
#[derive(Debug)]
pub struct LocalChannelLayer {
    me: Arc<Node>,
    nodes: Arc<Mutex<Vec<Weak<Node>>>>,
    pub(super) roster: Arc<Mutex<SharedRoster>>,
    pub(super) id: NodeId,
    envelopes: AsyncMutex<mpsc::Receiver<Envelope>>,
}

#[derive(Debug)]
struct Node {
    topics: Mutex<HashSet<Topic>>,
    inbox: mpsc::Sender<Envelope>,
    /// Whether something was dropped that the node was not told of yet.
    has_missed: AtomicBool,
}

impl LocalChannelLayer {
    /// A layer with one node.
    #[must_use]
    pub fn new() -> Self {
        Self::among(Arc::default(), Arc::default())
    }

    /// One node more on the same layer.
    #[must_use]
    pub fn join(&self) -> Self {
        Self::among(Arc::clone(&self.nodes), Arc::clone(&self.roster))
    }

    fn among(nodes: Arc<Mutex<Vec<Weak<Node>>>>, roster: Arc<Mutex<SharedRoster>>) -> Self {
        let (inbox, envelopes) = mpsc::channel(QUEUED_ENVELOPES);
        let me = Arc::new(Node { topics: Mutex::default(), inbox, has_missed: AtomicBool::new(false) });
        nodes.lock().push(Arc::downgrade(&me));
        let id = SharedRoster::join(&roster);
        Self { me, nodes, roster, id, envelopes: AsyncMutex::new(envelopes) }
    }

    fn others(&self, nodes: &[Weak<Node>]) -> impl Iterator<Item = Arc<Node>> {
        let me = Arc::as_ptr(&self.me);
        nodes.iter().filter(move |node| node.as_ptr() != me).filter_map(Weak::upgrade)
    }
}

impl Default for LocalChannelLayer {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for LocalChannelLayer {
    fn drop(&mut self) {
        let me = Arc::as_ptr(&self.me);
        self.nodes.lock().retain(|node| node.as_ptr() != me);
    }
}

#[async_trait]
impl ChannelLayer for LocalChannelLayer {
    fn publish(&self, envelope: Envelope) {
        let others: Vec<_> = self.others(&self.nodes.lock()).collect();
        for node in others {
            if !node.topics.lock().contains(&envelope.topic) {
                continue;
            }
            if node.inbox.try_send(envelope.clone()).is_err() {
                node.has_missed.store(true, Ordering::Relaxed);
                tracing::warn!(topic = ?envelope.topic, "a node does not keep up; an envelope is dropped");
            }
        }
    }

    fn has_subscribers(&self, topic: Topic) -> bool {
        self.others(&self.nodes.lock()).any(|node| node.topics.lock().contains(&topic))
    }

    async fn subscribe(&self, topic: Topic) {
        self.me.topics.lock().insert(topic);
    }

    async fn unsubscribe(&self, topic: Topic) {
        self.me.topics.lock().remove(&topic);
    }

    async fn close(&self) {}

    async fn receive(&self) -> Received {
        let mut envelopes = self.envelopes.lock().await;
        // Told when there is room again: nothing is dropped from then on that it is not told of.
        if envelopes.is_empty() && self.me.has_missed.swap(false, Ordering::Relaxed) {
            return Received::Interrupted;
        }
        match envelopes.recv().await {
            Some(envelope) => Received::Envelope(envelope),
            // Never so: this layer holds a sender of its own.
            None => std::future::pending().await,
        }
    }
}
