//! The client against a server that plays what a test tells it to.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests may fail as tests do")]

mod dialects;
mod handshake;
mod lifetime;
mod pressure;
mod reconnect;
mod server;
