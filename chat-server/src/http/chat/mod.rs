//! The documents' HTTP: the join API, the room view, one-to-one rooms, and a JSON API beside them.
//!
//! | | whoever is nobody | refused otherwise |
//! |---|---|---|
//! | `GET /chat/api/join/{listing}` | 403 | `{"success": false, "message": …}` |
//! | the rest of `/chat/api/`, and what changes something | 403 | `{"detail": …}` |
//! | pages | 302 to `/accounts/login/` | `{"detail": …}` |
//!
//! A room that one may not enter is answered as one that does not exist. What changes something needs the CSRF token.

mod api;
mod caller;
mod denied;
mod join;
mod people;
mod room;

use axum::Router;
use axum::http::header::{
    ACCEPT, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, HeaderValue};
use axum::middleware::map_response;
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, post};

use crate::gateway::Gateway;

/// The routes below `/chat/`.
pub(super) fn router() -> Router<Gateway> {
    Router::new()
        .route("/chat/", get(people::list))
        .route("/chat/chat.css", get(style))
        .route("/chat/with/{username}/", get(people::talk))
        .route("/chat/{room}/", get(room::show).post(room::submit))
        .route("/chat/api/join/{listing}", get(join::join))
        .route("/chat/api/join/{listing}/", get(join::join))
        .route("/chat/api/users", get(api::users))
        .route("/chat/api/notifications", get(api::notifications))
        .route("/chat/api/rooms", get(api::rooms).post(api::create_room))
        .route("/chat/api/rooms/{room}/messages", get(api::messages))
        .route("/chat/api/rooms/{room}/members", post(api::add_member))
        .route("/chat/api/rooms/{room}/members/{username}", delete(api::remove_member))
        .route_layer(map_response(guard))
}

async fn style() -> impl IntoResponse {
    ([(CONTENT_TYPE, "text/css; charset=utf-8")], include_str!("../../../page/chat/chat.css"))
}

/// Nothing but forms and styles of this site, in nobody's frame, in nobody's cache.
async fn guard(mut response: Response) -> Response {
    const POLICY: &str =
        "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";
    let headers = response.headers_mut();
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// Whether a request asks for JSON rather than for a page.
fn wants_json(headers: &HeaderMap) -> bool {
    let accept = headers.get(ACCEPT).and_then(|accept| accept.to_str().ok()).unwrap_or_default();
    match (accept.find("application/json"), accept.find("text/html")) {
        (Some(json), Some(html)) => json < html,
        (json, _) => json.is_some(),
    }
}
