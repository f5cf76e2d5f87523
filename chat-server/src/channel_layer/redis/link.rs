//! The way to Redis.

use std::time::Duration;

use redis::aio::{MultiplexedConnection, PubSub};
use redis::{AsyncConnectionConfig, Client, ConnectionAddr, RedisError, RedisResult};
use tokio::time::timeout;

/// How long connecting may take, and every answer.
pub(super) const ANSWER_WITHIN: Duration = Duration::from_secs(2);

/// Where a Redis is, and who one is there.
#[derive(Debug, Clone)]
pub(super) struct Link(Client);

impl Link {
    pub(super) const fn new(client: Client) -> Self {
        Self(client)
    }

    /// A connection for commands.
    pub(super) async fn connect(&self) -> RedisResult<MultiplexedConnection> {
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(ANSWER_WITHIN))
            .set_response_timeout(Some(ANSWER_WITHIN));
        self.0.get_multiplexed_async_connection_with_config(&config).await
    }

    /// A connection for subscriptions.
    pub(super) async fn listen(&self) -> RedisResult<PubSub> {
        in_time(self.0.get_async_pubsub()).await
    }

    /// The way to where an error points: a node of a Redis Cluster names the one that has what was asked for.
    pub(super) fn redirected(&self, error: &RedisError) -> Option<Self> {
        let (address, _) = error.redirect_node()?;
        let (host, port) = address.rsplit_once(':')?;
        let port = port.parse().ok()?;
        let here = self.0.get_connection_info();
        let there = match here.addr().clone() {
            ConnectionAddr::Tcp(own, _) => ConnectionAddr::Tcp(host_or(host, own), port),
            ConnectionAddr::TcpTls { host: own, insecure, tls_params, .. } => {
                ConnectionAddr::TcpTls { host: host_or(host, own), port, insecure, tls_params }
            }
            _ => return None,
        };
        Client::open(here.clone().set_addr(there)).ok().map(Self)
    }
}

/// A node that does not know its own name leaves it out: it is reached by the same one.
fn host_or(host: &str, own: String) -> String {
    if host.is_empty() { own } else { host.to_owned() }
}

/// Does not wait for Redis any longer than it should take.
pub(super) async fn in_time<T>(answer: impl Future<Output = RedisResult<T>>) -> RedisResult<T> {
    let late = |_| RedisError::from(std::io::Error::from(std::io::ErrorKind::TimedOut));
    timeout(ANSWER_WITHIN, answer).await.map_err(late)?
}
