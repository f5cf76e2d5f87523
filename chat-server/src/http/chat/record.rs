//! What is stored, as JSON.

use axum::http::header::{ACCEPT, CONTENT_TYPE};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use chat_core::storage::{Access, FurthestReaders, Room, StoredMessage, StoredNotification, User};
use chat_protocol::ClientId;
use serde::Serialize;

use super::rooms::label;

/// A user.
#[derive(Debug, Serialize)]
pub(super) struct UserRecord<'a> {
    id: i64,
    username: &'a str,
}

impl<'a> From<&'a User> for UserRecord<'a> {
    fn from(user: &'a User) -> Self {
        Self { id: user.id.value(), username: user.name.as_str() }
    }
}

/// A room.
#[derive(Debug, Serialize)]
pub(super) struct RoomRecord<'a> {
    id: i64,
    name: &'a str,
    display_name: &'a str,
    is_private: bool,
    owner: Option<i64>,
}

impl<'a> From<&'a Room> for RoomRecord<'a> {
    fn from(room: &'a Room) -> Self {
        Self {
            id: room.id.value(),
            name: room.name.as_str(),
            display_name: label(room),
            is_private: room.access == Access::MembersOnly,
            owner: room.owner.map(i64::from),
        }
    }
}

/// A message.
#[derive(Debug, Serialize)]
pub(super) struct MessageRecord<'a> {
    message_id: i64,
    user_id: i64,
    username: &'a str,
    message: &'a str,
    timestamp: String,
    is_read: bool,
    client_id: Option<&'a str>,
}

impl<'a> MessageRecord<'a> {
    pub(super) fn new(message: &'a StoredMessage, readers: FurthestReaders) -> Self {
        Self {
            message_id: message.id.value(),
            user_id: message.sender.id.value(),
            username: message.sender.name.as_str(),
            message: &message.text,
            timestamp: message.sent_at.to_string(),
            is_read: readers.have_read(message),
            client_id: message.client_id.as_ref().map(ClientId::as_str),
        }
    }
}

/// A notification.
#[derive(Debug, Serialize)]
pub(super) struct NotificationRecord<'a> {
    id: i64,
    message: &'a str,
    from_user: &'a str,
    date: String,
}

impl<'a> From<&'a StoredNotification> for NotificationRecord<'a> {
    fn from(notification: &'a StoredNotification) -> Self {
        Self {
            id: notification.id.value(),
            message: &notification.text,
            from_user: notification.sender.name.as_str(),
            date: notification.sent_at.to_string(),
        }
    }
}

/// The records of a list.
pub(super) fn list<'a, T, R: From<&'a T>>(items: &'a [T]) -> Vec<R> {
    items.iter().map(R::from).collect()
}

/// Answers with JSON.
pub(super) fn respond(status: StatusCode, record: &impl Serialize) -> Response {
    match serde_json::to_string(record) {
        Ok(body) => (status, [(CONTENT_TYPE, "application/json")], body).into_response(),
        Err(error) => {
            tracing::error!(%error, "an answer cannot be written");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// Answers with JSON, where all went well.
pub(super) fn ok(record: &impl Serialize) -> Response {
    respond(StatusCode::OK, record)
}

/// Whether a request asks for JSON, and not first for a page.
pub(super) fn is_wanted_by(request: &Parts) -> bool {
    accepted(&request.headers).find(|kind| matches!(*kind, "application/json" | "text/html"))
        == Some("application/json")
}

fn accepted(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    let lists = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok());
    lists.flat_map(|list| list.split(',')).filter_map(|range| range.split(';').next()).map(str::trim)
}
