//! `chat-server import …`
//!
//! What the room has already must be the beginning of the file; the import goes on behind it. So one that was interrupted
//! is simply run again, and a finished one adds nothing.

use std::collections::{HashMap, VecDeque};
use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::PathBuf;

use chat_core::StorageError;
use chat_core::storage::{Appended, NewMessage, NewRoom, Room, StoredMessage, User};
use chat_protocol::{Limits, NameError, RoomName, Seq, Username};
use clap::Args;
use thiserror::Error;

use super::room_file::{BadLine, MessageInFile, RoomInFile, RoomReader};
use super::{CommandFailed, lines};
use crate::storage::ServerStorage;

/// Messages that are read from the database at once.
const PAGE: u32 = 500;

/// Messages that are stored in one transaction.
const BATCH: usize = 500;

/// Puts a room that was exported into the database; run again, it goes on where it was interrupted.
#[derive(Debug, Clone, Args)]
pub struct ImportCommand {
    /// The file, as `export` has written it [default: the standard input]
    file: Option<PathBuf>,
    /// Under which name the room is to be here [default: the one that it had]
    #[arg(long, value_name = "NAME")]
    room: Option<RoomName>,
}

/// Why a room was not imported, or not as a whole.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ImportFailed {
    /// The database failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// The file could not be opened.
    #[error("cannot read {}", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file is not as it should be.
    #[error("the file is no export of a room")]
    BadLine(#[from] BadLine),
    /// The name of the room looks like that of another.
    #[error("no room is made under the name {:?}; --room gives it another", name.as_str())]
    Name {
        /// The name.
        name: RoomName,
        /// What is wrong with it.
        source: NameError,
    },
    /// The room has other messages than the file.
    #[error(
        "the room has other messages than the file: line {line} is not message {seq} of the room; --room gives \
         the import a room of its own"
    )]
    Differs {
        /// The first line that differs.
        line: u64,
        /// The message of the room that is in its place.
        seq: Seq,
    },
    /// The same mark stands on two messages of one sender.
    #[error("line {line} has the client_id of an earlier message of its sender")]
    Repeated {
        /// The later one.
        line: u64,
    },
    /// Somebody has written into the room between two messages of the file.
    #[error("somebody has written to the room meanwhile: its message {seq} is not of the file")]
    Interrupted {
        /// Where the next message of the file should have been.
        seq: Seq,
    },
}

impl ImportCommand {
    pub(super) async fn run(
        self,
        storage: &dyn ServerStorage,
        limits: &Limits,
    ) -> Result<String, CommandFailed> {
        let input: Box<dyn BufRead + Send> = match self.file {
            Some(path) => match File::open(&path) {
                Ok(file) => Box::new(BufReader::new(file)),
                Err(source) => return Err(ImportFailed::Open { path, source }.into()),
            },
            None => Box::new(BufReader::new(io::stdin())),
        };
        let (reader, mut room) = RoomReader::open(input, limits.clone()).map_err(ImportFailed::from)?;
        if let Some(name) = self.room {
            room.name = name;
        }
        Ok(import(storage, reader, room).await?)
    }
}

/// Puts a room into the database, and says what that came to.
async fn import(
    storage: &dyn ServerStorage,
    mut reader: RoomReader<impl BufRead>,
    room: RoomInFile,
) -> Result<String, ImportFailed> {
    let mut people = People { storage, known: HashMap::new() };
    let (room, was) = find_or_make(&mut people, room).await?;
    let mut stored = StoredMessages { storage, room: room.id, page: VecDeque::new(), place: None };
    let mut there = 0_u64;
    let mut imported = 0_u64;
    let mut next = reader.next()?;
    while let Some(message) = &next
        && let Some(known) = stored.next().await?
    {
        if !is_same(message, &known) {
            return Err(ImportFailed::Differs { line: message.line, seq: known.seq });
        }
        there += 1;
        next = reader.next()?;
    }
    let mut last = stored.place;
    while let Some(first) = next.take() {
        let mut batch = vec![first];
        while batch.len() < BATCH
            && let Some(message) = reader.next()?
        {
            batch.push(message);
        }
        last = append(&mut people, &room, &batch, last).await?;
        imported += batch.len() as u64;
        next = reader.next()?;
    }
    Ok(lines([
        format!("room {}: {was}", room.name),
        format!("{there} messages were there already, {imported} were imported"),
    ]))
}

