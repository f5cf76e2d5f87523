//! The page of a form.

use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use chat_protocol::Username;
use maud::{Markup, html};

use super::next;
use crate::http::cookie::Scheme;
use crate::http::csrf;
use crate::http::document::document;
use crate::query;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Page {
    LogIn,
    SignUp,
}

impl Page {
    const fn title(self) -> &'static str {
        match self {
            Self::LogIn => "Log in",
            Self::SignUp => "Sign up",
        }
    }

    const fn path(self) -> &'static str {
        match self {
            Self::LogIn => "../login/",
            Self::SignUp => "../signup/",
        }
    }

    /// What a browser may fill in: a password that it knows, or a new one.
    const fn autocomplete(self) -> &'static str {
        match self {
            Self::LogIn => "current-password",
            Self::SignUp => "new-password",
        }
    }

    /// The other page, and what it is for.
    const fn other(self) -> (Self, &'static str) {
        match self {
            Self::LogIn => (Self::SignUp, "Make an account"),
            Self::SignUp => (Self::LogIn, "Log in with an account"),
        }
    }
}

/// A page, and what it shows.
#[derive(Debug)]
pub(super) struct View {
    pub(super) page: Page,
    /// Who is signed in.
    pub(super) visitor: Option<Username>,
    pub(super) error: Option<String>,
    /// What was filled in before.
    pub(super) username: String,
    /// Where to go afterwards: a path of this site.
    pub(super) next: Option<String>,
}

impl View {
    /// The page as it is at first. Where to go next is in the query.
    pub(super) fn new(page: Page, request: &Parts) -> Self {
        let next = query::value(request.uri.query().unwrap_or_default(), "next");
        Self {
            page,
            visitor: None,
            error: None,
            username: String::new(),
            next: next.and_then(|next| next::checked(&next)),
        }
    }

    pub(super) fn next_or_home(&self) -> &str {
        self.next.as_deref().unwrap_or("/")
    }

    pub(super) fn respond(&self, scheme: Scheme, request: &Parts) -> Response {
        match csrf::token(request, scheme) {
            Ok((token, set_cookie)) => {
                let page = self.render(&token).into_string();
                (set_cookie, [(CONTENT_TYPE, "text/html; charset=utf-8")], page).into_response()
            }
            Err(error) => {
                tracing::error!(%error, "no token for a form");
                StatusCode::SERVICE_UNAVAILABLE.into_response()
            }
        }
    }

    fn render(&self, token: &str) -> Markup {
        let title = self.page.title();
        let (other, invitation) = self.page.other();
        let head = html! {
            link rel="stylesheet" href="../../page.css";
            link rel="stylesheet" href="../accounts.css";
        };
        let body = html! {
            main {
                section {
                    h1 { (title) }
                    @if let Some(visitor) = &self.visitor { (log_out(visitor, token)) }
                    @if let Some(error) = &self.error { p data-role="error" role="alert" { (error) } }
                    (self.form(token))
                    p { a href=(self.with_next(other.path())) { (invitation) } }
                }
            }
        };
        document(title, &head, &body)
    }

    fn form(&self, token: &str) -> Markup {
        html! {
            form method="post" action=(self.page.path()) {
                (hidden(csrf::FIELD, token))
                @if let Some(next) = &self.next { (hidden("next", next)) }
                label {
                    "Username"
                    input name="username" value=(self.username) required maxlength="150" autocomplete="username"
                        autocapitalize="none" spellcheck="false";
                }
                label {
                    "Password"
                    input name="password" type="password" required autocomplete=(self.page.autocomplete());
                }
                @if self.page == Page::SignUp { small { "At least eight characters." } }
                button { (self.page.title()) }
            }
        }
    }

    fn with_next(&self, path: &str) -> String {
        let query = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(self.next.as_ref().map(|next| ("next", next)))
            .finish();
        if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") }
    }
}

fn log_out(visitor: &Username, token: &str) -> Markup {
    html! {
        form method="post" action="../logout/" {
            (hidden(csrf::FIELD, token))
            p { "You are logged in as " b { (visitor) } "." }
            button { "Log out" }
        }
    }
}

fn hidden(name: &str, value: &str) -> Markup {
    html! { input type="hidden" name=(name) value=(value); }
}
