//! The pages.

mod people;
mod room;

use axum::http::header::CONTENT_SECURITY_POLICY;
use axum::http::request::Parts;
use axum::response::{Html, IntoResponse, Response};
use maud::{Markup, html};

use super::location;
use super::problem::Problem;
use super::visitor::Visitor;
use crate::http::csrf;
use crate::http::document::document;

pub(super) use people::people;
pub(super) use room::RoomView;

/// Besides forms and styles, the script of a room and its socket.
const LIVE_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
                           form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// A whole page.
struct Page<'a> {
    /// Where the router is.
    root: &'a str,
    title: &'a str,
    /// Whether the page has the script of a room.
    live: bool,
    body: Markup,
}

impl Page<'_> {
    fn respond(&self) -> Response {
        let policy = self.live.then_some([(CONTENT_SECURITY_POLICY, LIVE_POLICY)]);
        (policy, Html(self.render().into_string())).into_response()
    }

    fn render(&self) -> Markup {
        let Self { root, title, live, body } = self;
        let head = html! {
            link rel="stylesheet" href={ (root) "/page.css" };
            link rel="stylesheet" href={ (root) "/chat/chat.css" };
            @if *live { script type="module" src={ (root) "/chat/chat.js" } {} }
        };
        document(title, &head, body)
    }
}

/// The page that says what is wrong.
pub(super) fn problem(problem: &Problem, request: &Parts) -> Response {
    let root = location::root(request);
    let title = problem.status().canonical_reason().unwrap_or("Error");
    let body = html! {
        main { section { h1 { (title) } p data-role="error" role="alert" { (problem) } } }
    };
    let page = Page { root: &root, title, live: false, body };
    (problem.status(), page.respond()).into_response()
}

/// Says who one is, and where else one can go.
fn heading(title: &str, visitor: &Visitor, link: &Markup) -> Markup {
    html! {
        header {
            h1 dir="auto" { (title) }
            p {
                @match visitor.user() {
                    Some(user) => { "You are " b dir="auto" { (user.name) } ". " }
                    None => { "You have given no name. " }
                }
                (link)
            }
        }
    }
}

/// The field by which a form shows that it belongs to this site.
fn csrf_field(token: &str) -> Markup {
    html! { input type="hidden" name=(csrf::FIELD) value=(token); }
}
