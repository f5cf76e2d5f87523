//! Why somebody is not signed in, and how they are told.

use std::time::Duration;

use axum::http::StatusCode;
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER};
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use chat_core::StorageError;
use serde_json::json;

use super::submission::Kind;
use super::view::View;
use crate::accounts::{Failure, LogInError, SignUpError};
use crate::chain;
use crate::http::cookie::Scheme;
use crate::http::csrf::CsrfError;

/// How long to stay away from a server that is busy.
const BUSY_FOR: Duration = Duration::from_secs(1);

/// Why somebody is not signed in.
#[derive(Debug)]
pub(super) struct Problem {
    status: StatusCode,
    /// The field at fault, where it is one.
    field: &'static str,
    text: String,
    retry_after: Option<Duration>,
}

impl Problem {
    pub(super) fn new(status: StatusCode, text: impl Into<String>) -> Self {
        Self { status, field: "detail", text: text.into(), retry_after: None }
    }

    pub(super) fn in_field(field: &'static str, text: impl Into<String>) -> Self {
        Self { field, ..Self::new(StatusCode::BAD_REQUEST, text) }
    }

    fn try_again(status: StatusCode, text: String, after: Duration) -> Self {
        Self { retry_after: Some(after), ..Self::new(status, text) }
    }

    /// Says it in the form in which one was asked: in JSON, or in the view's page.
    pub(super) fn respond(self, kind: Kind, view: View, scheme: Scheme, request: &Parts) -> Response {
        let seconds = |wait: Duration| wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
        let retry_after = self.retry_after.map(|wait| [(RETRY_AFTER, seconds(wait).to_string())]);
        match kind {
            Kind::Json => {
                let body = match self.field {
                    "detail" => json!({ "detail": self.text }),
                    field => json!({ field: [self.text] }),
                };
                let kind = [(CONTENT_TYPE, "application/json")];
                (self.status, retry_after, kind, body.to_string()).into_response()
            }
            Kind::Form => {
                // A form that was filled in wrongly is no error of HTTP's, for Django.
                let status =
                    if self.status == StatusCode::BAD_REQUEST { StatusCode::OK } else { self.status };
                let page = View { error: Some(self.text), ..view }.respond(scheme, request);
                (status, retry_after, page).into_response()
            }
        }
    }
}

impl From<CsrfError> for Problem {
    fn from(error: CsrfError) -> Self {
        Self::new(StatusCode::FORBIDDEN, error.to_string())
    }
}

impl From<LogInError> for Problem {
    fn from(error: LogInError) -> Self {
        match error {
            LogInError::WrongCredentials => Self::new(StatusCode::BAD_REQUEST, error.to_string()),
            LogInError::Throttled { wait } => {
                Self::try_again(StatusCode::TOO_MANY_REQUESTS, error.to_string(), wait)
            }
            LogInError::Failed(failure) => failure.into(),
        }
    }
}

impl From<SignUpError> for Problem {
    fn from(error: SignUpError) -> Self {
        match error {
            SignUpError::Name(_) | SignUpError::NameTaken => Self::in_field("username", error.to_string()),
            SignUpError::Password(_) => Self::in_field("password", error.to_string()),
            SignUpError::Throttled { wait } => {
                Self::try_again(StatusCode::TOO_MANY_REQUESTS, error.to_string(), wait)
            }
            SignUpError::Failed(failure) => failure.into(),
        }
    }
}

impl From<StorageError> for Problem {
    fn from(error: StorageError) -> Self {
        Failure::from(error).into()
    }
}

impl From<Failure> for Problem {
    fn from(failure: Failure) -> Self {
        let status = StatusCode::SERVICE_UNAVAILABLE;
        if let Failure::Busy = failure {
            return Self::try_again(status, failure.to_string(), BUSY_FOR);
        }
        tracing::error!(error = chain(&failure), "cannot sign anybody in or out");
        Self::new(status, "This does not work at the moment. Please try again later.")
    }
}
