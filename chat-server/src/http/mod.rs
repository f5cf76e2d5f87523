//! The routes.

mod accounts;
mod chat;
pub(crate) mod cookie;
pub(crate) mod csrf;
mod document;
mod health;
mod metrics;
mod page;
mod peer;
mod since;
mod socket;

pub use accounts::{keep_signed_in, router as accounts_router};
pub use cookie::Scheme;
pub(crate) use peer::PeerAddress;
pub use peer::trust_proxies;

use axum::Router;
use axum::routing::get;

use crate::gateway::Gateway;

/// The router of a gateway.
pub(crate) fn router(gateway: Gateway) -> Router {
    Router::new()
        .route("/", get(page::index))
        .route("/page.css", get(page::style))
        .route("/page.js", get(page::script))
        .route("/healthz", get(health::healthz))
        .route("/readyz", get(health::readyz))
        .route("/metrics", get(metrics::metrics))
        .route("/ws/chat/{room}", get(socket::open))
        .route("/ws/chat/{room}/", get(socket::open))
        .merge(chat::router())
        .with_state(gateway)
}
