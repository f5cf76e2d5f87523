//! What the pages show, as JSON.

use axum::extract::{Path, State};
use axum::http::request::Parts;
use axum::response::Response;
use chat_core::storage::Room;
use chat_protocol::MessageId;
use serde_json::json;

use super::problem::Problem;
use super::record::{self, MessageRecord, NotificationRecord, RoomRecord, UserRecord, list};
use super::visitor::Visitor;
use crate::gateway::Gateway;
use crate::query;

/// Messages in a page, where the query does not say how many.
pub(super) const MESSAGES_PER_PAGE: u32 = 50;

/// Most messages in a page, whatever the query says.
const MAX_MESSAGES_PER_PAGE: u32 = 200;

/// Answers `GET /chat/api/users`: the others.
pub(super) async fn users(State(gateway): State<Gateway>, request: Parts) -> Result<Response, Problem> {
    let others = Visitor::of(&gateway, &request).await?.others(&gateway).await?;
    Ok(record::ok(&list::<_, UserRecord<'_>>(&others)))
}

/// Answers `GET /chat/api/rooms`: those that one is in.
pub(super) async fn rooms(State(gateway): State<Gateway>, request: Parts) -> Result<Response, Problem> {
    let rooms = Visitor::of(&gateway, &request).await?.rooms(&gateway).await?;
    Ok(record::ok(&list::<_, RoomRecord<'_>>(&rooms)))
}

/// Answers `GET /chat/api/notifications`: one's own.
pub(super) async fn notifications(
    State(gateway): State<Gateway>,
    request: Parts,
) -> Result<Response, Problem> {
    let notifications = Visitor::of(&gateway, &request).await?.notifications(&gateway).await?;
    Ok(record::ok(&list::<_, NotificationRecord<'_>>(&notifications)))
}

/// Answers `GET /chat/api/rooms/{room}/messages?before=&limit=`: newest first, and the `before` of the next page.
pub(super) async fn messages(
    State(gateway): State<Gateway>,
    Path(segment): Path<String>,
    request: Parts,
) -> Result<Response, Problem> {
    let room = Visitor::of(&gateway, &request).await?.room(&gateway, &segment).await?;
    let Page { before, limit } = Page::of(&request)?;
    page_of(&gateway, &room, before, limit).await
}

async fn page_of(
    gateway: &Gateway,
    room: &Room,
    before: Option<MessageId>,
    limit: u32,
) -> Result<Response, Problem> {
    let storage = gateway.shared().service.storage();
    let before = match before {
        Some(message) => {
            let unknown = || Problem::invalid("`before` is not the id of a message of this room.");
            Some(storage.seq_of(room.id, message).await?.ok_or_else(unknown)?)
        }
        None => None,
    };
    // One more shows whether there is a further page.
    let (mut messages, readers) = storage.page_before(room.id, before, limit + 1).await?;
    let is_last = messages.len() <= usize::try_from(limit).unwrap_or(usize::MAX);
    if !is_last {
        messages.pop();
    }
    let next = messages.last().filter(|_| !is_last).map(|oldest| oldest.id.value());
    let messages: Vec<_> = messages.iter().map(|message| MessageRecord::new(message, readers)).collect();
    Ok(record::ok(&json!({ "room_id": room.id.value(), "messages": messages, "next": next })))
}

/// Which page of messages is asked for.
#[derive(Debug)]
struct Page {
    before: Option<MessageId>,
    limit: u32,
}

impl Page {
    /// An empty value counts as none.
    fn of(request: &Parts) -> Result<Self, Problem> {
        let query = request.uri.query().unwrap_or_default();
        let value = |name| query::value(query, name).filter(|value| !value.is_empty());
        let before = value("before").map(|before| before.parse()).transpose();
        let limit = value("limit").map_or(Ok(MESSAGES_PER_PAGE), |limit| limit.parse());
        Ok(Self {
            before: before.map_err(|_| Problem::invalid("`before` is the id of a message."))?,
            limit: limit
                .map_err(|_| Problem::invalid("`limit` is a number of messages."))?
                .clamp(1, MAX_MESSAGES_PER_PAGE),
        })
    }
}
