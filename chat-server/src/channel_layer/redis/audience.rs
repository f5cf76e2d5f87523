//! Whether anybody hears a channel.

use redis::aio::MultiplexedConnection;
use redis::{RedisResult, pipe};

/// What a Redis says of itself that knows all subscribers. In a Redis Cluster, each of its nodes knows its own only.
const KNOWS_ALL: &str = "cluster_enabled:0";

/// Whether a channel has subscribers, on any node, or may have some.
pub(super) async fn is_heard(
    connection: &mut MultiplexedConnection,
    channels: &[String],
) -> RedisResult<bool> {
    let mut questions = pipe();
    questions.cmd("INFO").arg("cluster");
    questions.cmd("PUBSUB").arg("NUMSUB").arg(channels);
    let (cluster, subscribers): (String, Vec<(String, u64)>) = questions.query_async(connection).await?;
    Ok(!cluster.contains(KNOWS_ALL) || subscribers.iter().any(|(_, count)| *count > 0))
}
