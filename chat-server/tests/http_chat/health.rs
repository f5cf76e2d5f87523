//! Whether the server lives, and whether it does its work.

use axum::body::{Body, to_bytes};
use chat_core::ChatService;
use chat_core::memory::LocalChannelLayer;
use chat_protocol::Timestamp;
use chat_server::storage::{ServerStorage, SqliteStorage};
use chat_server::{Gateway, GatewayConfig};
use http::Request;
use tower::ServiceExt;

struct Watched {
    storage: SqliteStorage,
    gateway: Gateway,
}

impl Watched {
    async fn start() -> Self {
        let storage = SqliteStorage::in_memory().await.unwrap();
        let clock = || Timestamp::from_micros(0).unwrap();
        let (service, _) = ChatService::new(
            storage.clone(),
            LocalChannelLayer::new(),
            clock,
            chat_core::ServiceConfig::default(),
        );
        let nobody = chat_server::auth::GuestAuthenticator;
        Self { storage, gateway: Gateway::new(service, nobody, GatewayConfig::default()) }
    }

    async fn get(&self, path: &str) -> (u16, String) {
        let request = Request::get(path).body(Body::empty()).unwrap();
        let response = self.gateway.router().oneshot(request).await.unwrap();
        let status = response.status().as_u16();
        let body = to_bytes(response.into_body(), 1024).await.unwrap();
        (status, String::from_utf8(body.to_vec()).unwrap())
    }
}

#[tokio::test]
async fn who_can_store_is_ready() {
    let watched = Watched::start().await;
    assert_eq!(watched.get("/readyz").await, (200, "ready\n".to_owned()));
}

#[tokio::test]
async fn who_cannot_store_says_so_in_general_words() {
    let watched = Watched::start().await;
    watched.storage.close().await;
    assert_eq!(watched.get("/readyz").await, (503, "nothing can be stored\n".to_owned()));
    assert_eq!(watched.get("/healthz").await, (200, "ok\n".to_owned()));
}

#[tokio::test]
async fn who_stops_is_not_ready_any_more() {
    let watched = Watched::start().await;
    watched.gateway.close().await;
    assert_eq!(watched.get("/readyz").await, (503, "the server is stopping\n".to_owned()));
}
