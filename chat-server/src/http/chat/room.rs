//! The page of a room and its forms: the view of the `group` document.

use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use chat_core::storage::{Room, User};
use chat_protocol::{NotificationId, RoomName, UserId};
use serde_json::json;

use super::api::MESSAGES_PER_PAGE;
use super::body::Form;
use super::problem::Problem;
use super::record::{self, NotificationRecord, RoomRecord, UserRecord, list};
use super::view::RoomView;
use super::visitor::Visitor;
use super::{location, rooms};
use crate::audit;
use crate::gateway::Gateway;
use crate::http::csrf;

/// Answers `GET /chat/{room}/`.
pub(super) async fn page(
    State(gateway): State<Gateway>,
    Path(segment): Path<String>,
    request: Parts,
) -> Response {
    match show(&gateway, &segment, &request).await {
        Ok(page) => page,
        Err(problem) => problem.in_page(&request),
    }
}

async fn show(gateway: &Gateway, segment: &str, request: &Parts) -> Result<Response, Problem> {
    let visitor = Visitor::of(gateway, request).await?;
    let Place { name, room } = Place::of(gateway, &visitor, segment).await?;
    let notifications = visitor.notifications(gateway).await?;
    let (others, rooms) = (visitor.others(gateway).await?, visitor.rooms(gateway).await?);
    let (token, cookie) = csrf::token(request, gateway.shared().config.scheme)?;
    if record::is_wanted_by(request) {
        let page = record::ok(&json!({
            "room_name": name.as_str(),
            "room": room.as_ref().map(RoomRecord::from),
            "self": visitor.user().map(UserRecord::from),
            "notifications": list::<_, NotificationRecord<'_>>(&notifications),
            "users": list::<_, UserRecord<'_>>(&others),
            "rooms": list::<_, RoomRecord<'_>>(&rooms),
        }));
        return Ok((cookie, page).into_response());
    }
    let messages = match &room {
        Some(room) => {
            let storage = gateway.shared().service.storage();
            storage.messages_before(room.id, None, MESSAGES_PER_PAGE).await?
        }
        None => Vec::new(),
    };
    let root = location::root(request);
    let view = RoomView {
        root: &root,
        token: &token,
        visitor: &visitor,
        name: &name,
        room: room.as_ref(),
        messages: &messages,
        rooms: &rooms,
        others: &others,
        notifications: &notifications,
    };
    Ok((cookie, view.render()).into_response())
}

/// Where a page is.
struct Place {
    name: RoomName,
    /// A guest's room is made only when a socket enters it; till then, and where it is closed to guests, there is none.
    room: Option<Room>,
}

impl Place {
    async fn of(gateway: &Gateway, visitor: &Visitor, segment: &str) -> Result<Self, Problem> {
        let named = RoomName::new(segment).map_err(|_| Problem::NoSuchRoom)?;
        match (visitor.room(gateway, segment).await, visitor) {
            (Ok(room), _) => Ok(Self { name: room.name.clone(), room: Some(room) }),
            (Err(Problem::NoSuchRoom), Visitor::Guest(_)) => Ok(Self { name: named, room: None }),
            (Err(problem), _) => Err(problem),
        }
    }
}

/// Answers `POST /chat/{room}/`.
pub(super) async fn submit(
    State(gateway): State<Gateway>,
    Path(segment): Path<String>,
    request: Request,
) -> Response {
    let (request, body) = request.into_parts();
    let done = async {
        let visitor = Visitor::of(&gateway, &request).await?;
        let own = visitor.somebody()?;
        let form = Form::read(&gateway, &request, body).await?;
        let place = Place::of(&gateway, &visitor, &segment).await?;
        let page_of = |name| location::room(&location::root(&request), name, &visitor);
        match form.value("type") {
            Some("Clean_Seen") => {
                clear(&gateway, own, &form).await?;
                Ok(answer(&form, page_of(&place.name), || StatusCode::OK.into_response()))
            }
            Some("Create_Group_Single") => {
                let room = find_or_make(&gateway, &visitor, &form).await?;
                let made = json!({ "id": room.id.value(), "display_name": rooms::label(&room) });
                Ok(answer(&form, page_of(&room.name), || record::ok(&made)))
            }
            _ => Err(Problem::invalid("`type` is Clean_Seen or Create_Group_Single.")),
        }
    };
    done.await.unwrap_or_else(|problem| problem.in_page(&request))
}

/// What a form is answered with. Those of this server's own page say that they want to see a page afterwards; the
/// document's script wants data.
fn answer(form: &Form, page: String, data: impl FnOnce() -> Response) -> Response {
    if form.value("then") == Some("page") { location::redirect(StatusCode::SEE_OTHER, page) } else { data() }
}

/// Clears the notifications that the form names, as far as they are one's own.
async fn clear(gateway: &Gateway, own: &User, form: &Form) -> Result<(), Problem> {
    // The document's script spells the name as jQuery does for a list.
    let ids: Result<Vec<NotificationId>, _> =
        form.values(&["seen_id[]", "seen_id"]).map(str::parse).collect();
    let ids = ids.map_err(|_| Problem::invalid("`seen_id[]` is the id of a notification."))?;
    gateway.shared().service.storage().clear_notifications(own.id, &ids).await?;
    audit::cleared(&own.name, ids.len());
    Ok(())
}

/// The room with the user whose id the form names.
async fn find_or_make(gateway: &Gateway, visitor: &Visitor, form: &Form) -> Result<Room, Problem> {
    let id: UserId = form
        .value("user")
        .and_then(|user| user.parse().ok())
        .ok_or_else(|| Problem::invalid("`user` is the id of a user."))?;
    let other = gateway.shared().service.storage().user(id).await?;
    let other = other.filter(|user| !user.name.is_anonymous()).ok_or(Problem::NoSuchUser)?;
    rooms::one_to_one(gateway, visitor, &other).await
}
