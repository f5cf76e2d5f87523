//! `/chat/{room}/`, the room view of the `group` document: notifications, people, rooms, and what can be done about them.

use axum::Json;
use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::http::header::LOCATION;
use axum::http::request::Parts;
use axum::response::{Html, IntoResponse, Response};
use chat_core::storage::{Room, StoredNotification, User};
use chat_protocol::{NotificationId, RoomName, UserId};
use maud::{DOCTYPE, Markup, html};
use serde_json::json;

use super::api::{notification_json, room_json};
use super::caller::{caller, form};
use super::denied::Denied;
use super::people::{others, room_of_two, user_json};
use super::wants_json;
use crate::audit;
use crate::gateway::Gateway;
use crate::http::csrf;

/// What the view shows. Somebody who is not there sees nothing but the people.
struct View {
    room: RoomName,
    oneself: Option<User>,
    notifications: Vec<StoredNotification>,
    others: Vec<User>,
    rooms: Vec<Room>,
}

/// `GET /chat/{room}/`. The room in the path only names the socket that the page opens; it need not be there.
pub(super) async fn show(
    State(gateway): State<Gateway>,
    Path(segment): Path<String>,
    request: Request,
) -> Result<Response, Denied> {
    let (parts, _) = request.into_parts();
    let room = RoomName::new(&segment).map_err(|_| Denied::NO_ROOM)?;
    let oneself = match caller(&gateway, &parts).await {
        Err(Denied::NotSignedIn) if !wants_json(&parts.headers) => return Ok(sign_in(&parts)),
        oneself => oneself?,
    };
    let storage = gateway.shared().service.storage();
    let (notifications, rooms) = match &oneself {
        Some(oneself) => (storage.notifications(oneself.id).await?, storage.rooms_of(oneself.id).await?),
        None => (vec![], vec![]),
    };
    let others = others(&gateway, oneself.as_ref()).await?;
    let view = View { room, oneself, notifications, others, rooms };
    if wants_json(&parts.headers) {
        return Ok(Json(view.json()).into_response());
    }
    let (token, cookie) = csrf::token(&parts, gateway.shared().config.scheme)?;
    Ok((cookie, page(view.room.as_str(), "../chat.css", &view.html(&token))).into_response())
}

/// `POST /chat/{room}/`
pub(super) async fn submit(State(gateway): State<Gateway>, request: Request) -> Result<Response, Denied> {
    let (parts, fields) = form(&gateway, request).await?;
    let oneself = caller(&gateway, &parts).await?.ok_or(Denied::NotSignedIn)?;
    let values = |wanted: &'static [&'static str]| {
        fields.iter().filter(move |(name, _)| wanted.contains(&&**name)).map(|(_, value)| value.as_str())
    };
    match values(&["type"]).next() {
        Some("Clean_Seen") => {
            let ids: Result<Vec<NotificationId>, _> =
                values(&["seen_id[]", "seen_id"]).map(str::parse).collect();
            let ids = ids.map_err(|_| Denied::BadRequest("seen_id[] is not the id of a notification."))?;
            gateway.shared().service.storage().clear_notifications(oneself.id, &ids).await?;
            audit::cleared(&oneself.name, ids.len());
            Ok(StatusCode::OK.into_response())
        }
        Some("Create_Group_Single") => {
            let other = values(&["user"]).next().unwrap_or_default();
            let other: UserId =
                other.parse().map_err(|_| Denied::BadRequest("user is not the id of a user."))?;
            let other = gateway.shared().service.storage().user(other).await?.ok_or(Denied::NO_USER)?;
            let room = room_of_two(&gateway, &oneself, &other).await?;
            Ok(Json(json!({ "id": room.id.value(), "display_name": room.display_name.as_deref() }))
                .into_response())
        }
        _ => Err(Denied::BadRequest("type is neither Clean_Seen nor Create_Group_Single.")),
    }
}

impl View {
    fn json(&self) -> serde_json::Value {
        json!({
            "room_name": self.room.as_str(),
            "Self_User": self.oneself.as_ref().map(user_json),
            "All_Notification": self.notifications.iter().map(notification_json).collect::<Vec<_>>(),
            "All_User": self.others.iter().map(user_json).collect::<Vec<_>>(),
            "Existed_Group": self.rooms.iter().map(room_json).collect::<Vec<_>>(),
        })
    }

    fn html(&self, token: &str) -> Markup {
        html! {
            h1 { (self.room) }
            @if let Some(oneself) = &self.oneself { p { "You are " b { (oneself.name) } "." } }
            section {
                h2 { "Notifications" }
                form method="post" {
                    (hidden(token, "Clean_Seen"))
                    ul { @for one in &self.notifications {
                        li id=(format!("notification_{}", one.id)) {
                            label { input type="checkbox" name="seen_id[]" value=(one.id); " " b { (one.sender.name) } ": " (one.text) }
                        }
                    } }
                    @if !self.notifications.is_empty() { button { "Seen" } }
                }
            }
            section {
                h2 { "People" }
                ul { @for other in &self.others {
                    li id=(format!("user_{}", other.id)) {
                        form method="post" {
                            (hidden(token, "Create_Group_Single"))
                            button name="user" value=(other.id) { (other.name) }
                        }
                    }
                } }
            }
            section {
                h2 { "Rooms" }
                ul { @for room in &self.rooms {
                    li id=(format!("room_{}", room.id)) { (room.display_name.as_deref().unwrap_or(room.name.as_str())) }
                } }
            }
        }
    }
}

fn hidden(token: &str, kind: &str) -> Markup {
    html! {
        input type="hidden" name=(csrf::FIELD) value=(token);
        input type="hidden" name="type" value=(kind);
    }
}

/// A whole page.
pub(super) fn page(title: &str, style: &str, content: &Markup) -> Html<String> {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) }
                link rel="stylesheet" href=(style);
            }
            body { main { (content) } }
        }
    };
    Html(page.into_string())
}

/// Sends somebody who is not signed in to where one signs in, and from there back.
pub(super) fn sign_in(request: &Parts) -> Response {
    let path = percent_encoding::utf8_percent_encode(request.uri.path(), percent_encoding::NON_ALPHANUMERIC);
    (StatusCode::FOUND, [(LOCATION, format!("/accounts/login/?next={path}"))]).into_response()
}
