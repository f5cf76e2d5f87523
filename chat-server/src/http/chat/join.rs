//! The `command` document's way into a room: from a listing to the room with its owner.

use axum::extract::{Path, State};
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use chat_core::storage::{Profile, Purpose, User};
use serde::Serialize;
use serde_json::json;

use super::problem::Problem;
use super::visitor::Visitor;
use super::{record, rooms};
use crate::gateway::Gateway;

/// What the document shows.
#[derive(Debug, Serialize)]
struct Joined<'a> {
    success: bool,
    /// A list of one, as a queryset of Django's.
    #[serde(rename = "roomName")]
    room_name: [&'a str; 1],
    username: &'a str,
    profile: ProfileRecord<'a>,
}

#[derive(Debug, Serialize)]
struct ProfileRecord<'a> {
    id: i64,
    email: &'a str,
    picture: &'a str,
    city: &'a str,
    first_name: &'a str,
    last_name: &'a str,
    gender: &'a str,
    user: i64,
}

impl<'a> ProfileRecord<'a> {
    fn new(owner: &User, profile: &'a Profile) -> Self {
        let Profile { email, picture, city, first_name, last_name, gender } = profile;
        // A user has one profile, which goes by the id of the user.
        let id = owner.id.value();
        Self { id, email, picture, city, first_name, last_name, gender, user: id }
    }
}

/// A problem, as this document's front end is told of it.
#[derive(Debug)]
pub(super) struct Refusal(Problem);

impl<P: Into<Problem>> From<P> for Refusal {
    fn from(problem: P) -> Self {
        Self(problem.into())
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let Self(problem) = self;
        record::respond(problem.status(), &json!({ "success": false, "message": problem.to_string() }))
    }
}

/// Answers `GET /chat/api/join/{listing}`.
pub(super) async fn join(
    State(gateway): State<Gateway>,
    Path(listing): Path<String>,
    request: Parts,
) -> Result<Response, Refusal> {
    let visitor = Visitor::of(&gateway, &request).await?;
    let caller = visitor.somebody()?;
    let listing = listing_id(&listing).ok_or(Problem::NoSuchListing)?;
    let storage = gateway.shared().service.storage();
    let owner = storage.listing_owner(listing).await?.ok_or(Problem::NoSuchListing)?;
    if owner.id == caller.id {
        return Err(Problem::invalid("This listing is your own.").into());
    }
    let purpose = Purpose::Listing { listing, owner: owner.id, caller: caller.id };
    let room = rooms::for_purpose(&gateway, &visitor, purpose, &owner).await?;
    let profile = storage.profile(owner.id).await?;
    Ok(record::ok(&Joined {
        success: true,
        room_name: [room.name.as_str()],
        username: caller.name.as_str(),
        profile: ProfileRecord::new(&owner, &profile),
    }))
}

/// Digits only, as Django's `<int:…>`.
fn listing_id(segment: &str) -> Option<i64> {
    if segment.bytes().all(|byte| byte.is_ascii_digit()) { segment.parse().ok() } else { None }
}
