//! Signing up, in and out, as a browser and as a script do it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests fail as tests do"
)]

#[path = "accounts/browser.rs"]
mod browser;
#[path = "accounts/site.rs"]
mod site;

#[path = "accounts/admin.rs"]
mod admin;
#[path = "accounts/flow.rs"]
mod flow;
#[path = "accounts/forgery.rs"]
mod forgery;
#[path = "accounts/guessing.rs"]
mod guessing;
#[path = "accounts/redirects.rs"]
mod redirects;
#[path = "accounts/refusals.rs"]
mod refusals;
#[path = "accounts/sessions.rs"]
mod sessions;
