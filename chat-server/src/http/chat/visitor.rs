//! Who asks.

use axum::http::request::Parts;
use chat_core::storage::{Access, Room, StoredNotification, User};
use chat_core::{Handshake, Identity};
use chat_protocol::{RoomName, RoomRef};

use super::problem::Problem;
use crate::gateway::Gateway;
use crate::http::peer;

/// Most users, and most rooms, that a list has: who asks costs no more, however many others there are.
const MOST_LISTED: u32 = 1_000;

/// Who asks, found out in the same way as for a WebSocket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Visitor {
    /// Somebody who has proved it.
    Proven(User),
    /// A guest, by the name that they give.
    Guest(Option<User>),
}

impl Visitor {
    pub(super) async fn of(gateway: &Gateway, request: &Parts) -> Result<Self, Problem> {
        let shared = gateway.shared();
        let peer = peer::of(&request.extensions);
        let admission = shared.authenticator.authenticate(&Handshake { request, peer }).await?;
        let name = match admission.identity {
            Identity::User(user) => return Ok(Self::Proven(user)),
            Identity::Guest { name } => name.filter(|name| !name.is_anonymous()),
        };
        Ok(Self::Guest(match name {
            Some(name) => Some(shared.service.storage().ensure_user(&name).await?),
            None => None,
        }))
    }

    /// Who it is; `None` for a guest without a name.
    pub(super) const fn user(&self) -> Option<&User> {
        match self {
            Self::Proven(user) => Some(user),
            Self::Guest(user) => user.as_ref(),
        }
    }

    /// Who it is, where it must be somebody.
    pub(super) fn somebody(&self) -> Result<&User, Problem> {
        self.user().ok_or(Problem::Nameless)
    }

    /// The query that lets a guest be the same on the next page.
    pub(super) fn query(&self) -> String {
        let Self::Guest(Some(user)) = self else { return String::new() };
        let pair =
            form_urlencoded::Serializer::new(String::new()).append_pair("user", user.name.as_str()).finish();
        format!("?{pair}")
    }

    /// The access to rooms that are made for them. A claimed name opens no door, so that guests could not enter a room
    /// for members; their rooms are open, under names that nobody can guess.
    pub(super) const fn access(&self) -> Access {
        match self {
            Self::Proven(_) => Access::MembersOnly,
            Self::Guest(_) => Access::Open,
        }
    }

    /// The room of a segment of a path, where they may enter it. As at sockets, a guest's number is a name.
    pub(super) async fn room(&self, gateway: &Gateway, segment: &str) -> Result<Room, Problem> {
        let name = RoomName::new(segment).map_err(|_| Problem::NoSuchRoom)?;
        let service = &gateway.shared().service;
        let found = match self {
            Self::Proven(user) => service.room_open_to(&RoomRef::Name(name), Some(user)).await?,
            Self::Guest(_) => {
                service.storage().room_named(&name).await?.filter(|room| room.access == Access::Open)
            }
        };
        found.ok_or(Problem::NoSuchRoom)
    }

    /// The rooms that they are in, and may enter; of very many, the first.
    pub(super) async fn rooms(&self, gateway: &Gateway) -> Result<Vec<Room>, Problem> {
        let Some(user) = self.user() else { return Ok(Vec::new()) };
        let mut rooms = gateway.shared().service.storage().rooms_of(user.id, Some(MOST_LISTED)).await?;
        rooms.retain(|room| matches!(self, Self::Proven(_)) || room.access == Access::Open);
        Ok(rooms)
    }

    /// All others, as somebody sees them; of very many, the first.
    pub(super) async fn others(&self, gateway: &Gateway) -> Result<Vec<User>, Problem> {
        let Some(own) = self.user() else { return Ok(Vec::new()) };
        // Two more than are listed: oneself, and the user of those who give no name.
        let mut users = gateway.shared().service.storage().users(MOST_LISTED + 2).await?;
        users.retain(|user| user.id != own.id && !user.name.is_anonymous());
        users.truncate(usize::try_from(MOST_LISTED).unwrap_or(usize::MAX));
        Ok(users)
    }

    /// The notifications for them.
    pub(super) async fn notifications(&self, gateway: &Gateway) -> Result<Vec<StoredNotification>, Problem> {
        let Some(own) = self.user() else { return Ok(Vec::new()) };
        Ok(gateway.shared().service.storage().notifications(own.id).await?)
    }
}
