//! What a request brings, and whether a page of this site sends it.

use std::time::Duration;

use axum::body::{Body, Bytes, to_bytes};
use axum::http::HeaderMap;
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE};
use axum::http::request::Parts;
use serde::de::DeserializeOwned;
use tokio::time::timeout;

use super::problem::Problem;
use crate::gateway::Gateway;
use crate::http::csrf;

/// Most bytes of a body.
const MAX_BYTES: usize = 64 * 1024;

/// How long a client may take to send it.
const BODY_WITHIN: Duration = Duration::from_secs(10);

/// The fields of a form.
#[derive(Debug)]
pub(super) struct Form(Vec<(String, String)>);

impl Form {
    /// Reads the form that a page of this site sends.
    pub(super) async fn read(gateway: &Gateway, request: &Parts, body: Body) -> Result<Self, Problem> {
        const TYPE: &str = "application/x-www-form-urlencoded";
        let body = read(request, body, TYPE, "a form (application/x-www-form-urlencoded)").await?;
        let form = Self(form_urlencoded::parse(&body).into_owned().collect());
        verify(gateway, request, form.value(csrf::FIELD))?;
        Ok(form)
    }

    /// The value of a field; of several the last, as in Django.
    pub(super) fn value(&self, field: &str) -> Option<&str> {
        self.0.iter().rev().find(|(key, _)| key == field).map(|(_, value)| value.as_str())
    }

    /// The values of fields with one of these names.
    pub(super) fn values(&self, fields: &[&str]) -> impl Iterator<Item = &str> {
        self.0.iter().filter(move |(key, _)| fields.contains(&key.as_str())).map(|(_, value)| value.as_str())
    }
}

/// Reads the JSON that a page of this site sends; `what` says what it should be.
pub(super) async fn json<T: DeserializeOwned>(
    gateway: &Gateway,
    request: &Parts,
    body: Body,
    what: &str,
) -> Result<T, Problem> {
    verify(gateway, request, None)?;
    let body = read(request, body, "application/json", "JSON (application/json)").await?;
    serde_json::from_slice(&body).map_err(|_| Problem::invalid(format!("Send {what}.")))
}

/// Checks that a request which changes something comes from a page of this site, or from no page at all.
pub(super) fn verify(gateway: &Gateway, request: &Parts, form_token: Option<&str>) -> Result<(), Problem> {
    if brings_token(&request.headers) {
        return Ok(());
    }
    Ok(csrf::verify(request, form_token, gateway.shared().config.scheme)?)
}

/// Whether a token says who asks. Browsers add passwords to `Authorization` by themselves, but never a token.
fn brings_token(headers: &HeaderMap) -> bool {
    let scheme =
        headers.get(AUTHORIZATION).and_then(|value| value.as_bytes().split(|byte| *byte == b' ').next());
    scheme.is_some_and(|scheme| scheme.eq_ignore_ascii_case(b"bearer"))
}

async fn read(request: &Parts, body: Body, kind: &str, what: &'static str) -> Result<Bytes, Problem> {
    let found = request.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let essence = found.and_then(|value| value.split(';').next()).map(str::trim);
    if !essence.is_some_and(|essence| essence.eq_ignore_ascii_case(kind)) {
        return Err(Problem::UnknownMediaType(what));
    }
    let read = timeout(BODY_WITHIN, to_bytes(body, MAX_BYTES)).await.map_err(|_| Problem::TooSlow)?;
    read.map_err(|_| Problem::TooLarge)
}
