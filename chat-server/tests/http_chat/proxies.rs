//! Whose address counts where a service embeds the routes and stands behind proxies.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use chat_core::{Admission, Authenticator, Handshake, Identity, Refused};
use chat_server::{Gateway, GatewayConfig, Network, trust_proxies};
use http::Request;
use tower::ServiceExt;

use crate::site::Site;

/// Lets everybody in, and notes the address that they count as.
#[derive(Debug, Clone, Default)]
struct NotingAuthenticator(Arc<Mutex<Option<SocketAddr>>>);

#[async_trait]
impl Authenticator for NotingAuthenticator {
    async fn authenticate(&self, handshake: &Handshake<'_>) -> Result<Admission, Refused> {
        *self.0.lock().unwrap() = handshake.peer;
        Ok(Identity::Guest { name: None }.into())
    }
}

/// The address that a request from another one counts as, where a proxy says that it is of `192.0.2.1`.
async fn counts_as(from: Option<&str>, proxies: &[&str]) -> Option<String> {
    let authenticator = NotingAuthenticator::default();
    let noted = authenticator.0.clone();
    let site =
        Site::with(|service| Gateway::new(service.clone(), authenticator, GatewayConfig::default())).await;
    let proxies: Vec<Network> = proxies.iter().map(|proxy| proxy.parse().unwrap()).collect();
    let router = trust_proxies(Router::new().nest("/support", site.router), proxies);
    let request = Request::get("/support/chat/api/users").header("x-forwarded-for", "192.0.2.1");
    let mut request = request.body(Body::empty()).unwrap();
    if let Some(from) = from {
        request.extensions_mut().insert(ConnectInfo(from.parse::<SocketAddr>().unwrap()));
    }
    assert_eq!(router.oneshot(request).await.unwrap().status().as_u16(), 200);
    let address = *noted.lock().unwrap();
    address.map(|address| address.to_string())
}

#[tokio::test]
async fn a_trusted_proxy_tells_whose_address_counts() {
    for proxies in [&["10.0.0.100"][..], &["fd00::/8", "10.0.0.0/24"]] {
        let address = counts_as(Some("10.0.0.100:50000"), proxies).await;
        assert_eq!(address.as_deref(), Some("192.0.2.1:0"), "{proxies:?}");
    }
}

#[tokio::test]
async fn who_is_not_trusted_tells_nothing() {
    for proxies in [&["10.0.0.9"][..], &[]] {
        let address = counts_as(Some("10.0.0.100:50000"), proxies).await;
        assert_eq!(address.as_deref(), Some("10.0.0.100:50000"), "{proxies:?}");
    }
    assert_eq!(counts_as(None, &["0.0.0.0/0"]).await, None, "nor who is not known");
}
