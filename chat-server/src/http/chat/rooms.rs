//! Rooms that are made when somebody asks for them.

use std::fmt::Write;

use chat_core::storage::{NewRoom, Purpose, Room, User};
use chat_protocol::RoomName;

use super::problem::Problem;
use super::visitor::Visitor;
use crate::gateway::Gateway;

/// The room of the visitor and somebody else: the same one, whichever of them asks.
pub(super) async fn one_to_one(gateway: &Gateway, visitor: &Visitor, other: &User) -> Result<Room, Problem> {
    let own = visitor.somebody()?;
    if other.id == own.id {
        return Err(Problem::invalid("A room for two needs somebody else."));
    }
    for_purpose(gateway, visitor, Purpose::OneToOne(own.id, other.id), other).await
}

/// The room of the visitor and somebody else for a purpose. It belongs to neither of them: an owner could bring in
/// others.
pub(super) async fn for_purpose(
    gateway: &Gateway,
    visitor: &Visitor,
    purpose: Purpose,
    other: &User,
) -> Result<Room, Problem> {
    let own = visitor.somebody()?;
    let new = NewRoom {
        name: random_name()?,
        display_name: Some(format!("{}_with_{}", own.name, other.name).into()),
        access: visitor.access(),
        owner: None,
        members: vec![own.id, other.id],
    };
    Ok(gateway.shared().service.room_for(purpose, &new).await?)
}

/// 32 hexadecimal digits.
fn random_name() -> Result<RoomName, Problem> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes)?;
    let name = bytes.iter().fold(String::with_capacity(32), |mut name, byte| {
        // Writing into a string cannot fail.
        let _ = write!(name, "{byte:02x}");
        name
    });
    RoomName::new(&name).map_err(|_| Problem::Unavailable)
}

/// What people call a room.
pub(super) fn label(room: &Room) -> &str {
    room.display_name.as_deref().unwrap_or_else(|| room.name.as_str())
}
