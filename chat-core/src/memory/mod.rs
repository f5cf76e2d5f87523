//! Implementations without any server: for tests, for trying out, and for a single node that may forget.

mod channel_layer;
mod room;
mod roster;
mod storage;

pub use channel_layer::LocalChannelLayer;
pub use storage::MemoryStorage;
