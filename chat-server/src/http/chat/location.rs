//! Where things are, for links and redirects.
//!
//! All addresses start at the root of the site: the router may be nested, and a relative one would mean something else
//! in an error page than in the page itself.

use axum::extract::NestedPath;
use axum::http::header::LOCATION;
use axum::http::request::Parts;
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use chat_protocol::{RoomName, Username};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::visitor::Visitor;

/// What stays as it is in a segment of a path.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// What stays as it is in `?next=`, as Django writes it.
const NEXT: &AsciiSet = &SEGMENT.remove(b'/');

/// Where the router is: nothing, or the path that it is nested at.
pub(super) fn root(request: &Parts) -> String {
    let nested = request.extensions.get::<NestedPath>().map(NestedPath::as_str);
    nested.unwrap_or_default().trim_end_matches('/').to_owned()
}

/// The page of a room, as this visitor gets there.
pub(super) fn room(root: &str, name: &RoomName, visitor: &Visitor) -> String {
    let name = utf8_percent_encode(name.as_str(), SEGMENT);
    format!("{root}/chat/{name}/{}", visitor.query())
}

/// The link to the room of the visitor and somebody else.
pub(super) fn room_with(root: &str, name: &Username, visitor: &Visitor) -> String {
    let name = utf8_percent_encode(name.as_str(), SEGMENT);
    format!("{root}/chat/with/{name}/{}", visitor.query())
}

/// The list of the other users.
pub(super) fn people(root: &str, visitor: &Visitor) -> String {
    format!("{root}/chat/{}", visitor.query())
}

/// Leads to where one signs in, and from there back.
pub(super) fn log_in(request: &Parts) -> Response {
    let root = root(request);
    let here = request.uri.path_and_query().map_or("/", |here| here.as_str());
    let next = format!("{root}{here}");
    redirect(StatusCode::FOUND, format!("{root}/accounts/login/?next={}", utf8_percent_encode(&next, NEXT)))
}

/// As Django's `APPEND_SLASH`.
pub(super) async fn add_slash(uri: Uri, request: Parts) -> Response {
    let query = uri.query().map(|query| format!("?{query}")).unwrap_or_default();
    redirect(StatusCode::MOVED_PERMANENTLY, format!("{}{}/{query}", root(&request), uri.path()))
}

pub(super) fn redirect(status: StatusCode, location: String) -> Response {
    (status, [(LOCATION, location)]).into_response()
}
