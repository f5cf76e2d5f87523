//! What the documents ask of HTTP: the join API, the room's page and its forms, links to a room for two, and as JSON
//! what the pages show.
//!
//! | | asked by nobody | refused otherwise |
//! |---|---|---|
//! | `GET /chat/api/join/{listing}` | 403 | `{"success": false, "message": …}` |
//! | the rest of `/chat/api/` | 403 | `{"detail": …}` |
//! | pages | 302 to `/accounts/login/` | a page that says why; `{"detail": …}` for who asks for JSON |
//!
//! A room that one may not enter is answered as one that does not exist. What changes something needs the CSRF token,
//! save where the header `Authorization` brings a token: no page of another site can make a browser send that.

mod api;
mod body;
mod join;
mod location;
mod members;
mod people;
mod problem;
mod record;
mod room;
mod rooms;
mod view;
mod visitor;

use axum::Router;
use axum::http::HeaderValue;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use axum::middleware::map_response;
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, post};

use crate::gateway::Gateway;

/// The routes, all below `/chat`.
pub(crate) fn router() -> Router<Gateway> {
    Router::new()
        .route("/chat/api/join/{listing}", get(join::join))
        .route("/chat/api/join/{listing}/", get(join::join))
        .route("/chat/api/users", get(api::users))
        .route("/chat/api/notifications", get(api::notifications))
        .route("/chat/api/rooms", get(api::rooms).post(members::create_room))
        .route("/chat/api/rooms/{room}/messages", get(api::messages))
        .route("/chat/api/rooms/{room}/members", post(members::add))
        .route("/chat/api/rooms/{room}/members/{username}", delete(members::remove))
        .route("/chat", get(location::add_slash))
        .route("/chat/", get(people::page))
        .route("/chat/with/{username}", get(location::add_slash))
        .route("/chat/with/{username}/", get(people::enter_room_with))
        .route("/chat/{room}", get(location::add_slash))
        .route("/chat/{room}/", get(room::page).post(room::submit))
        .route("/chat/chat.css", get(style))
        .route("/chat/chat.js", get(script))
        .route_layer(map_response(guard))
}

async fn style() -> impl IntoResponse {
    file("text/css; charset=utf-8", include_str!("../../../page/chat/pages.css"))
}

async fn script() -> impl IntoResponse {
    file("text/javascript; charset=utf-8", include_str!("../../../page/chat/chat.js"))
}

fn file(kind: &'static str, text: &'static str) -> impl IntoResponse {
    ([(CONTENT_TYPE, kind), (CACHE_CONTROL, "no-cache")], text)
}

/// Nothing but forms and styles of this site, in nobody's frame, in nobody's cache; a page may say otherwise.
async fn guard(mut response: Response) -> Response {
    const POLICY: &str =
        "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";
    const HEADERS: [(HeaderName, &str); 4] = [
        (CONTENT_SECURITY_POLICY, POLICY),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (REFERRER_POLICY, "same-origin"),
        (CACHE_CONTROL, "no-store"),
    ];
    for (name, value) in HEADERS {
        response.headers_mut().entry(name).or_insert(HeaderValue::from_static(value));
    }
    response
}
