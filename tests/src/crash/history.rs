//! What happened in a run, in the order in which it happened; one JSON object a line where it is kept in a file.

use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// One thing that a client did or was told, or that was done to the system.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// A sender is about to send a message: for the first time, or again because it does not know what came of it.
    Invoked {
        /// Who sends it.
        sender: String,
        /// To which room.
        room: String,
        /// Its mark, which no other message has.
        client_id: String,
        /// What it says.
        text: String,
    },
    /// A send was confirmed.
    Confirmed {
        /// The mark of the message.
        client_id: String,
        /// The id that the server gave it.
        message_id: i64,
    },
    /// A send was refused for good.
    Refused {
        /// The mark of the message.
        client_id: String,
        /// Why.
        code: String,
    },
    /// A send got no answer, or one that leaves open what came of it.
    Unknown {
        /// The mark of the message.
        client_id: String,
    },
    /// A subscriber is about to connect.
    Connected {
        /// Who.
        subscriber: String,
        /// To which room.
        room: String,
        /// The newest message that it has; 0 where it wants all from the beginning.
        since: i64,
    },
    /// A subscriber was told of a message.
    Heard {
        /// Who.
        subscriber: String,
        /// The id of the message.
        message_id: i64,
        /// The mark of the message.
        client_id: Option<String>,
        /// What it says.
        text: String,
    },
    /// Something is about to be killed.
    Killed {
        /// What.
        victim: Victim,
    },
    /// Something is about to happen to a cluster.
    Disturbed {
        /// What.
        by: Disturbance,
    },
    /// A message that is in the database at the end of the run.
    Stored {
        /// Its room.
        room: String,
        /// Its place in the room.
        seq: i64,
        /// Its id.
        message_id: i64,
        /// Who sent it.
        sender: String,
        /// Its mark.
        client_id: Option<String>,
        /// What it says.
        text: String,
    },
}

/// What can be killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Victim {
    /// The chat server.
    Server,
    /// The database, where that is a process of its own.
    Database,
}

/// What can happen to a cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Disturbance {
    /// Redis is killed, forgets everything, and is started again.
    RedisRestart,
    /// A server is killed and started again.
    NodeRestart,
    /// The time of a server stands still for a while.
    NodePause,
    /// What a server and Redis say to each other is kept from them for a while, and then dropped.
    LinkSilence,
}

/// Why a history cannot be written or read.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum HistoryError {
    /// The file cannot be written or read.
    #[error("the history in {} cannot be written or read", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A line is no event.
    #[error("line {line} of {} is no event", path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// The line; the first is 1.
        line: usize,
        /// Why.
        source: serde_json::Error,
    },
}

/// Writes a history into a file, in the place of what was there.
///
/// # Errors
///
/// [`HistoryError`] where the file cannot be written.
pub fn write(path: &Path, history: &[Event]) -> Result<(), HistoryError> {
    let write = || -> io::Result<()> {
        let mut file = BufWriter::new(File::create(path)?);
        for event in history {
            serde_json::to_writer(&mut file, event)?;
            file.write_all(b"\n")?;
        }
        file.flush()
    };
    write().map_err(|source| HistoryError::File { path: path.to_owned(), source })
}

/// Reads a history from a file.
///
/// # Errors
///
/// [`HistoryError`] where the file cannot be read, or is no history.
pub fn read(path: &Path) -> Result<Vec<Event>, HistoryError> {
    let unreadable = |source| HistoryError::File { path: path.to_owned(), source };
    let file = BufReader::new(File::open(path).map_err(unreadable)?);
    let mut history = Vec::new();
    for (number, line) in (1..).zip(file.lines()) {
        let line = line.map_err(unreadable)?;
        let event = serde_json::from_str(&line).map_err(|source| HistoryError::Line {
            path: path.to_owned(),
            line: number,
            source,
        })?;
        history.push(event);
    }
    Ok(history)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_back() {
        let id = || "s1-1".to_owned();
        let history = [
            Event::Invoked {
                sender: "s1".into(),
                room: "r1".into(),
                client_id: id(),
                text: "a\n\u{1f600}\"".into(),
            },
            Event::Confirmed { client_id: id(), message_id: i64::MAX },
            Event::Refused { client_id: id(), code: "blank_message".into() },
            Event::Unknown { client_id: id() },
            Event::Connected { subscriber: "w1".into(), room: "r1".into(), since: 0 },
            Event::Heard { subscriber: "w1".into(), message_id: 1, client_id: None, text: String::new() },
            Event::Killed { victim: Victim::Database },
            Event::Stored {
                room: "r1".into(),
                seq: 1,
                message_id: 1,
                sender: "s1".into(),
                client_id: Some(id()),
                text: "a".into(),
            },
        ];
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("history");
        write(&path, &history).expect("it can be written");
        assert_eq!(read(&path).expect("it can be read"), history);
    }

    #[test]
    fn a_line_that_is_no_event_is_named() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("history");
        std::fs::write(&path, "{\"event\":\"unknown\",\"client_id\":\"s1-1\"}\n{}\n")
            .expect("it can be written");
        let error = read(&path).expect_err("the second line is no event");
        assert!(error.to_string().contains("line 2"), "{error}");
    }
}
