//! For those who watch over the server: whether it lives, and whether it does its work.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CACHE_CONTROL;
use axum::response::IntoResponse;

use crate::gateway::{Gateway, Readiness};

/// Says that the process lives and answers.
pub(super) async fn healthz() -> &'static str {
    "ok\n"
}

/// Says whether a message could be stored now. Anybody may ask, so that it says why not in general words only.
pub(super) async fn readyz(State(gateway): State<Gateway>) -> impl IntoResponse {
    let gateway = gateway.shared();
    let (status, text) = if gateway.stopping.is_cancelled() {
        (StatusCode::SERVICE_UNAVAILABLE, "the server is stopping\n")
    } else {
        let storage = Arc::clone(gateway.service.storage());
        match gateway.readiness.ask(|| async move { storage.check().await }).await {
            Readiness::Ready => (StatusCode::OK, "ready\n"),
            Readiness::Refused => (StatusCode::SERVICE_UNAVAILABLE, "nothing can be stored\n"),
            Readiness::Unanswered => (StatusCode::SERVICE_UNAVAILABLE, "storage does not answer in time\n"),
        }
    };
    (status, [(CACHE_CONTROL, "no-store")], text)
}
