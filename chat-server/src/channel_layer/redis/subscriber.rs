//! Receives what other nodes publish, and comes back when the connection breaks.

use std::collections::HashSet;
use std::sync::Arc;

use chat_core::Topic;
use futures::{FutureExt, StreamExt};
use parking_lot::Mutex;
use redis::aio::{PubSubSink, PubSubStream};
use redis::{RedisError, RedisResult};
use tokio::sync::Notify;

use super::Channels;
use super::inbox::Inbox;
use super::link::Link;
use crate::backoff::Backoff;
use crate::redis_link::{closed, in_time, ping};

/// Topics that are subscribed to at once after a connection was made.
const TOPICS_AT_ONCE: usize = 500;

/// What this node wants to receive, and the connection that receives it, while there is one.
#[derive(Debug)]
pub(super) struct Subscriptions {
    state: Mutex<State>,
    /// Wakes the subscriber: its connection does not do what it should.
    broken: Notify,
    channels: Channels,
}

#[derive(Debug, Default)]
struct State {
    wanted: HashSet<Topic>,
    sink: Option<PubSubSink>,
}

impl Subscriptions {
    pub(super) fn new(channels: Channels) -> Self {
        Self { state: Mutex::default(), broken: Notify::new(), channels }
    }

    /// Returns when the topic is received, or there is no connection: then it is with the next one.
    pub(super) async fn add(&self, topic: Topic) {
        let sink = {
            let mut state = self.state.lock();
            state.wanted.insert(topic);
            state.sink.clone()
        };
        if let Some(mut sink) = sink {
            let done = in_time(sink.subscribe(self.channels.of(topic))).await;
            self.check(&done);
        }
    }

    pub(super) async fn remove(&self, topic: Topic) {
        let sink = {
            let mut state = self.state.lock();
            state.wanted.remove(&topic);
            state.sink.clone()
        };
        if let Some(mut sink) = sink {
            let done = in_time(sink.unsubscribe(self.channels.of(topic))).await;
            self.check(&done);
        }
    }

    fn check(&self, done: &RedisResult<()>) {
        if done.is_err() {
            self.state.lock().sink = None;
            self.broken.notify_one();
        }
    }

    /// From now on, whoever wants more says so to this connection; what is wanted by now is returned.
    fn open(&self, sink: PubSubSink) -> Vec<Topic> {
        // What was said of the last connection does not count for this one.
        let _: Option<()> = self.broken.notified().now_or_never();
        let mut state = self.state.lock();
        state.sink = Some(sink);
        state.wanted.iter().copied().collect()
    }

    fn close(&self) {
        self.state.lock().sink = None;
    }
}

/// Receives for ever.
#[derive(Debug)]
pub(super) struct Subscriber {
    pub(super) link: Link,
    pub(super) subscriptions: Arc<Subscriptions>,
    pub(super) inbox: Arc<Inbox>,
}

impl Subscriber {
    pub(super) async fn run(self) {
        let mut backoff = Backoff::new();
        loop {
            let Err(error) = self.receive(&mut backoff).await;
            self.subscriptions.close();
            tracing::warn!(error = &error as &dyn std::error::Error, "nothing is received from other nodes");
            backoff.wait().await;
        }
    }

    /// Receives until that fails.
    async fn receive(&self, backoff: &mut Backoff) -> Result<std::convert::Infallible, RedisError> {
        let (mut sink, stream) = self.link.listen().await?.split();
        let Subscriptions { broken, channels, .. } = &*self.subscriptions;
        let wanted = self.subscriptions.open(sink.clone());
        for topics in wanted.chunks(TOPICS_AT_ONCE) {
            let names: Vec<_> = topics.iter().map(|topic| channels.of(*topic)).collect();
            in_time(sink.subscribe(names)).await?;
        }
        // From here on nothing is lost.
        self.inbox.interrupt();
        backoff.reset();
        tokio::select! {
            error = ping(sink) => Err(error),
            () = self.read(stream) => Err(closed()),
            () = broken.notified() => Err(closed()),
        }
    }

    async fn read(&self, mut stream: PubSubStream) {
        while let Some(message) = stream.next().await {
            self.inbox.push(message);
        }
    }
}
