//! What somebody sends to sign up, in or out.

use std::time::Duration;

use axum::body::{Body, Bytes, to_bytes};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, StatusCode};
use serde::Deserialize;
use tokio::time::timeout;

use super::problem::Problem;
use crate::http::csrf;

/// Most bytes of a body.
const MAX_BYTES: usize = 64 * 1024;

/// How long a client may take to send it.
const BODY_WITHIN: Duration = Duration::from_secs(10);

/// The form of a submission, and so of its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A form, or nothing: the answer is for people.
    Form,
    /// JSON, and so the answer.
    Json,
}

impl Kind {
    pub(super) fn of(headers: &HeaderMap) -> Self {
        if essence(headers) == Some("application/json") { Self::Json } else { Self::Form }
    }
}

/// The content type without its parameters.
fn essence(headers: &HeaderMap) -> Option<&str> {
    headers.get(CONTENT_TYPE)?.to_str().ok()?.split(';').next().map(str::trim)
}

/// What was sent, not yet understood.
#[derive(Debug)]
pub(super) enum Submission {
    Form(Form),
    Json(Bytes),
}

#[derive(Debug, Default)]
pub(super) struct Form {
    csrf_token: Option<String>,
    fields: Fields,
}

/// What was sent, as far as it was.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Fields {
    pub(super) username: String,
    password: String,
    pub(super) next: Option<String>,
}

/// Both are there.
pub(super) struct Credentials<'f> {
    pub(super) name: &'f str,
    pub(super) password: &'f str,
}

impl Submission {
    /// Reads a body, which may be no more than [`MAX_BYTES`] long.
    pub(super) async fn read(headers: &HeaderMap, body: Body) -> Result<Self, Problem> {
        let kind = Kind::of(headers);
        if kind == Kind::Form && !matches!(essence(headers), None | Some("application/x-www-form-urlencoded"))
        {
            let text = "Send a form (application/x-www-form-urlencoded) or JSON.";
            return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, text));
        }
        let too_slow = |_| Problem::new(StatusCode::REQUEST_TIMEOUT, "The request took too long.");
        let too_large = |_| Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "The request is too large.");
        let body =
            timeout(BODY_WITHIN, to_bytes(body, MAX_BYTES)).await.map_err(too_slow)?.map_err(too_large)?;
        Ok(match kind {
            Kind::Form => Self::Form(Form::parse(&body)),
            Kind::Json => Self::Json(body),
        })
    }

    /// The token in the form. That of JSON can be only in a header.
    pub(super) fn csrf_token(&self) -> Option<&str> {
        match self {
            Self::Form(form) => form.csrf_token.as_deref(),
            Self::Json(_) => None,
        }
    }

    /// Where a form wants to go.
    pub(super) fn next(&self) -> Option<&str> {
        match self {
            Self::Form(form) => form.fields.next.as_deref(),
            Self::Json(_) => None,
        }
    }

    pub(super) fn fields(self) -> Result<Fields, Problem> {
        match self {
            Self::Form(form) => Ok(form.fields),
            Self::Json(body) => serde_json::from_slice(&body).map_err(|_| {
                Problem::new(
                    StatusCode::BAD_REQUEST,
                    "Send an object with the texts `username` and `password`.",
                )
            }),
        }
    }
}

impl Form {
    /// Of several values the last counts, as in Django.
    fn parse(body: &[u8]) -> Self {
        let mut form = Self::default();
        for (key, value) in form_urlencoded::parse(body) {
            let value = value.into_owned();
            match &*key {
                csrf::FIELD => form.csrf_token = Some(value),
                "username" => form.fields.username = value,
                "password" => form.fields.password = value,
                "next" => form.fields.next = Some(value),
                _ => {}
            }
        }
        form
    }
}

impl Fields {
    pub(super) fn credentials(&self) -> Result<Credentials<'_>, Problem> {
        let fields = [("username", &self.username), ("password", &self.password)];
        match fields.into_iter().find(|(_, value)| value.is_empty()) {
            Some((field, _)) => Err(Problem::in_field(field, "This field is required.")),
            None => Ok(Credentials { name: &self.username, password: &self.password }),
        }
    }
}

impl std::fmt::Debug for Fields {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Fields").field("username", &self.username).finish_non_exhaustive()
    }
}
