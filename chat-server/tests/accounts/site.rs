//! A site whose clock stands still until it is told to go.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use axum::Router;
use axum::routing::get;
use chat_core::{Admission, Authenticator, Handshake, Refused};
use chat_protocol::Timestamp;
use chat_server::accounts::{Accounts, AccountsConfig, HashCost, Scheme, keep_signed_in, router};
use chat_server::auth::SessionAuthenticator;
use chat_server::storage::SqliteStorage;
use chat_server::trust_proxies;
use http::Request;

use crate::browser::Browser;

pub(crate) const PASSWORD: &str = "correct horse";

pub(crate) struct Site {
    pub(crate) accounts: Accounts,
    pub(crate) authenticator: SessionAuthenticator,
    pub(crate) storage: SqliteStorage,
    router: Router,
    now: Arc<AtomicI64>,
}

fn accounts(storage: SqliteStorage, now: Arc<AtomicI64>, hash_cost: HashCost) -> Accounts {
    let clock = move || Timestamp::from_micros(now.load(Ordering::Relaxed)).unwrap();
    Accounts::new(storage, clock, AccountsConfig { hash_cost, ..AccountsConfig::default() })
}

impl Site {
    pub(crate) async fn new() -> Self {
        Self::on(SqliteStorage::in_memory().await.unwrap(), Scheme::Http)
    }

    pub(crate) fn on(storage: SqliteStorage, scheme: Scheme) -> Self {
        let now = Arc::new(AtomicI64::new(1_700_000_000_000_000));
        let accounts = accounts(storage.clone(), now.clone(), HashCost::LEAST);
        let other = Router::new().route("/", get(async || "home"));
        let router = keep_signed_in(other.merge(router(accounts.clone(), scheme)), accounts.clone(), scheme);
        let authenticator = SessionAuthenticator::new(accounts.clone());
        Self { accounts, authenticator, storage, router, now }
    }

    pub(crate) fn browser(&self) -> Browser {
        Browser::new(self.router.clone())
    }

    /// A browser whose requests come through a proxy that is trusted.
    pub(crate) fn browser_behind(&self, proxy: SocketAddr) -> Browser {
        let network = proxy.ip().to_string().parse().unwrap();
        let mut browser = Browser::new(trust_proxies(self.router.clone(), vec![network]));
        browser.address = proxy;
        browser
    }

    /// A browser in which somebody has signed up.
    pub(crate) async fn signed_up(&self, name: &str) -> Browser {
        let mut browser = self.browser();
        let answer = browser.submit("/accounts/signup/", name, PASSWORD).await;
        assert_eq!(answer.status, 302, "{}", answer.body);
        browser
    }

    /// The same accounts, with passwords hashed at another cost.
    pub(crate) fn at_cost(&self, cost: HashCost) -> Accounts {
        accounts(self.storage.clone(), self.now.clone(), cost)
    }

    pub(crate) fn wait(&self, time: Duration) {
        self.now.fetch_add(i64::try_from(time.as_micros()).unwrap(), Ordering::Relaxed);
    }

    /// Asks for a WebSocket with the cookies of a browser.
    pub(crate) async fn connect(&self, browser: &Browser) -> Result<Admission, Refused> {
        let request = Request::get("/ws/chat/room/").header("cookie", browser.cookies()).body(()).unwrap();
        let (request, ()) = request.into_parts();
        self.authenticator.authenticate(&Handshake { request: &request, peer: None }).await
    }

    /// Who connects with the cookies of a browser.
    pub(crate) async fn visitor(&self, browser: &Browser) -> Option<String> {
        match self.connect(browser).await {
            Ok(Admission { identity: chat_core::Identity::User(user), .. }) => Some(user.name.to_string()),
            Err(Refused::NotSignedIn) => None,
            other => panic!("{other:?}"),
        }
    }
}
