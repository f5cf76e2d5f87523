//! What the server counts, for whoever watches over it.

use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::IntoResponse;

use crate::gateway::Gateway;
use crate::metrics::Metrics;

/// All figures. They name nobody and no room.
pub(super) async fn metrics(State(gateway): State<Gateway>) -> impl IntoResponse {
    let text = gateway.shared().config.metrics.to_text();
    ([(CONTENT_TYPE, Metrics::CONTENT_TYPE), (CACHE_CONTROL, "no-store")], text)
}
