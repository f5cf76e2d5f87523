//! What can be wrong with the file of a room.

use std::io;

use chat_protocol::{DecodeError, Excerpt, Seq};
use thiserror::Error;

use super::{FORMAT, MAX_LINE_BYTES, VERSION};

/// Why a file is not a room, or not as a whole.
#[derive(Debug, Error)]
#[error("line {line}")]
pub struct BadLine {
    /// The line, from 1.
    pub line: u64,
    /// What is wrong with it.
    #[source]
    pub reason: LineError,
}

/// What is wrong with a line.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum LineError {
    /// It could not be read.
    #[error("it cannot be read")]
    Read(#[source] io::Error),
    /// The file ends before it.
    #[error("it is missing: the first line is to tell of the room")]
    Missing,
    /// It goes on and on.
    #[error("it has more than {MAX_LINE_BYTES} bytes")]
    TooLong,
    /// It is not JSON, or has other fields than the format.
    #[error("it is not a line of the format: {reason:?} (column {column})")]
    Form {
        /// What the reader of JSON says, as far as it may repeat what stands there.
        reason: Excerpt,
        /// Where, from 1.
        column: usize,
    },
    /// It says that the file is something else.
    #[error("it does not say that this is a room: its format is {found:?}, not \"{FORMAT}\"")]
    Format {
        /// What it says.
        found: Excerpt,
    },
    /// It says that the file was written by a later version.
    #[error("the file is of version {found} of the format, and this program knows version {VERSION}")]
    Version {
        /// What it says.
        found: u32,
    },
    /// A field holds what it must not.
    #[error(transparent)]
    Value(DecodeError),
    /// It does not come after the line before it.
    #[error("it has the seq {found}, after {before}: messages are missing, or not in order")]
    Gap {
        /// Its number.
        found: Seq,
        /// The number of the line before.
        before: Seq,
    },
}
