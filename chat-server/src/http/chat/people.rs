//! `/chat/`: the others, each with a link to a room for the two.

use axum::Json;
use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::http::header::LOCATION;
use axum::response::{IntoResponse, Response};
use chat_core::storage::{Access, NewRoom, Purpose, Room, User};
use chat_protocol::Username;
use maud::html;
use serde_json::json;

use super::caller::{caller, random_name, somebody};
use super::denied::Denied;
use super::room::{page, sign_in};
use super::wants_json;
use crate::gateway::Gateway;

/// `GET /chat/`
pub(super) async fn list(State(gateway): State<Gateway>, request: Request) -> Result<Response, Denied> {
    let (parts, _) = request.into_parts();
    let oneself = match caller(&gateway, &parts).await {
        Err(Denied::NotSignedIn) if !wants_json(&parts.headers) => return Ok(sign_in(&parts)),
        oneself => oneself?,
    };
    let others = others(&gateway, oneself.as_ref()).await?;
    if wants_json(&parts.headers) {
        let listed: Vec<_> = others.iter().map(user_json).collect();
        return Ok(Json(listed).into_response());
    }
    let content = html! {
        h1 { "People" }
        ul { @for other in &others {
            li id=(format!("user_{}", other.id)) { a href=(format!("with/{}/", path(&other.name))) { (other.name) } }
        } }
    };
    Ok(page("People", "chat.css", &content).into_response())
}

/// `GET /chat/with/{username}/`: finds or makes the room of the two, and sends the caller there.
pub(super) async fn talk(
    State(gateway): State<Gateway>,
    Path(username): Path<String>,
    request: Request,
) -> Result<Response, Denied> {
    let (parts, _) = request.into_parts();
    let oneself = match somebody(&gateway, &parts).await {
        Err(Denied::NotSignedIn) => return Ok(sign_in(&parts)),
        oneself => oneself?,
    };
    let name = Username::new(&username).map_err(|_| Denied::NO_USER)?;
    let other = gateway.shared().service.storage().user_named(&name).await?.ok_or(Denied::NO_USER)?;
    let room = room_of_two(&gateway, &oneself, &other).await?;
    // As a guest is known by the query, it goes along.
    let query = parts.uri.query().map(|query| format!("?{query}")).unwrap_or_default();
    Ok((StatusCode::FOUND, [(LOCATION, format!("../../{}/{query}", room.name))]).into_response())
}

/// The others, by id.
pub(super) async fn others(gateway: &Gateway, oneself: Option<&User>) -> Result<Vec<User>, Denied> {
    let mut users = gateway.shared().service.storage().users().await?;
    users.retain(|user| Some(user.id) != oneself.map(|oneself| oneself.id) && !user.name.is_anonymous());
    Ok(users)
}

/// The one room of two people, whoever asks.
pub(super) async fn room_of_two(gateway: &Gateway, asker: &User, other: &User) -> Result<Room, Denied> {
    if asker.id == other.id {
        return Err(Denied::BadRequest("A room for two needs two."));
    }
    let room = NewRoom {
        name: random_name()?,
        display_name: Some(format!("{}_with_{}", asker.name, other.name).into()),
        access: Access::MembersOnly,
        owner: None,
        members: vec![asker.id, other.id],
    };
    Ok(gateway.shared().service.room_for(Purpose::OneToOne(asker.id, other.id), &room).await?)
}

pub(super) fn user_json(user: &User) -> serde_json::Value {
    json!({ "id": user.id.value(), "username": user.name.as_str() })
}

/// A name as a segment of a path.
fn path(name: &Username) -> String {
    percent_encoding::utf8_percent_encode(name.as_str(), percent_encoding::NON_ALPHANUMERIC).to_string()
}
