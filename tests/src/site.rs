//! A server with accounts of its own, its database, and people who sign in.

use chat_server::accounts::{Accounts, AccountsConfig};
use chat_server::storage::SqliteStorage;
use chat_server::{Auth, Config, Database, SystemClock};
use tempfile::TempDir;

use crate::http::Visitor;
use crate::server::TestServer;

/// The password of everybody.
pub const PASSWORD: &str = "correct horse battery";

/// A running server with `--auth session`.
#[derive(Debug)]
pub struct Site {
    /// The server.
    pub server: TestServer,
    /// Its database, as another process sees it.
    pub storage: SqliteStorage,
    _folder: TempDir,
}

impl Site {
    /// A site with accounts for these people, and other settings as `set` makes them.
    pub async fn open(people: &[&str], set: impl FnOnce(&mut Config)) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("chat.db");
        let storage = SqliteStorage::open(&path).await.expect("a database");
        let accounts = Accounts::new(storage.clone(), SystemClock, AccountsConfig::default());
        for name in people {
            accounts.create(name, PASSWORD).await.expect("an account");
        }
        let server = TestServer::start_with(|config| {
            config.database = Database::SqliteFile(path);
            config.auth = Auth::Session(AccountsConfig::default());
            set(config);
        })
        .await;
        Self { server, storage, _folder: folder }
    }

    /// Somebody who has signed in.
    pub async fn visitor(&self, name: &str) -> Visitor {
        let mut visitor = Visitor::new(self.server.address());
        visitor.log_in(name, PASSWORD).await;
        visitor
    }
}