/// The room to import into, and whether it was there.
async fn find_or_make(
    people: &mut People<'_>,
    room: RoomInFile,
) -> Result<(Room, &'static str), ImportFailed> {
    const THERE: &str = "was there already; who may enter it and who its members are stays as it is";
    if let Some(found) = people.storage.room_named(&room.name).await? {
        return Ok((found, THERE));
    }
    // Its people keep the names that the file has: who wrote that could have put any words into anybody's mouth.
    if let Err(source) = room.name.check_new() {
        return Err(ImportFailed::Name { name: room.name, source });
    }
    let owner = match &room.owner {
        Some(name) => Some(people.ensure(name).await?.id),
        None => None,
    };
    let mut members = Vec::with_capacity(room.members.len());
    for member in &room.members {
        members.push(people.ensure(member).await?.id);
    }
    // In older files the owner need not be among them, and could not enter.
    if let Some(owner) = owner
        && !members.contains(&owner)
    {
        members.push(owner);
    }
    let RoomInFile { name, display_name, access, .. } = room;
    let new = NewRoom { name, display_name, access, owner, members };
    if let Some(made) = people.storage.create_room(&new).await? {
        return Ok((made, "made"));
    }
    // Somebody was faster.
    Ok((people.storage.ensure_room(&new.name).await?, THERE))
}

/// Stores messages behind the last of the room, and gives the place of the new last one.
async fn append(
    people: &mut People<'_>,
    room: &Room,
    batch: &[MessageInFile],
    mut last: Option<Seq>,
) -> Result<Option<Seq>, ImportFailed> {
    let mut messages = Vec::with_capacity(batch.len());
    for message in batch {
        messages.push(NewMessage {
            room: room.id,
            sender: people.ensure(&message.username).await?,
            text: message.text.clone(),
            sent_at: message.sent_at,
            client_id: message.client_id.clone(),
        });
    }
    let outcomes = people.storage.append(&messages).await?;
    for (outcome, message) in outcomes.into_iter().zip(batch) {
        let Appended::New(stored) = outcome else {
            return Err(ImportFailed::Repeated { line: message.line });
        };
        if last.is_some_and(|last| last.value() + 1 != stored.seq.value()) {
            return Err(ImportFailed::Interrupted { seq: stored.seq });
        }
        last = Some(stored.seq);
    }
    Ok(last)
}

fn is_same(message: &MessageInFile, stored: &StoredMessage) -> bool {
    message.username == stored.sender.name
        && message.text == stored.text
        && message.sent_at == stored.sent_at
        && message.client_id == stored.client_id
}

/// The people whose messages are imported.
struct People<'a> {
    storage: &'a dyn ServerStorage,
    known: HashMap<Username, User>,
}

impl People<'_> {
    async fn ensure(&mut self, name: &Username) -> Result<User, StorageError> {
        if let Some(user) = self.known.get(name) {
            return Ok(user.clone());
        }
        let user = self.storage.ensure_user(name).await?;
        self.known.insert(name.clone(), user.clone());
        Ok(user)
    }
}

/// The messages of a room from the oldest on, a page in memory at a time.
struct StoredMessages<'a> {
    storage: &'a dyn ServerStorage,
    room: chat_protocol::RoomId,
    page: VecDeque<StoredMessage>,
    /// The place of the last one that was read from the database.
    place: Option<Seq>,
}

impl StoredMessages<'_> {
    async fn next(&mut self) -> Result<Option<StoredMessage>, StorageError> {
        if self.page.is_empty() {
            self.page = self.storage.messages_after(self.room, self.place, PAGE).await?.into();
            self.place = self.page.back().map(|last| last.seq).or(self.place);
        }
        Ok(self.page.pop_front())
    }
}
