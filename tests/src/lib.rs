//! What the end-to-end tests stand on: a server of their own on a free port, raw sockets, databases, a
//! connection that can be interrupted, a server that is killed under load, a crowd of clients, and a browser.

#![deny(missing_docs)]
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    clippy::panic,
    reason = "a step that fails should fail the test, there and then"
)]

pub mod balancer;
pub mod browser;
pub mod certificate;
pub mod channels;
pub mod crash;
pub mod crowd;
pub mod dialect;
pub mod django;
pub mod figures;
pub mod http;
pub mod instructions;
pub mod load;
pub mod peers;
pub mod port;
pub mod postgres;
pub mod proxy;
pub mod redis;
pub mod redis_cluster;
pub mod server;
pub mod site;
pub mod small_disk;
pub mod socket;
pub mod speed;

use std::time::Duration;

/// How long a step may take before it counts as failed. Nothing waits for this long where all is well.
pub const PATIENCE: Duration = Duration::from_secs(30);
