//! What the program does besides serving: looking after users and rooms from the command line.
//!
//! Commands work on the database directly, also while a server runs on it, which then notices.

mod backup;
mod export;
mod import;
mod listing;
mod migrate;
mod new_file;
mod room;
mod room_file;
mod user;

use std::io;
use std::sync::Arc;

use chat_core::StorageError;
use chat_core::storage::Room;
use chat_protocol::{RoomName, Username};
use clap::Subcommand;
use thiserror::Error;

use crate::accounts::SignUpError;
use crate::config::Config;
use crate::storage::ServerStorage;
use crate::{ServerError, SystemClock, storage};

pub use backup::{BackupCommand, BackupFailed};
pub use export::{ExportCommand, ExportFailed};
pub use import::{ImportCommand, ImportFailed};
pub use listing::ListingCommand;
pub use room::RoomCommand;
pub use room_file::{BadLine, LineError};
pub use user::{ProfileFields, UserCommand};

/// A command besides serving.
#[derive(Debug, Clone, Subcommand)]
pub enum Command {
    /// Accounts: who may sign in where `--auth session` asks for it
    #[command(subcommand)]
    User(UserCommand),
    /// Rooms, and who is a member of them
    #[command(subcommand)]
    Room(RoomCommand),
    /// Listings: things that somebody offers, and that others ask them about
    #[command(subcommand)]
    Listing(ListingCommand),
    /// Writes a room and its messages as JSON Lines
    Export(ExportCommand),
    /// Puts an exported room into the database; run again, it goes on where it was interrupted
    Import(ImportCommand),
    /// Copies the database into a file, as it is at one moment, also while a server runs on it
    Backup(BackupCommand),
    /// Brings the tables of the database up to date, as the server does when it starts
    Migrate,
}

/// Why a command was not done.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum CommandFailed {
    /// The database cannot be opened.
    #[error(transparent)]
    Server(#[from] ServerError),
    /// The database failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// There is no such user.
    #[error("there is no user {0}")]
    NoSuchUser(Username),
    /// There is no account of this name.
    #[error("there is no account {0}")]
    NoSuchAccount(String),
    /// There is no such room.
    #[error("there is no room {0}")]
    NoSuchRoom(RoomName),
    /// There is such a room already.
    #[error("there is a room {0} already")]
    RoomExists(RoomName),
    /// The owner of a room is to be removed from it.
    #[error("{owner} owns the room {room}; the owner of a room stays in it")]
    OwnerStays {
        /// The owner.
        owner: Username,
        /// The room.
        room: RoomName,
    },
    /// The account could not be made or changed.
    #[error(transparent)]
    Account(#[from] SignUpError),
    /// A room was not exported.
    #[error(transparent)]
    Export(#[from] ExportFailed),
    /// A room was not imported, or not as a whole.
    #[error(transparent)]
    Import(#[from] ImportFailed),
    /// There is no backup.
    #[error(transparent)]
    Backup(#[from] BackupFailed),
    /// The password could not be read.
    #[error("the password cannot be read from the standard input")]
    ReadPassword(#[source] io::Error),
}

impl Command {
    /// Does it, and gives what there is to say about it.
    ///
    /// # Errors
    ///
    /// [`CommandFailed`] says why not.
    pub async fn run(self, config: &Config) -> Result<String, CommandFailed> {
        match self {
            Self::User(command) => on(config, async |storage| command.run(storage, SystemClock).await).await,
            Self::Room(command) => on(config, async |storage| command.run(&**storage).await).await,
            Self::Listing(command) => on(config, async |storage| command.run(&**storage).await).await,
            Self::Export(command) => {
                on(config, async |storage| command.run(&**storage, &config.database).await).await
            }
            Self::Import(command) => {
                on(config, async |storage| command.run(&**storage, &config.gateway.limits).await).await
            }
            Self::Migrate => on(config, async |storage| Ok(migrate::run(&**storage, &config.database))).await,
            // Opened, a database is brought up to date. Who copies it may want to have it as it was before.
            Self::Backup(command) => command.run(&config.database).await,
        }
    }
}

/// Does something on the database of the settings.
async fn on(
    config: &Config,
    work: impl AsyncFnOnce(&Arc<dyn ServerStorage>) -> Result<String, CommandFailed>,
) -> Result<String, CommandFailed> {
    let storage = storage::open_database(config).await?;
    let said = work(&storage).await;
    storage.close().await;
    said
}

/// Puts lines together as a program prints them.
fn lines(lines: impl IntoIterator<Item = String>) -> String {
    lines.into_iter().map(|line| line + "\n").collect()
}

async fn room_named(storage: &dyn ServerStorage, name: RoomName) -> Result<Room, CommandFailed> {
    storage.room_named(&name).await?.ok_or(CommandFailed::NoSuchRoom(name))
}
