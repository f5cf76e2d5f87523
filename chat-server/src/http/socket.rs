//! From a request for a WebSocket to a connection, or a refusal that says why.

use std::sync::Arc;

use axum::extract::{Path, Request, State};
use axum::http::header::{SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_PROTOCOL, SEC_WEBSOCKET_VERSION, UPGRADE};
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use chat_core::{Arrival, ConnectError, Handshake, Refused, Session, Target};
use chat_protocol::{Dialect, EncodeContext, Endpoint, NameError, RoomName, Since, UnknownDialect};
use hyper::upgrade::OnUpgrade;
use thiserror::Error;
use tokio_tungstenite::tungstenite::error::ProtocolError;
use tokio_tungstenite::tungstenite::handshake::server::create_response_with_body;
use tokio_tungstenite::tungstenite::{self};

use super::peer;
use super::since::{self, InvalidSince};
use crate::audit;
use crate::connection::{self, Client, End};
use crate::gateway::{Admitted, Gateway, Refusals, Shared, is_origin_allowed};
use crate::query;

/// The prefix of the subprotocol that brings a token.
const BEARER_PREFIX: &str = "bearer.";

/// Why a handshake is refused.
#[derive(Debug, Error)]
enum Refusal {
    #[error("this is the address of a WebSocket")]
    NotAWebSocket,
    #[error("not a valid WebSocket handshake: {0}")]
    BadHandshake(#[from] tungstenite::Error),
    #[error("pages of this origin may not connect")]
    Origin,
    #[error("no room has such a name: {0}")]
    RoomName(#[from] NameError),
    #[error(transparent)]
    Dialect(#[from] UnknownDialect),
    #[error(transparent)]
    Since(#[from] InvalidSince),
    #[error("the listener hears what happens; what has happened cannot be asked of it")]
    ListenerSince,
    #[error(transparent)]
    Identity(#[from] Refused),
    #[error(transparent)]
    Room(#[from] ConnectError),
}

impl Refusal {
    /// How a connection is closed for this, where front ends want to hear it that way.
    const fn close(&self) -> Option<End> {
        match self {
            Self::Identity(Refused::NotSignedIn) => Some(End::SignedOut),
            Self::Room(ConnectError::UnknownRoom) => Some(End::Removed),
            _ => None,
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let status = match &self {
            Self::NotAWebSocket => StatusCode::UPGRADE_REQUIRED,
            Self::BadHandshake(_)
            | Self::RoomName(_)
            | Self::Dialect(_)
            | Self::Since(_)
            | Self::ListenerSince
            | Self::Identity(Refused::InvalidName { .. }) => StatusCode::BAD_REQUEST,
            Self::Origin | Self::Identity(Refused::NotSignedIn) | Self::Room(ConnectError::UnknownRoom) => {
                StatusCode::FORBIDDEN
            }
            Self::Identity(_) | Self::Room(_) => StatusCode::SERVICE_UNAVAILABLE,
        };
        if status.is_server_error() {
            tracing::error!(error = &self as &dyn std::error::Error, "handshake failed");
        }
        let mut response = (status, format!("{self}\n")).into_response();
        if status == StatusCode::UPGRADE_REQUIRED {
            response.headers_mut().insert(UPGRADE, HeaderValue::from_static("websocket"));
            response.headers_mut().insert(SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"));
        }
        response
    }
}

/// Answers `GET /ws/chat/{room}`, with and without a slash at its end.
pub(super) async fn open(
    State(gateway): State<Gateway>,
    Path(segment): Path<String>,
    request: Request,
) -> Response {
    let accepted = accept(&request);
    let (mut parts, body) = request.into_parts();
    drop(body);
    let upgrade = parts.extensions.remove::<OnUpgrade>();
    connect(gateway.shared(), &segment, &parts, upgrade, accepted).await.unwrap_or_else(|refusal| {
        audit::refused(parts.uri.path(), &refusal, peer::of(&parts.extensions));
        refusal.into_response()
    })
}

async fn connect(
    gateway: &Arc<Shared>,
    segment: &str,
    request: &Parts,
    upgrade: Option<OnUpgrade>,
    accepted: Result<Response, tungstenite::Error>,
) -> Result<Response, Refusal> {
    let asks_to_upgrade = request.headers.contains_key(UPGRADE);
    let upgrade = upgrade.filter(|_| asks_to_upgrade).ok_or(Refusal::NotAWebSocket)?;
    let mut response = accepted?;
    if !is_origin_allowed(request, &gateway.config.allowed_origins, gateway.config.unknown_origin) {
        return Err(Refusal::Origin);
    }
    let target = match segment {
        RoomName::LISTENER => Target::Listener,
        name => Target::Room(RoomName::new(name)?.into()),
    };
    let (dialect, subprotocol) = match target {
        Target::Listener => {
            (Some(Dialect::Command), offered_dialect(request, |dialect| dialect == Dialect::Command))
        }
        Target::Room(_) => chosen_dialect(request, gateway.config.dialect)?,
    };
    if let Some(subprotocol) = confirmed_subprotocol(request, subprotocol)? {
        response.headers_mut().insert(SEC_WEBSOCKET_PROTOCOL, subprotocol);
    }
    let since = since::parse(request.uri.query().unwrap_or_default())?;
    if since.is_some() && target == Target::Listener {
        return Err(Refusal::ListenerSince);
    }
    let context = EncodeContext {
        endpoint: if target == Target::Listener { Endpoint::Listener } else { Endpoint::Room },
        language: gateway.config.language,
        room_number: segment.parse().ok(),
    };
    let client = Client::new(dialect, context, peer::of(&request.extensions), gateway.config.max_queue_bytes);
    match admit(gateway, request, target, dialect, since, &client).await {
        Ok((session, admitted)) => connection::spawn(gateway, upgrade, session, client, admitted),
        Err(refusal) => match (gateway.config.refusals, refusal.close()) {
            (Refusals::AfterUpgrade, Some(end)) => {
                audit::refused(request.uri.path(), &refusal, peer::of(&request.extensions));
                connection::refuse(gateway, upgrade, end);
            }
            _ => return Err(refusal),
        },
    }
    Ok(response)
}

/// Finds out who asks, and lets them in.
async fn admit(
    gateway: &Shared,
    request: &Parts,
    target: Target,
    dialect: Option<Dialect>,
    since: Option<Vec<Since>>,
    client: &Arc<Client>,
) -> Result<(Session, Admitted), Refusal> {
    let peer = peer::of(&request.extensions);
    let admission = gateway.authenticator.authenticate(&Handshake { request, peer }).await?;
    // Held before the client comes in, so that no end of the session is missed in between.
    let admitted = gateway.admissions.hold(&admission, client);
    let arrival = Arrival {
        identity: admission.identity,
        target,
        behavior: dialect.map(Dialect::behavior),
        transport: client.clone(),
    };
    let session = match since {
        None => gateway.service.connect(arrival).await?,
        Some(since) => {
            let (session, catch_up) = gateway.service.resume(arrival, since).await?;
            gateway.connections.spawn(catch_up.run());
            session
        }
    };
    audit::connected(&session, peer);
    Ok((session, admitted))
}

/// Checks the handshake of RFC 6455, section 4.2.1, and answers it.
fn accept(request: &Request) -> Result<Response, tungstenite::Error> {
    if request.headers().get_all(SEC_WEBSOCKET_KEY).iter().count() > 1 {
        return Err(ProtocolError::InvalidSecWebSocketKey.into());
    }
    create_response_with_body(request, axum::body::Body::empty)
}

/// The dialect that the handshake settles, and the one to confirm as subprotocol. First match wins: subprotocol,
/// `?dialect=`, the server's setting, a path like that of the `remetente` document.
fn chosen_dialect(
    request: &Parts,
    configured: Option<Dialect>,
) -> Result<(Option<Dialect>, Option<Dialect>), UnknownDialect> {
    if let Some(dialect) = offered_dialect(request, |_| true) {
        return Ok((Some(dialect), Some(dialect)));
    }
    let query = request.uri.query().unwrap_or_default();
    if let Some(name) = query::value(query, "dialect").filter(|name| name != "auto") {
        return name.parse().map(|dialect| (Some(dialect), None));
    }
    let is_remetente = !request.uri.path().ends_with('/') && query::value(query, "user").is_some();
    Ok((configured.or(is_remetente.then_some(Dialect::Remetente)), None))
}

/// The first dialect among the subprotocols that the client offers.
fn offered_dialect(request: &Parts, is_wanted: impl Fn(Dialect) -> bool) -> Option<Dialect> {
    subprotocols(request).filter_map(Dialect::from_subprotocol).find(|dialect| is_wanted(*dialect))
}

/// The subprotocols that the client offers.
fn subprotocols(request: &Parts) -> impl Iterator<Item = &str> {
    let lists =
        request.headers.get_all(SEC_WEBSOCKET_PROTOCOL).iter().filter_map(|value| value.to_str().ok());
    lists.flat_map(|list| list.split(',')).map(str::trim)
}

/// The subprotocol to confirm: that of the dialect, or else the one that brought a token. A browser that has offered
/// some gives up the connection unless one of them is confirmed.
fn confirmed_subprotocol(
    request: &Parts,
    dialect: Option<Dialect>,
) -> Result<Option<HeaderValue>, tungstenite::Error> {
    let subprotocol = match dialect {
        Some(dialect) => Some(dialect.subprotocol()),
        None => subprotocols(request).find(|offer| offer.starts_with(BEARER_PREFIX)).map(str::to_owned),
    };
    let value = subprotocol.map(HeaderValue::try_from).transpose();
    value.map_err(|error| tungstenite::Error::HttpFormat(error.into()))
}
