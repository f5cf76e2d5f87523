//! What the documents ask of HTTP.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests fail as tests do"
)]

#[path = "http_chat/site.rs"]
mod site;

#[path = "http_chat/api.rs"]
mod api;
#[path = "http_chat/forgery.rs"]
mod forgery;
#[path = "http_chat/guests.rs"]
mod guests;
#[path = "http_chat/health.rs"]
mod health;
#[path = "http_chat/join.rs"]
mod join;
#[path = "http_chat/members.rs"]
mod members;
#[path = "http_chat/pages.rs"]
mod pages;
#[path = "http_chat/proxies.rs"]
mod proxies;
#[path = "http_chat/room.rs"]
mod room;
