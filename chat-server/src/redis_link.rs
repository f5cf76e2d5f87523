//! Connections to Redis that end where it says nothing more, and the bound on every answer.

use std::time::Duration;

use redis::aio::{MultiplexedConnection, PubSub, PubSubSink};
use redis::{AsyncConnectionConfig, Client, RedisError, RedisResult};
use tokio::time::{sleep, timeout};

/// How long connecting may take, and every answer.
pub(crate) const ANSWER_WITHIN: Duration = Duration::from_secs(2);

/// How often to see whether a connection that says nothing is still there.
const PING_EVERY: Duration = Duration::from_secs(2);

/// A connection for commands whose answers take no longer than this.
pub(crate) async fn connect(client: &Client, answer_within: Duration) -> RedisResult<MultiplexedConnection> {
    let config = AsyncConnectionConfig::new()
        .set_connection_timeout(Some(ANSWER_WITHIN))
        .set_response_timeout(Some(answer_within));
    client.get_multiplexed_async_connection_with_config(&config).await
}

/// A connection for subscriptions.
pub(crate) async fn listen(client: &Client) -> RedisResult<PubSub> {
    in_time(client.get_async_pubsub()).await
}

/// Asks a connection for subscriptions whether it is still there, again and again: by itself it does not tell. Ends when
/// there is no answer.
pub(crate) async fn ping(mut sink: PubSubSink) -> RedisError {
    loop {
        sleep(PING_EVERY).await;
        let answered: RedisResult<redis::Value> = in_time(sink.ping()).await;
        if let Err(error) = answered {
            return error;
        }
    }
}

/// Does not wait for Redis any longer than it should take.
pub(crate) async fn in_time<T>(answer: impl Future<Output = RedisResult<T>>) -> RedisResult<T> {
    let late = |_| RedisError::from(std::io::Error::from(std::io::ErrorKind::TimedOut));
    timeout(ANSWER_WITHIN, answer).await.map_err(late)?
}

/// What a connection that has ended without saying why comes to.
pub(crate) fn closed() -> RedisError {
    std::io::Error::from(std::io::ErrorKind::ConnectionAborted).into()
}
