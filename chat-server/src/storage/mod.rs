//! Databases as a [`Storage`](chat_core::Storage).

mod sqlite;

pub use sqlite::SqliteStorage;
