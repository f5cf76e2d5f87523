//! Who asks, and what they bring.

use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use chat_core::storage::{Room, User};
use chat_core::{Handshake, Identity};
use chat_protocol::RoomName;
use serde::de::DeserializeOwned;

use super::denied::Denied;
use crate::gateway::Gateway;
use crate::http::csrf;
use crate::http::socket::peer_of;

/// Most bytes of a form or of JSON.
const MAX_BODY_BYTES: usize = 64 * 1024;

/// Who asks; `None` for a guest without a name.
pub(super) async fn caller(gateway: &Gateway, request: &Parts) -> Result<Option<User>, Denied> {
    let shared = gateway.shared();
    let handshake = Handshake { request, peer: peer_of(request) };
    match shared.authenticator.authenticate(&handshake).await?.identity {
        Identity::User(user) => Ok(Some(user)),
        Identity::Guest { name } => match name.filter(|name| !name.is_anonymous()) {
            Some(name) => Ok(Some(shared.service.storage().ensure_user(&name).await?)),
            None => Ok(None),
        },
    }
}

/// Who asks, where it must be somebody.
pub(super) async fn somebody(gateway: &Gateway, request: &Parts) -> Result<User, Denied> {
    caller(gateway, request).await?.ok_or(Denied::NotSignedIn)
}

/// A room that one may enter, by its name or id.
pub(super) async fn room_of(gateway: &Gateway, segment: &str, user: Option<&User>) -> Result<Room, Denied> {
    let name = RoomName::new(segment).map_err(|_| Denied::NO_ROOM)?;
    gateway.shared().service.room_open_to(&name.into(), user).await?.ok_or(Denied::NO_ROOM)
}

/// The form of a request that changes something, once it is known to come from a page of this site.
pub(super) async fn form(
    gateway: &Gateway,
    request: Request,
) -> Result<(Parts, Vec<(String, String)>), Denied> {
    let (parts, body) = request.into_parts();
    let bytes = bytes(body).await?;
    let fields: Vec<(String, String)> = form_urlencoded::parse(&bytes).into_owned().collect();
    let token = fields.iter().find(|(name, _)| name == csrf::FIELD).map(|(_, value)| value.as_str());
    verify(gateway, &parts, token)?;
    Ok((parts, fields))
}

/// The JSON of a request that changes something, once it is known to come from a page of this site.
pub(super) async fn json<T: DeserializeOwned>(
    gateway: &Gateway,
    request: Request,
) -> Result<(Parts, T), Denied> {
    let (parts, body) = request.into_parts();
    verify(gateway, &parts, None)?;
    let value = serde_json::from_slice(&bytes(body).await?);
    Ok((parts, value.map_err(|_| Denied::BadRequest("The JSON is not as it should be."))?))
}

/// Checks that a request comes from a page of this site. One with an `Authorization` header does not come from any
/// page by itself.
pub(super) fn verify(gateway: &Gateway, request: &Parts, token: Option<&str>) -> Result<(), Denied> {
    if request.headers.contains_key(AUTHORIZATION) {
        return Ok(());
    }
    Ok(csrf::verify(request, token, gateway.shared().config.scheme)?)
}

async fn bytes(body: Body) -> Result<axum::body::Bytes, Denied> {
    to_bytes(body, MAX_BODY_BYTES).await.map_err(|_| Denied::Body)
}

/// A name for a room that nobody will guess: 32 hexadecimal digits.
pub(super) fn random_name() -> Result<RoomName, Denied> {
    let number = u128::from_le_bytes(random()?);
    RoomName::new(&format!("{number:032x}")).map_err(|_| Denied::BadRequest("no name"))
}

fn random() -> Result<[u8; 16], getrandom::Error> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes)?;
    Ok(bytes)
}
