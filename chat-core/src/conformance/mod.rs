//! The tests that every implementation of a trait must pass, whoever writes it.
//!
//! A macro for each trait makes one `#[tokio::test]` of each case, with a fresh instance for it. The crate that uses it
//! needs `tokio` with the features `macros` and `rt`.
//!
//! ```
//! chat_core::storage_conformance!(async { chat_core::memory::MemoryStorage::new() });
//! # fn main() {}
//! ```

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::missing_panics_doc,
    clippy::indexing_slicing,
    reason = "tests fail by panicking"
)]

pub mod channel_layer;
pub mod roster;
pub mod storage;
