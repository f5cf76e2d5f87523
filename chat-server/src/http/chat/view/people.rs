//! The page that lists the others.

use axum::response::Response;
use chat_core::storage::{Room, User};
use maud::html;

use super::super::location;
use super::super::rooms::label;
use super::super::visitor::Visitor;
use super::{Page, heading};

/// The other users, each with a link to the room with them, and the rooms that one is in.
pub(in super::super) fn people(root: &str, visitor: &Visitor, others: &[User], rooms: &[Room]) -> Response {
    let body = html! {
        (heading("People", visitor, &html! {}))
        main {
            section {
                h2 { "People" }
                @if others.is_empty() { p { "Nobody else is here yet." } }
                ul {
                    @for user in others {
                        li id={ "user_" (user.id) } {
                            a dir="auto" href=(location::room_with(root, &user.name, visitor)) { (user.name) }
                        }
                    }
                }
            }
            section {
                h2 { "Rooms" }
                @if rooms.is_empty() { p { "You are in no room yet." } }
                ul {
                    @for room in rooms {
                        li id={ "room_" (room.id) } {
                            a dir="auto" href=(location::room(root, &room.name, visitor)) { (label(room)) }
                        }
                    }
                }
            }
        }
    };
    Page { root, title: "People", live: false, body }.respond()
}
