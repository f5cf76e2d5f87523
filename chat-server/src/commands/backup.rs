//! `chat-server backup …`

use std::io;
use std::path::{Path, PathBuf};

use chat_core::StorageError;
use clap::Args;
use thiserror::Error;

use super::new_file::{Existing, NewFile, is_of_database};
use super::{CommandFailed, lines};
use crate::config::Database;
use crate::storage::SqliteStorage;

/// Copies the database into a file, as it is at one moment, also while a server runs on it.
#[derive(Debug, Clone, Args)]
pub struct BackupCommand {
    /// The file to write
    file: PathBuf,
    /// Replaces the file where it is there already
    #[arg(long)]
    force: bool,
}

/// Why there is no backup.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum BackupFailed {
    /// The database ends with the process that has it.
    #[error("a database in memory cannot be backed up: this process does not have the server's")]
    InMemory,
    /// The database has a tool of its own for it.
    #[error("this database is backed up with its own tool, {tool}")]
    OwnTool {
        /// Its name.
        tool: &'static str,
    },
    /// The database could not be copied.
    #[error("cannot copy the database {}", path.display())]
    Copy {
        /// The database.
        path: PathBuf,
        /// Why.
        source: StorageError,
    },
    /// The file could not be written.
    #[error("cannot write {}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file is there already.
    #[error("{} is there already; --force replaces it", .0.display())]
    Exists(PathBuf),
    /// The file is the database itself, or one that SQLite keeps beside it.
    #[error("{} is the database itself, or belongs to it", .0.display())]
    IsTheDatabase(PathBuf),
}

impl BackupCommand {
    pub(super) async fn run(self, database: &Database) -> Result<String, CommandFailed> {
        let source = match database {
            Database::SqliteFile(path) => path,
            Database::SqliteMemory | Database::Memory => return Err(BackupFailed::InMemory.into()),
            Database::Postgres(_) => return Err(BackupFailed::OwnTool { tool: "pg_dump" }.into()),
        };
        let existing = if self.force { Existing::Goes } else { Existing::Stays };
        copy(source, &self.file, existing).await?;
        Ok(lines([format!("{database} is copied to {}", self.file.display())]))
    }
}

async fn copy(source: &Path, place: &Path, existing: Existing) -> Result<(), BackupFailed> {
    let write = |source: io::Error| match source.kind() {
        io::ErrorKind::AlreadyExists => BackupFailed::Exists(place.to_owned()),
        _ => BackupFailed::Write { path: place.to_owned(), source },
    };
    if is_of_database(place, source).map_err(write)? {
        return Err(BackupFailed::IsTheDatabase(place.to_owned()));
    }
    // Said before the work is done; that it stays is seen to when the copy is put in its place.
    if existing == Existing::Stays && place.exists() {
        return Err(BackupFailed::Exists(place.to_owned()));
    }
    let copy = NewFile::beside(place).map_err(write)?;
    SqliteStorage::copy(source, copy.path())
        .await
        .map_err(|error| BackupFailed::Copy { path: source.to_owned(), source: error })?;
    copy.put(existing).map_err(write)
}
