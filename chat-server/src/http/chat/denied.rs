//! Why a request was not done.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use chat_core::{Refused, StorageError};
use serde_json::json;
use thiserror::Error;

use crate::http::csrf::CsrfError;

/// The reason, which decides the status. The text is for whoever asked.
#[derive(Debug, Error)]
pub(super) enum Denied {
    #[error("Authentication credentials were not provided.")]
    NotSignedIn,
    #[error("{0}")]
    BadRequest(&'static str),
    #[error("{0}")]
    Forbidden(&'static str),
    /// Also for what one may not know of.
    #[error("{0}")]
    NotFound(&'static str),
    #[error("{0}")]
    Conflict(&'static str),
    #[error("the request is too long, or ended too soon")]
    Body,
    #[error(transparent)]
    Csrf(#[from] CsrfError),
    #[error("try again")]
    Unavailable(#[source] StorageError),
    #[error("try again")]
    NoRandomness(#[from] getrandom::Error),
}

impl Denied {
    pub(super) const NO_ROOM: Self = Self::NotFound("There is no such room.");
    pub(super) const NO_USER: Self = Self::NotFound("There is no such user.");

    pub(super) const fn status(&self) -> StatusCode {
        match self {
            Self::NotSignedIn | Self::Forbidden(_) | Self::Csrf(_) => StatusCode::FORBIDDEN,
            Self::BadRequest(_) => StatusCode::BAD_REQUEST,
            Self::NotFound(_) => StatusCode::NOT_FOUND,
            Self::Conflict(_) => StatusCode::CONFLICT,
            Self::Body => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Unavailable(_) | Self::NoRandomness(_) => StatusCode::SERVICE_UNAVAILABLE,
        }
    }
}

impl From<StorageError> for Denied {
    fn from(error: StorageError) -> Self {
        tracing::error!(error = &error as &dyn std::error::Error, "a request was not done");
        Self::Unavailable(error)
    }
}

impl From<Refused> for Denied {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::InvalidName { .. } => Self::BadRequest("This username is not valid."),
            Refused::Unavailable(error) => error.into(),
            _ => Self::NotSignedIn,
        }
    }
}

/// As Django REST framework says it.
impl IntoResponse for Denied {
    fn into_response(self) -> Response {
        (self.status(), Json(json!({ "detail": self.to_string() }))).into_response()
    }
}
