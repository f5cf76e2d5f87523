//! Statements, each prepared once for a connection.

use chat_core::StorageError;
use chat_core::storage::StoredMessage;
use rusqlite::{Connection, OptionalExtension, Params, Row};

use super::failure::Failure;
use super::row::MessageRow;

/// What a row can be read as: a tuple, or one of the structs of [`row`](super::row).
pub(super) trait Readable: for<'r> TryFrom<&'r Row<'r>, Error = rusqlite::Error> {}

impl<R: for<'r> TryFrom<&'r Row<'r>, Error = rusqlite::Error>> Readable for R {}

/// The first row of what is asked for.
pub(super) fn first<R: Readable>(
    connection: &Connection,
    query: &str,
    params: impl Params,
) -> rusqlite::Result<Option<R>> {
    connection.prepare_cached(query)?.query_row(params, |row| R::try_from(row)).optional()
}

/// All rows of what is asked for, read as values.
pub(super) fn all<R: Readable, T>(
    connection: &Connection,
    query: &str,
    params: impl Params,
    read: impl Fn(R) -> Result<T, StorageError>,
) -> Result<Vec<T>, Failure> {
    connection.prepare_cached(query)?.query_and_then(params, |row| Ok(read(R::try_from(row)?)?))?.collect()
}

/// All messages that are asked for, by the columns of [`message_columns`](super::row::message_columns).
pub(super) fn messages(
    connection: &Connection,
    query: &str,
    params: impl Params,
) -> Result<Vec<StoredMessage>, Failure> {
    let mut statement = connection.prepare_cached(query)?;
    let mut rows = statement.query(params)?;
    let mut messages: Vec<StoredMessage> = Vec::new();
    while let Some(row) = rows.next()? {
        let message = MessageRow::of(row)?.read_after(messages.last())?;
        messages.push(message);
    }
    Ok(messages)
}

/// Does something that gives no rows, and tells how many it has changed.
pub(super) fn execute(
    connection: &Connection,
    statement: &str,
    params: impl Params,
) -> rusqlite::Result<usize> {
    connection.prepare_cached(statement)?.execute(params)
}
