//! Placeholder.
pub mod storage;
