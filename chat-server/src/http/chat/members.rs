//! Rooms of one's own, and who is a member of them.

use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use chat_core::storage::{Access, Joining, Leaving, NewRoom, Room, User};
use chat_protocol::{NameError, RoomName};
use serde::Deserialize;

use super::problem::Problem;
use super::record::{self, RoomRecord, UserRecord};
use super::visitor::Visitor;
use super::{body, people};
use crate::gateway::Gateway;

/// Most characters of what people call a room.
const MAX_DISPLAY_NAME_CHARS: usize = 200;

/// Most members that a new room can have.
const MAX_FIRST_MEMBERS: usize = 100;

#[derive(Debug, Deserialize)]
struct Wish {
    name: String,
    display_name: Option<String>,
    #[serde(default)]
    private: bool,
    #[serde(default)]
    members: Vec<String>,
}

#[derive(Debug, Deserialize)]
struct NewMember {
    username: String,
}

/// Answers `POST /chat/api/rooms`: makes a room, whose owner and first member is who asks.
pub(super) async fn create_room(
    State(gateway): State<Gateway>,
    request: Request,
) -> Result<Response, Problem> {
    let (request, body) = request.into_parts();
    let visitor = Visitor::of(&gateway, &request).await?;
    let owner = visitor.somebody()?;
    let what = "an object with the text `name` and, if wanted, the text `display_name`, `private` as true or false, \
                and the list of names `members`";
    let wish: Wish = body::json(&gateway, &request, body, what).await?;
    let room = plan(&gateway, &visitor, owner, wish).await?;
    let made = gateway.shared().service.create_room(&room).await?.ok_or(Problem::NameTaken)?;
    Ok(record::respond(StatusCode::CREATED, &RoomRecord::from(&made)))
}

async fn plan(
    gateway: &Gateway,
    visitor: &Visitor,
    owner: &User,
    Wish { name, display_name, private, members }: Wish,
) -> Result<NewRoom, Problem> {
    let invalid = |error: NameError| Problem::invalid(format!("`name`: {error}."));
    let name = RoomName::new(&name).map_err(invalid)?;
    name.check_new().map_err(invalid)?;
    if name.as_str().bytes().all(|byte| byte.is_ascii_digit()) {
        // Names come before ids: such a room would stand in the way to the room with that id.
        return Err(Problem::invalid(
            "`name`: it needs something other than digits, which are the id of a room.",
        ));
    }
    let display_name = display_name.filter(|text| !text.trim().is_empty());
    if display_name.as_ref().is_some_and(|text| text.chars().count() > MAX_DISPLAY_NAME_CHARS) {
        return Err(Problem::invalid(format!(
            "`display_name`: it has more than {MAX_DISPLAY_NAME_CHARS} characters."
        )));
    }
    let access = if private { Access::MembersOnly } else { Access::Open };
    if private && visitor.access() == Access::Open {
        return Err(Problem::OpenOnly);
    }
    if members.len() > MAX_FIRST_MEMBERS {
        return Err(Problem::invalid(format!(
            "`members`: more than {MAX_FIRST_MEMBERS}; add the rest later."
        )));
    }
    let mut ids = vec![owner.id];
    for member in &members {
        let member = people::find(gateway, member).await?;
        if !ids.contains(&member.id) {
            ids.push(member.id);
        }
    }
    let display_name = display_name.map(Into::into);
    Ok(NewRoom { name, display_name, access, owner: Some(owner.id), members: ids })
}

/// Answers `POST /chat/api/rooms/{room}/members`.
pub(super) async fn add(
    State(gateway): State<Gateway>,
    Path(segment): Path<String>,
    request: Request,
) -> Result<Response, Problem> {
    let (request, body) = request.into_parts();
    let visitor = Visitor::of(&gateway, &request).await?;
    visitor.somebody()?;
    let NewMember { username } =
        body::json(&gateway, &request, body, "an object with the text `username`").await?;
    let room = room_to_change(&gateway, &visitor, &segment).await?;
    let user = people::find(&gateway, &username).await?;
    let status = match gateway.shared().service.add_member(&room, &user).await? {
        Joining::Joined => StatusCode::CREATED,
        Joining::AlreadyMember => StatusCode::OK,
    };
    Ok(record::respond(status, &UserRecord::from(&user)))
}

/// Answers `DELETE /chat/api/rooms/{room}/members/{username}`.
pub(super) async fn remove(
    State(gateway): State<Gateway>,
    Path((segment, username)): Path<(String, String)>,
    request: Parts,
) -> Result<Response, Problem> {
    let visitor = Visitor::of(&gateway, &request).await?;
    visitor.somebody()?;
    body::verify(&gateway, &request, None)?;
    let room = room_to_change(&gateway, &visitor, &segment).await?;
    let user = people::find(&gateway, &username).await?;
    if room.owner == Some(user.id) {
        return Err(Problem::invalid("The owner of a room stays in it."));
    }
    match gateway.shared().service.remove_member(room.id, user.id).await? {
        Leaving::Left => Ok(StatusCode::NO_CONTENT.into_response()),
        Leaving::NotAMember => Err(Problem::NotAMember),
    }
}

/// The room of a segment of a path, where it is the visitor's own. Whoever may not even enter it hears of no room.
async fn room_to_change(gateway: &Gateway, visitor: &Visitor, segment: &str) -> Result<Room, Problem> {
    let room = visitor.room(gateway, segment).await?;
    let is_own = visitor.user().is_some_and(|user| room.owner == Some(user.id));
    if is_own { Ok(room) } else { Err(Problem::NotTheOwner) }
}
