//! Connections, as each of their uses needs them.

use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags, Result};

/// How long a write waits for another process (a backup, the `sqlite3` shell) that holds the database.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// After how long what SQLite does not wait for itself is tried again.
const BUSY_PAUSE: Duration = Duration::from_millis(5);

/// Pages that a reader keeps, in KiB: the system keeps them, too, and there are several readers.
const READER_CACHE_KIB: i64 = 512;

/// Prepared statements that a connection keeps: more than there are.
const STATEMENTS: usize = 128;

/// One that writes; makes the file where there is none.
pub(super) fn writer(path: &Path) -> Result<Connection> {
    let connection = open(path, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE)?;
    log_ahead(&connection)?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    Ok(connection)
}

/// One that only reads.
pub(super) fn reader(path: &Path) -> Result<Connection> {
    let connection = open(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    connection.pragma_update(None, "cache_size", -READER_CACHE_KIB)?;
    Ok(connection)
}

/// The only one to a database in memory.
pub(super) fn in_memory() -> Result<Connection> {
    let connection = Connection::open_in_memory()?;
    keep_statements(&connection)?;
    connection.pragma_update(None, "foreign_keys", true)?;
    Ok(connection)
}

/// Lets a connection plan each statement once: not anew for other values, which never changes the plan here.
fn keep_statements(connection: &Connection) -> Result<()> {
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    Ok(())
}

fn open(path: &Path, flags: OpenFlags) -> Result<Connection> {
    // Whoever has a connection has it alone: SQLite need not lock it as well.
    let connection = Connection::open_with_flags(path, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    keep_statements(&connection)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    // What SQLite needs to undo a statement, or to sort, would otherwise be a file.
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    Ok(connection)
}

/// Makes the journal a write-ahead log, where it is none yet.
fn log_ahead(connection: &Connection) -> Result<()> {
    let begun = Instant::now();
    loop {
        let outcome = connection.pragma_update(None, "journal_mode", "WAL");
        let is_busy =
            matches!(&outcome, Err(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy));
        // While another process makes it one, this is refused at once, whatever the time that SQLite is given to wait.
        if !is_busy || begun.elapsed() > BUSY_TIMEOUT {
            return outcome;
        }
        thread::sleep(BUSY_PAUSE);
    }
}
