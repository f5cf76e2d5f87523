//! The nodes of a cluster talk over Redis: what happens in a room goes to a channel of it, which those nodes subscribe to
//! that have somebody in the room.
//!
//! Redis forgets a message once it has sent it on, and drops what it cannot send. Here that is noticed, and said: by a
//! node that was cut off, after it has subscribed again; and by a node that could not publish, once it can.

mod audience;
mod channels;
mod inbox;
mod link;
mod outgoing;
mod payload;
mod publisher;
mod roster;
mod subscriber;
mod wire;

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use chat_core::{ChannelLayer, Envelope, Received, Topic};
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::config::RedisUrl;
use crate::redis_link::ANSWER_WITHIN;
use channels::Channels;
use inbox::{Arrived, Inbox};
use link::Link;
use outgoing::Outgoing;
use payload::{NodeId, Payload};
use publisher::Publisher;
use roster::RedisRoster;
use subscriber::{Subscriber, Subscriptions};

/// How to reach a Redis, and how to use it.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct RedisOptions {
    /// Where it is, and who one is there.
    pub url: RedisUrl,
    /// What the names of all channels begin with; other clusters on the same Redis need another one. Default `chat`.
    pub prefix: String,
    /// Most bytes that wait to be published, and most that were received and wait to be read. Default 32 MiB.
    pub max_queue_bytes: usize,
}

impl RedisOptions {
    /// The Redis at this URL, and everything else at its default.
    #[must_use]
    pub fn new(url: RedisUrl) -> Self {
        Self { url, prefix: "chat".to_owned(), max_queue_bytes: 32 << 20 }
    }
}

/// A [`ChannelLayer`] over Redis. It goes on by itself when Redis was away.
pub struct RedisChannelLayer {
    node: NodeId,
    channels: Channels,
    outgoing: Arc<Outgoing>,
    subscriptions: Arc<Subscriptions>,
    inbox: Arc<Inbox>,
    roster: RedisRoster,
    _tasks: JoinSet<()>,
}

impl RedisChannelLayer {
    /// Begins to connect; must be called within a tokio runtime. Whether Redis can be reached shows later, in the log.
    #[must_use]
    pub fn open(options: &RedisOptions) -> Self {
        let node = NodeId::by_lot();
        let link = Link::new(options.url.client());
        let channels = Channels::new(&options.prefix);
        let outgoing = Arc::new(Outgoing::new(options.max_queue_bytes));
        let subscriptions = Arc::new(Subscriptions::new(channels.clone()));
        let inbox = Arc::new(Inbox::new(options.max_queue_bytes));
        let roster = RedisRoster::new(link.clone(), &options.prefix, node);
        let publisher = Publisher {
            link: link.clone(),
            node,
            channels: channels.clone(),
            outgoing: Arc::clone(&outgoing),
        };
        let subscriber =
            Subscriber { link, subscriptions: Arc::clone(&subscriptions), inbox: Arc::clone(&inbox) };
        let mut tasks = JoinSet::new();
        tasks.spawn(publisher.run());
        tasks.spawn(subscriber.run());
        Self { node, channels, outgoing, subscriptions, inbox, roster, _tasks: tasks }
    }

    /// What a message says; `None` where that is nothing.
    fn read(&self, message: &redis::Msg) -> Option<Received> {
        let topic = self.channels.topic(message.get_channel_name())?;
        match payload::decode(self.node, message.get_payload_bytes()) {
            Ok(Payload::Own) => None,
            Ok(Payload::Said(content)) => Some(Received::Envelope(Envelope { topic, content })),
            Ok(Payload::Lost) => Some(Received::Missed(topic)),
            Err(error) => {
                tracing::warn!(?topic, %error, "something of another node is lost");
                Some(Received::Missed(topic))
            }
        }
    }
}

#[async_trait]
impl ChannelLayer for RedisChannelLayer {
    fn publish(&self, Envelope { topic, content }: Envelope) {
        self.outgoing.push(topic, payload::encode(self.node, &content));
    }

    fn has_subscribers(&self, _: Topic) -> bool {
        true
    }

    async fn is_heard(&self, topics: &[Topic]) -> bool {
        let channels: Vec<_> = topics.iter().map(|topic| self.channels.of(*topic)).collect();
        let Some(mut connection) = self.roster.connection() else { return true };
        audience::is_heard(&mut connection, &channels).await.unwrap_or_else(|error| {
            tracing::debug!(error = &error as &dyn std::error::Error, "whether anybody listens is not known");
            if error.is_io_error() {
                // The next question must not wait as long.
                self.roster.lose_connection();
            }
            true
        })
    }

    async fn subscribe(&self, topic: Topic) {
        self.subscriptions.add(topic).await;
    }

    async fn unsubscribe(&self, topic: Topic) {
        self.subscriptions.remove(topic).await;
    }

    async fn close(&self) {
        if timeout(ANSWER_WITHIN, self.outgoing.drained()).await.is_err() {
            tracing::warn!("other nodes were not told everything");
        }
    }

    async fn receive(&self) -> Received {
        loop {
            match self.inbox.next().await {
                Arrived::Interruption => return Received::Interrupted,
                Arrived::Message(message) => {
                    if let Some(received) = self.read(&message) {
                        return received;
                    }
                }
            }
        }
    }
}

impl fmt::Debug for RedisChannelLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisChannelLayer")
            .field("node", &self.node)
            .field("channels", &self.channels)
            .finish_non_exhaustive()
    }
}
