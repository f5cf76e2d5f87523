//! `GET /chat/api/join/{listing}`: the room in which one talks to who has put up a listing.

use axum::Json;
use axum::extract::{Path, Request, State};
use axum::response::{IntoResponse, Response};
use chat_core::storage::{Access, NewRoom, Profile, Purpose};
use serde_json::{Value, json};

use super::caller::{random_name, somebody};
use super::denied::Denied;
use crate::gateway::Gateway;

pub(super) async fn join(
    State(gateway): State<Gateway>,
    Path(listing): Path<String>,
    request: Request,
) -> Response {
    match answer(&gateway, &listing, request).await {
        Ok(answer) => Json(answer).into_response(),
        Err(denied) => (denied.status(), Json(json!({ "success": false, "message": denied.to_string() })))
            .into_response(),
    }
}

async fn answer(gateway: &Gateway, listing: &str, request: Request) -> Result<Value, Denied> {
    const NO_LISTING: Denied = Denied::NotFound("There is no such listing.");
    let caller = somebody(gateway, &request.into_parts().0).await?;
    let listing: i64 = listing.parse().map_err(|_| NO_LISTING)?;
    let service = &gateway.shared().service;
    let owner = service.storage().listing_owner(listing).await?.ok_or(NO_LISTING)?;
    let room = NewRoom {
        name: random_name()?,
        display_name: None,
        access: Access::MembersOnly,
        owner: Some(owner.id),
        members: vec![owner.id, caller.id],
    };
    let room = service.room_for(Purpose::Listing { listing, caller: caller.id }, &room).await?;
    let Profile { email, picture, city, first_name, last_name, gender } =
        service.storage().profile(owner.id).await?;
    Ok(json!({
        "success": true,
        "roomName": [room.name.as_str()],
        "username": caller.name.as_str(),
        "profile": {
            "id": owner.id.value(), "email": email, "picture": picture, "city": city, "first_name": first_name,
            "last_name": last_name, "gender": gender, "user": owner.id.value(),
        },
    }))
}
