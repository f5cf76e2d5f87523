//! The SQLite storage keeps what every storage promises, in a file and in memory.

use chat_core::conformance::storage::With;
use chat_server::storage::SqliteStorage;

mod in_a_file {
    use super::{SqliteStorage, With};

    chat_core::storage_conformance!(async {
        let folder = tempfile::tempdir().unwrap();
        let storage = SqliteStorage::open(&folder.path().join("chat.db")).await.unwrap();
        With(storage, folder)
    });
}

mod in_memory {
    use super::SqliteStorage;

    chat_core::storage_conformance!(async { SqliteStorage::in_memory().await.unwrap() });
}
