//! Publishes what is outgoing: many messages at once, one batch after another.

use redis::aio::MultiplexedConnection;
use redis::{Pipeline, RedisError, pipe};

use super::Channels;
use super::link::Link;
use super::outgoing::{Outgoing, Parcel};
use super::payload::{NodeId, encode_lost};
use crate::backoff::Backoff;

/// Most messages in a batch.
const BATCH: usize = 256;

/// Publishes for ever, and comes back when the connection breaks.
#[derive(Debug)]
pub(super) struct Publisher {
    pub(super) link: Link,
    pub(super) node: NodeId,
    pub(super) channels: Channels,
    pub(super) outgoing: std::sync::Arc<Outgoing>,
}

impl Publisher {
    pub(super) async fn run(self) {
        let mut backoff = Backoff::new();
        loop {
            match self.link.connect().await {
                Ok(mut connection) => {
                    self.outgoing.open();
                    let error = self.publish(&mut connection, &mut backoff).await;
                    tracing::warn!(
                        error = &error as &dyn std::error::Error,
                        "Redis is away; other nodes are not heard"
                    );
                }
                Err(error) => {
                    tracing::warn!(error = &error as &dyn std::error::Error, "Redis cannot be reached");
                }
            }
            backoff.wait().await;
        }
    }

    /// Publishes until that fails.
    async fn publish(&self, connection: &mut MultiplexedConnection, backoff: &mut Backoff) -> RedisError {
        loop {
            let batch = self.outgoing.take(BATCH).await;
            let published: Result<(), _> = self.pipeline(&batch).query_async(connection).await;
            if let Err(error) = published {
                self.outgoing.close(batch);
                return error;
            }
            self.outgoing.done();
            // Only now: a Redis may let one in, and refuse what one says.
            backoff.reset();
        }
    }

    fn pipeline(&self, batch: &[Parcel]) -> Pipeline {
        let lost = encode_lost(self.node).unwrap_or_default();
        let mut pipeline = pipe();
        for Parcel { topic, payload } in batch {
            let payload = payload.as_ref().unwrap_or(&lost);
            pipeline.cmd("PUBLISH").arg(self.channels.of(*topic)).arg(payload).ignore();
        }
        pipeline
    }
}
