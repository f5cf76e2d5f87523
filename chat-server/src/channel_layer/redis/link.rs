//! The way to Redis.

use redis::aio::{MultiplexedConnection, PubSub};
use redis::{Client, ConnectionAddr, RedisError, RedisResult};

use crate::redis_link::{self, ANSWER_WITHIN};

/// Where a Redis is, and who one is there.
#[derive(Debug, Clone)]
pub(super) struct Link(Client);

impl Link {
    pub(super) const fn new(client: Client) -> Self {
        Self(client)
    }

    /// A connection for commands.
    pub(super) async fn connect(&self) -> RedisResult<MultiplexedConnection> {
        redis_link::connect(&self.0, ANSWER_WITHIN).await
    }

    /// A connection for subscriptions.
    pub(super) async fn listen(&self) -> RedisResult<PubSub> {
        redis_link::listen(&self.0).await
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
