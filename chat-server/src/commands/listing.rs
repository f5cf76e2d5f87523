//! `chat-server listing …`

use chat_protocol::Username;
use clap::Subcommand;

use super::{CommandFailed, lines};
use crate::storage::ServerStorage;

/// What can be done about listings, which the join API leads from.
#[derive(Debug, Clone, Subcommand)]
pub enum ListingCommand {
    /// Puts up a listing, or gives it to another owner: `GET /chat/api/join/ID` leads to a room with them
    Set {
        /// The number of the listing
        id: i64,
        /// Who has put it up
        #[arg(long, value_name = "USER")]
        owner: Username,
    },
}

impl ListingCommand {
    pub(super) async fn run(self, storage: &dyn ServerStorage) -> Result<String, CommandFailed> {
        let Self::Set { id, owner } = self;
        let owner = storage.user_named(&owner).await?.ok_or(CommandFailed::NoSuchUser(owner))?;
        storage.set_listing(id, owner.id).await?;
        Ok(lines([format!("listing {id} is {}'s", owner.name)]))
    }
}
