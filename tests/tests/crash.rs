//! A server that is killed under load keeps its promises; and the checker that says so would notice if it did not.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "helpers of tests fail as tests do"
)]

#[path = "crash/cluster.rs"]
mod cluster;
#[path = "crash/good.rs"]
mod good;
#[path = "crash/kills.rs"]
mod kills;
#[path = "crash/mutated.rs"]
mod mutated;
#[path = "crash/planted.rs"]
mod planted;
