//! `chat-server room …`

use chat_core::storage::{Access, Joining, Leaving, NewRoom, User};
use chat_protocol::{NameError, RoomName, Username};
use clap::Subcommand;

use super::{CommandFailed, lines, room_named};
use crate::storage::ServerStorage;

/// What can be done about rooms.
#[derive(Debug, Clone, Subcommand)]
pub enum RoomCommand {
    /// Makes a room
    Create {
        /// Its name: 1 to 94 letters and digits of any script, `_`, `-` and `.`
        #[arg(value_parser = new_room_name)]
        name: RoomName,
        /// Only members may enter
        #[arg(long)]
        private: bool,
        /// A member from the beginning; may be given more than once
        #[arg(long = "member", value_name = "USER")]
        members: Vec<Username>,
        /// Who may add and remove members over HTTP; a member as well
        #[arg(long, value_name = "USER")]
        owner: Option<Username>,
        /// What people call it, where that is not the name
        #[arg(long, value_name = "TEXT")]
        display_name: Option<String>,
    },
    /// Lists all rooms
    List,
    /// Makes somebody a member
    Add {
        /// The room
        room: RoomName,
        /// The user
        user: Username,
    },
    /// Removes a member, but not the owner; their open connections to the room are closed
    Remove {
        /// The room
        room: RoomName,
        /// The user
        user: Username,
    },
}

impl RoomCommand {
    pub(super) async fn run(self, storage: &dyn ServerStorage) -> Result<String, CommandFailed> {
        match self {
            Self::Create { name, private, members, owner, display_name } => {
                let mut ids = Vec::with_capacity(members.len());
                for member in members {
                    ids.push(user_named(storage, member).await?.id);
                }
                let owner = match owner {
                    Some(owner) => Some(user_named(storage, owner).await?.id),
                    None => None,
                };
                // Who may not enter a room could not look after it, either.
                if let Some(owner) = owner
                    && !ids.contains(&owner)
                {
                    ids.push(owner);
                }
                let access = if private { Access::MembersOnly } else { Access::Open };
                let display_name = display_name.map(Into::into);
                let room = NewRoom { name, display_name, access, owner, members: ids };
                let made = storage.create_room(&room).await?.ok_or(CommandFailed::RoomExists(room.name))?;
                Ok(lines([format!("room {} has the id {}", made.name, made.id)]))
            }
            Self::List => list(storage).await,
            Self::Add { room, user } => {
                let (room, user) = (room_named(storage, room).await?, user_named(storage, user).await?);
                let said = match storage.join(room.id, user.id).await? {
                    Joining::Joined => "is a member of",
                    Joining::AlreadyMember => "was a member already of",
                };
                Ok(lines([format!("{} {said} {}", user.name, room.name)]))
            }
            Self::Remove { room, user } => {
                let (room, user) = (room_named(storage, room).await?, user_named(storage, user).await?);
                if room.owner == Some(user.id) {
                    return Err(CommandFailed::OwnerStays { owner: user.name, room: room.name });
                }
                let said = match storage.leave(room.id, user.id).await? {
                    Leaving::Left => "is no member any more of",
                    Leaving::NotAMember => "was no member of",
                };
                Ok(lines([format!("{} {said} {}", user.name, room.name)]))
            }
        }
    }
}

async fn list(storage: &dyn ServerStorage) -> Result<String, CommandFailed> {
    let mut listed = Vec::new();
    for room in storage.rooms().await? {
        let members = storage.members(room.id).await?;
        let names: Vec<&str> = members.iter().map(|member| member.name.as_str()).collect();
        let access = match room.access {
            Access::Open => "open",
            Access::MembersOnly => "private",
        };
        listed.push(format!("{}\t{}\t{access}\t{}", room.id, room.name, names.join(", ")));
    }
    Ok(lines(listed))
}

/// The name of a room to be made.
fn new_room_name(text: &str) -> Result<RoomName, NameError> {
    let name = RoomName::new(text)?;
    name.check_new()?;
    Ok(name)
}

async fn user_named(storage: &dyn ServerStorage, name: Username) -> Result<User, CommandFailed> {
    storage.user_named(&name).await?.ok_or(CommandFailed::NoSuchUser(name))
}
