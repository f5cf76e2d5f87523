//! `chat-server export …`

use std::io::{self, BufWriter, Write};
use std::path::PathBuf;

use chat_core::StorageError;
use chat_core::storage::Room;
use chat_protocol::{RoomName, Seq};
use clap::Args;
use thiserror::Error;

use super::new_file::{Existing, NewFile, is_of_database};
use super::{CommandFailed, lines, room_file, room_named};
use crate::config::Database;
use crate::storage::ServerStorage;

/// Messages that are in memory at once.
const PAGE: u32 = 500;

/// Writes a room and its messages as JSON Lines.
#[derive(Debug, Clone, Args)]
pub struct ExportCommand {
    /// The room
    room: RoomName,
    /// The file to write; one that is there is replaced once all is written [default: the standard output]
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// Why a room was not exported.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ExportFailed {
    /// The database failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// It could not be written.
    #[error("the export cannot be written")]
    Write(#[from] io::Error),
    /// The file is the database itself, or one that SQLite keeps beside it.
    #[error("{} is the database itself, or belongs to it", .0.display())]
    IsTheDatabase(PathBuf),
    /// Messages were removed while they were to be written.
    #[error("messages of the room were removed meanwhile, because they are not to be kept; try again")]
    Removed,
}

impl ExportCommand {
    pub(super) async fn run(
        self,
        storage: &dyn ServerStorage,
        database: &Database,
    ) -> Result<String, CommandFailed> {
        let room = room_named(storage, self.room).await?;
        let Some(path) = self.output else {
            export(storage, &room, &mut BufWriter::new(io::stdout())).await?;
            return Ok(String::new());
        };
        if let Database::SqliteFile(source) = database
            && is_of_database(&path, source).map_err(ExportFailed::Write)?
        {
            return Err(ExportFailed::IsTheDatabase(path).into());
        }
        let mut file = NewFile::beside(&path).map_err(ExportFailed::Write)?;
        let messages = export(storage, &room, &mut BufWriter::new(file.file())).await?;
        file.put(Existing::Goes).map_err(ExportFailed::Write)?;
        Ok(lines([format!("room {}: {messages} messages are in {}", room.name, path.display())]))
    }
}

/// Writes a room with the messages that are there now, and tells how many these are.
async fn export(
    storage: &dyn ServerStorage,
    room: &Room,
    out: &mut (impl Write + Send),
) -> Result<u64, ExportFailed> {
    let owner = match room.owner {
        Some(owner) => storage.user(owner).await?,
        None => None,
    };
    room_file::write_room(out, room, owner.as_ref(), &storage.members(room.id).await?)?;
    // What is posted from now on could go on for ever.
    let end = storage.newest(room.id).await?.map(|newest| newest.seq);
    let mut written = 0;
    let mut place: Option<Seq> = None;
    while place < end {
        let page = storage.messages_after(room.id, place, PAGE).await?;
        if page.is_empty() {
            return Err(ExportFailed::Removed);
        }
        for message in &page {
            let is_next = place.is_none_or(|place| place.next() == message.seq);
            if !is_next || Some(message.seq) > end {
                return Err(ExportFailed::Removed);
            }
            room_file::write_message(out, message)?;
            place = Some(message.seq);
            written += 1;
            if place == end {
                break;
            }
        }
    }
    out.flush()?;
    Ok(written)
}
