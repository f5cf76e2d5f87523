//! The JSON API: users, rooms, messages, members, notifications.

use axum::Json;
use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use chat_core::storage::{Access, FurthestReaders, NewRoom, Room, StoredMessage, StoredNotification, User};
use chat_protocol::{MessageId, RoomName, UserId, Username};
use serde::Deserialize;
use serde_json::{Value, json};

use super::caller::{caller, json as read_json, room_of, somebody, verify};
use super::denied::Denied;
use super::people::{others, user_json};
use crate::gateway::Gateway;
use crate::query;

const DEFAULT_PAGE: u32 = 50;
const MAX_PAGE: u32 = 200;

/// A room to be made.
#[derive(Debug, Deserialize)]
pub(super) struct RoomToCreate {
    name: String,
    display_name: Option<String>,
    #[serde(default)]
    private: bool,
    #[serde(default)]
    members: Vec<String>,
}

/// Somebody to be made a member.
#[derive(Debug, Deserialize)]
pub(super) struct MemberToAdd {
    username: String,
}

/// `GET /chat/api/users`: the others.
pub(super) async fn users(State(gateway): State<Gateway>, request: Request) -> Result<Response, Denied> {
    let oneself = caller(&gateway, &request.into_parts().0).await?;
    let others = others(&gateway, oneself.as_ref()).await?;
    Ok(Json(others.iter().map(user_json).collect::<Vec<_>>()).into_response())
}

/// `GET /chat/api/notifications`: one's own.
pub(super) async fn notifications(
    State(gateway): State<Gateway>,
    request: Request,
) -> Result<Response, Denied> {
    let oneself = somebody(&gateway, &request.into_parts().0).await?;
    let listed = gateway.shared().service.storage().notifications(oneself.id).await?;
    Ok(Json(listed.iter().map(notification_json).collect::<Vec<_>>()).into_response())
}

/// `GET /chat/api/rooms`: those one is a member of.
pub(super) async fn rooms(State(gateway): State<Gateway>, request: Request) -> Result<Response, Denied> {
    let oneself = somebody(&gateway, &request.into_parts().0).await?;
    let rooms = gateway.shared().service.storage().rooms_of(oneself.id).await?;
    Ok(Json(rooms.iter().map(room_json).collect::<Vec<_>>()).into_response())
}

/// `POST /chat/api/rooms`: makes a room that one owns.
pub(super) async fn create_room(
    State(gateway): State<Gateway>,
    request: Request,
) -> Result<Response, Denied> {
    let (parts, room): (_, RoomToCreate) = read_json(&gateway, request).await?;
    let owner = somebody(&gateway, &parts).await?;
    let name = RoomName::new(&room.name).map_err(|_| Denied::BadRequest("No room can have this name."))?;
    let mut members = vec![owner.id];
    for member in &room.members {
        members.push(user_of(&gateway, member).await?.id);
    }
    let room = NewRoom {
        name,
        display_name: room.display_name.map(Into::into),
        access: if room.private { Access::MembersOnly } else { Access::Open },
        owner: Some(owner.id),
        members,
    };
    let made = gateway.shared().service.create_room(&room).await?;
    let made = made.ok_or(Denied::Conflict("This name is taken."))?;
    Ok((StatusCode::CREATED, Json(room_json(&made))).into_response())
}

/// `GET /chat/api/rooms/{room}/messages?before=&limit=`: newest first.
pub(super) async fn messages(
    State(gateway): State<Gateway>,
    Path(segment): Path<String>,
    request: Request,
) -> Result<Response, Denied> {
    let (parts, _) = request.into_parts();
    let oneself = caller(&gateway, &parts).await?;
    let room = room_of(&gateway, &segment, oneself.as_ref()).await?;
    let storage = gateway.shared().service.storage();
    let query = parts.uri.query().unwrap_or_default();
    let before = match query::value(query, "before") {
        None => None,
        Some(id) => {
            const NO_MESSAGE: Denied = Denied::NotFound("There is no such message.");
            let id: MessageId = id.parse().map_err(|_| NO_MESSAGE)?;
            Some(storage.seq_of(room.id, id).await?.ok_or(NO_MESSAGE)?)
        }
    };
    let limit = match query::value(query, "limit") {
        None => DEFAULT_PAGE,
        Some(limit) => limit.parse().map_err(|_| Denied::BadRequest("limit is not a number."))?,
    };
    let messages = storage.messages_before(room.id, before, limit.clamp(1, MAX_PAGE)).await?;
    let readers = storage.furthest_readers(room.id).await?;
    let listed: Vec<Value> = messages.iter().map(|message| message_json(message, readers)).collect();
    // The first message of a room is the last to be found.
    let next = messages.last().filter(|oldest| oldest.seq.value() > 1).map(|oldest| oldest.id.value());
    Ok(Json(json!({ "messages": listed, "next": next })).into_response())
}

/// `POST /chat/api/rooms/{room}/members`: makes somebody a member of a room that one owns.
pub(super) async fn add_member(
    State(gateway): State<Gateway>,
    Path(segment): Path<String>,
    request: Request,
) -> Result<Response, Denied> {
    let (parts, member): (_, MemberToAdd) = read_json(&gateway, request).await?;
    let room = own_room(&gateway, &segment, &somebody(&gateway, &parts).await?).await?;
    let user = user_of(&gateway, &member.username).await?;
    gateway.shared().service.add_member(&room, &user).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// `DELETE /chat/api/rooms/{room}/members/{username}`: removes a member of a room that one owns.
pub(super) async fn remove_member(
    State(gateway): State<Gateway>,
    Path((segment, username)): Path<(String, String)>,
    request: Request,
) -> Result<Response, Denied> {
    let (parts, _) = request.into_parts();
    verify(&gateway, &parts, None)?;
    let room = own_room(&gateway, &segment, &somebody(&gateway, &parts).await?).await?;
    let user = user_of(&gateway, &username).await?;
    gateway.shared().service.remove_member(room.id, user.id).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// A room that one owns; one that others own is said to be theirs only to who may enter it.
async fn own_room(gateway: &Gateway, segment: &str, oneself: &User) -> Result<Room, Denied> {
    let room = room_of(gateway, segment, Some(oneself)).await?;
    if room.owner == Some(oneself.id) {
        Ok(room)
    } else {
        Err(Denied::Forbidden("Only its owner may do this."))
    }
}

async fn user_of(gateway: &Gateway, name: &str) -> Result<User, Denied> {
    let name = Username::new(name).map_err(|_| Denied::NO_USER)?;
    gateway.shared().service.storage().user_named(&name).await?.ok_or(Denied::NO_USER)
}

pub(super) fn room_json(room: &Room) -> Value {
    json!({
        "id": room.id.value(),
        "name": room.name.as_str(),
        "display_name": room.display_name.as_deref().unwrap_or(room.name.as_str()),
        "is_private": room.access == Access::MembersOnly,
        "owner": room.owner.map(UserId::value),
    })
}

pub(super) fn notification_json(one: &StoredNotification) -> Value {
    json!({
        "id": one.id.value(),
        "message": &*one.text,
        "from_user": one.sender.name.as_str(),
        "date": one.sent_at.to_string(),
    })
}

fn message_json(message: &StoredMessage, readers: FurthestReaders) -> Value {
    json!({
        "message_id": message.id.value(),
        "user_id": message.sender.id.value(),
        "username": message.sender.name.as_str(),
        "message": &*message.text,
        "timestamp": message.sent_at.to_string(),
        "is_read": readers.have_read(message),
    })
}
