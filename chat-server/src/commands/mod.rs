//! What the program does besides serving: looking after users and rooms from the command line.
//!
//! Commands work on the database directly, also while a server runs on it, which then notices.

mod listing;
mod room;
mod user;

use std::io;

use chat_core::StorageError;
use chat_protocol::{RoomName, Username};
use clap::Subcommand;
use thiserror::Error;

use crate::accounts::SignUpError;
use crate::config::Config;
use crate::{ServerError, SystemClock, storage};

pub use listing::ListingCommand;
pub use room::RoomCommand;
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
    /// The account could not be made or changed.
    #[error(transparent)]
    Account(#[from] SignUpError),
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
        let storage = storage::open(&config.database).await?;
        let said = match self {
            Self::User(command) => command.run(&storage, SystemClock).await,
            Self::Room(command) => command.run(&*storage).await,
            Self::Listing(command) => command.run(&*storage).await,
        };
        storage.close().await;
        said
    }
}

/// Puts lines together as a program prints them.
fn lines(lines: impl IntoIterator<Item = String>) -> String {
    lines.into_iter().map(|line| line + "\n").collect()
}
