//! Ways between the nodes of a cluster.

mod redis;

pub use redis::{RedisChannelLayer, RedisOptions};
