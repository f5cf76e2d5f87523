//! The page of a room. It works without scripts, save for writing: messages go over a WebSocket.

use axum::response::Response;
use chat_core::storage::{Room, StoredMessage, StoredNotification, User};
use chat_protocol::{ClientId, RoomName};
use maud::{Markup, html};

use super::super::location;
use super::super::rooms::label;
use super::super::visitor::Visitor;
use super::{Page, csrf_field, heading};

/// What the page of a room shows.
#[derive(Debug)]
pub(in super::super) struct RoomView<'a> {
    /// Where the router is.
    pub(in super::super) root: &'a str,
    /// The token of its forms.
    pub(in super::super) token: &'a str,
    pub(in super::super) visitor: &'a Visitor,
    pub(in super::super) name: &'a RoomName,
    /// The room, where it has been made.
    pub(in super::super) room: Option<&'a Room>,
    /// The last messages, newest first.
    pub(in super::super) messages: &'a [StoredMessage],
    pub(in super::super) rooms: &'a [Room],
    pub(in super::super) others: &'a [User],
    pub(in super::super) notifications: &'a [StoredNotification],
}

impl RoomView<'_> {
    pub(in super::super) fn render(&self) -> Response {
        let Self { root, visitor, .. } = *self;
        let title = self.room.map_or(self.name.as_str(), label);
        let people = html! { a href=(location::people(root, visitor)) { "Everybody" } };
        let body = html! {
            (heading(title, visitor, &people))
            main data-root=(root) data-room=(self.name) data-room-id=[self.room.map(|room| room.id)]
                data-user=[visitor.user().map(|user| &user.name)] data-query=(visitor.query()) {
                (self.conversation())
                (self.list_of_rooms())
                (self.list_of_people())
                (self.list_of_notifications())
            }
        };
        Page { root, title, live: true, body }.respond()
    }

    fn conversation(&self) -> Markup {
        html! {
            section {
                header { h2 { "Messages" } span data-role="state" role="status" {} }
                div data-role="log" role="log" aria-live="polite" tabindex="0" {
                    div data-role="lines" {
                        @for message in self.messages.iter().rev() { (self.line(message)) }
                    }
                }
                form data-role="form" {
                    input data-role="input" aria-label="Message" placeholder="Message" required autocomplete="off";
                    button data-role="send" disabled { "Send" }
                }
                noscript { "Writing needs JavaScript; reading does not." }
            }
        }
    }

    fn line(&self, message: &StoredMessage) -> Markup {
        let is_mine = self.visitor.user().is_some_and(|user| user.id == message.sender.id);
        let client = message.client_id.as_ref().map(ClientId::as_str);
        html! {
            p data-role="message" data-id=(message.id) data-client=[client] data-mine=(is_mine)
                title=(message.sent_at) {
                b dir="auto" { (message.sender.name) } " " span data-role="text" dir="auto" { (message.text) }
            }
        }
    }

    fn list_of_rooms(&self) -> Markup {
        html! {
            section {
                h2 { "Rooms" }
                ul {
                    @for room in self.rooms {
                        @let current = (room.name == *self.name).then_some("page");
                        li id={ "room_" (room.id) } {
                            a dir="auto" href=(location::room(self.root, &room.name, self.visitor)) aria-current=[current] {
                                (label(room))
                            }
                        }
                    }
                }
            }
        }
    }

    fn list_of_people(&self) -> Markup {
        html! {
            section {
                h2 { "People" }
                ul {
                    @for user in self.others {
                        li id={ "user_" (user.id) } {
                            form method="post" {
                                (csrf_field(self.token))
                                (hidden("type", "Create_Group_Single"))
                                (hidden("then", "page"))
                                button dir="auto" name="user" value=(user.id) { (user.name) }
                            }
                        }
                    }
                }
            }
        }
    }

    fn list_of_notifications(&self) -> Markup {
        html! {
            section {
                h2 { "Notifications" }
                form method="post" data-role="seen" {
                    (csrf_field(self.token))
                    (hidden("type", "Clean_Seen"))
                    (hidden("then", "page"))
                    ul data-role="notifications" {
                        @for notification in self.notifications {
                            li id={ "notification_" (notification.id) } title=(notification.sent_at) {
                                label {
                                    input type="checkbox" name="seen_id[]" value=(notification.id) checked;
                                    b dir="auto" { (notification.sender.name) } " "
                                    span dir="auto" { (notification.text) }
                                }
                            }
                        }
                    }
                    button { "Seen" }
                }
            }
        }
    }
}

fn hidden(name: &str, value: &str) -> Markup {
    html! { input type="hidden" name=(name) value=(value); }
}
