//! The other users, and the room with each of them: the links for two of the `remetente` document.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use chat_core::storage::User;
use chat_protocol::Username;

use super::problem::Problem;
use super::visitor::Visitor;
use super::{location, rooms, view};
use crate::gateway::Gateway;

/// The user of a name that somebody gives.
pub(super) async fn find(gateway: &Gateway, name: &str) -> Result<User, Problem> {
    let name = Username::new(name).ok().filter(|name| !name.is_anonymous()).ok_or(Problem::NoSuchUser)?;
    gateway.shared().service.storage().user_named(&name).await?.ok_or(Problem::NoSuchUser)
}

/// Answers `GET /chat/`.
pub(super) async fn page(State(gateway): State<Gateway>, request: Parts) -> Response {
    match show(&gateway, &request).await {
        Ok(page) => page,
        Err(problem) => problem.in_page(&request),
    }
}

async fn show(gateway: &Gateway, request: &Parts) -> Result<Response, Problem> {
    let visitor = Visitor::of(gateway, request).await?;
    let (others, rooms) = (visitor.others(gateway).await?, visitor.rooms(gateway).await?);
    Ok(view::people(&location::root(request), &visitor, &others, &rooms).into_response())
}

/// Answers `GET /chat/with/{username}/`: sends whichever of the two asks to the same room.
pub(super) async fn enter_room_with(
    State(gateway): State<Gateway>,
    Path(name): Path<String>,
    request: Parts,
) -> Response {
    match lead(&gateway, &name, &request).await {
        Ok(redirect) => redirect,
        Err(problem) => problem.in_page(&request),
    }
}

async fn lead(gateway: &Gateway, name: &str, request: &Parts) -> Result<Response, Problem> {
    let visitor = Visitor::of(gateway, request).await?;
    visitor.somebody()?;
    let room = rooms::one_to_one(gateway, &visitor, &find(gateway, name).await?).await?;
    let address = location::room(&location::root(request), &room.name, &visitor);
    Ok(location::redirect(StatusCode::FOUND, address))
}
