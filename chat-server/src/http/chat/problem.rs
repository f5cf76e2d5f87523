//! Why a request is refused, and how whoever asked is told.

use std::error::Error as StdError;

use axum::http::request::Parts;
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Response};
use chat_core::{Refused, StorageError};
use serde_json::json;
use thiserror::Error;

use super::{location, record, view};
use crate::http::csrf::CsrfError;

/// Why a request is refused.
#[derive(Debug, Error)]
pub(super) enum Problem {
    #[error("Authentication credentials were not provided.")]
    NotSignedIn,
    #[error("This needs a name: add ?user=… to the address.")]
    Nameless,
    #[error(transparent)]
    Csrf(#[from] CsrfError),
    #[error("Only the owner of a room adds and removes members.")]
    NotTheOwner,
    #[error("Rooms of guests are open.")]
    OpenOnly,
    #[error("There is no such room, or it is not open to you.")]
    NoSuchRoom,
    #[error("There is no such user.")]
    NoSuchUser,
    #[error("There is no such listing.")]
    NoSuchListing,
    #[error("This user is not a member of the room.")]
    NotAMember,
    #[error("There is a room of this name already.")]
    NameTaken,
    #[error("{0}")]
    Invalid(String),
    #[error("The request is too large.")]
    TooLarge,
    #[error("The request took too long.")]
    TooSlow,
    #[error("Send {0}.")]
    UnknownMediaType(&'static str),
    #[error("This cannot be done now. Try again later.")]
    Unavailable,
}

impl Problem {
    /// A fault of the request, which the text explains.
    pub(super) fn invalid(text: impl Into<String>) -> Self {
        Self::Invalid(text.into())
    }

    fn unavailable(error: &(dyn StdError + 'static)) -> Self {
        tracing::error!(error, "a request failed");
        Self::Unavailable
    }

    pub(super) const fn status(&self) -> StatusCode {
        match self {
            Self::NotSignedIn | Self::Nameless | Self::Csrf(_) | Self::NotTheOwner | Self::OpenOnly => {
                StatusCode::FORBIDDEN
            }
            Self::NoSuchRoom | Self::NoSuchUser | Self::NoSuchListing | Self::NotAMember => {
                StatusCode::NOT_FOUND
            }
            Self::NameTaken => StatusCode::CONFLICT,
            Self::Invalid(_) => StatusCode::BAD_REQUEST,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::TooSlow => StatusCode::REQUEST_TIMEOUT,
            Self::UnknownMediaType(_) => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// Says it in a page, or in JSON to who asks for that. A page that needs somebody first leads to where one signs in.
    pub(super) fn in_page(&self, request: &Parts) -> Response {
        if record::is_wanted_by(request) {
            return self.in_json();
        }
        let may_come_back = matches!(request.method, Method::GET | Method::HEAD);
        if matches!(self, Self::NotSignedIn) && may_come_back {
            return location::log_in(request);
        }
        view::problem(self, request)
    }

    fn in_json(&self) -> Response {
        record::respond(self.status(), &json!({ "detail": self.to_string() }))
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        self.in_json()
    }
}

impl From<StorageError> for Problem {
    fn from(error: StorageError) -> Self {
        Self::unavailable(&error)
    }
}

impl From<getrandom::Error> for Problem {
    fn from(error: getrandom::Error) -> Self {
        Self::unavailable(&error)
    }
}

impl From<Refused> for Problem {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::NotSignedIn => Self::NotSignedIn,
            Refused::InvalidName { .. } => Self::Invalid(refused.to_string()),
            other => Self::unavailable(&other),
        }
    }
}
