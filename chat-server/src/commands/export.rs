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
        // Each page begins with the last message of the one before. While that is there, retention, which removes the oldest
        // first, has removed nothing behind it: what is missing there, somebody has removed by hand.
        let page = storage.messages_after(room.id, place.and_then(Seq::previous), PAGE).await?;
        let messages = match (place, page.split_first()) {
            (None, _) => page.as_slice(),
            (Some(place), Some((first, rest))) if first.seq == place => rest,
            (Some(_), _) => return Err(ExportFailed::Removed),
        };
        if messages.is_empty() {
            return Err(ExportFailed::Removed);
        }
        for message in messages {
            if Some(message.seq) > end {
                return Err(ExportFailed::Removed);
            }
            room_file::write_message(out, message, place)?;
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

#[cfg(test)]
mod tests {
    use std::path::Path;

    use chat_core::storage::NewMessage;
    use chat_protocol::Timestamp;
    use rusqlite::Connection;

    use super::*;
    use crate::storage::SqliteStorage;

    /// Takes what is written, and after the first two messages lets somebody else do something to the database.
    struct Meanwhile<'a> {
        database: &'a Path,
        statement: &'a str,
        lines: u32,
    }

    impl Write for Meanwhile<'_> {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            if bytes.ends_with(b"\n") {
                self.lines += 1;
                if self.lines == 3 {
                    Connection::open(self.database).unwrap().execute_batch(self.statement).unwrap();
                }
            }
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[tokio::test]
    async fn what_somebody_removes_by_hand_is_told_apart_from_what_retention_removes() {
        for (statement, expected) in [
            ("DELETE FROM messages WHERE seq <= 499", Some(1_200)),
            ("DELETE FROM messages WHERE seq BETWEEN 501 AND 700", Some(1_000)),
            ("DELETE FROM messages WHERE seq BETWEEN 2 AND 4 OR seq BETWEEN 900 AND 999", Some(1_100)),
            ("DELETE FROM messages WHERE seq <= 500", None),
            ("DELETE FROM messages WHERE seq <= 700", None),
            ("DELETE FROM messages WHERE seq >= 1200", None),
        ] {
            let folder = tempfile::tempdir().unwrap();
            let database = folder.path().join("chat.db");
            let opened = SqliteStorage::open(&database).await.unwrap();
            let storage: &dyn ServerStorage = &opened;
            let room = storage.ensure_room(&"hall".parse().unwrap()).await.unwrap();
            let amy = storage.ensure_user(&"amy".parse().unwrap()).await.unwrap();
            let message = NewMessage {
                room: room.id,
                sender: amy,
                text: "hello".into(),
                sent_at: Timestamp::from_micros(0).unwrap(),
                client_id: None,
            };
            let messages = vec![message; 1_200];
            storage.append(&messages).await.unwrap();
            let mut out = Meanwhile { database: &database, statement, lines: 0 };
            let written = match export(storage, &room, &mut out).await {
                Ok(written) => Some(written),
                Err(ExportFailed::Removed) => None,
                Err(error) => panic!("{statement}: {error}"),
            };
            assert_eq!(written, expected, "{statement}");
        }
    }
}
