//! What a database holds before a measurement begins.

use std::fs::File;
use std::io;
use std::path::Path;

use rusqlite::{Connection, params};

/// How much there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seed {
    /// Rooms: `r0`, `r1`, …
    pub rooms: u64,
    /// Users: `user0`, `user1`, … All of them are members of the room `r0`, and have read everything.
    pub users: u64,
    /// Messages in the room `r0`.
    pub messages: u64,
}

impl Seed {
    /// Nothing.
    pub const NOTHING: Self = Self { rooms: 0, users: 0, messages: 0 };

    pub(super) const fn is_nothing(self) -> bool {
        self.rooms == 0
    }
}

/// Puts it into a database that has its tables, and nothing in them.
pub(super) fn sow(database: &Path, seed: Seed) -> rusqlite::Result<()> {
    let mut connection = Connection::open(database)?;
    // It need not outlive a crash: then there is no measurement either.
    connection.pragma_update(None, "synchronous", "OFF")?;
    // As does this: the server goes back to the way that it writes itself.
    connection.pragma_update(None, "journal_mode", "OFF")?;
    let transaction = connection.transaction()?;
    let numbers = "WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < ?1)";
    for (count, statement) in [
        (seed.rooms, "INSERT INTO rooms (id, name) SELECT n, 'r' || (n - 1) FROM numbers"),
        (seed.users, "INSERT INTO users (id, name) SELECT n, 'user' || (n - 1) FROM numbers"),
        (seed.users, "INSERT INTO members (room_id, user_id) SELECT 1, n FROM numbers"),
        (seed.users, "INSERT INTO read_marks (room_id, user_id, seq) SELECT 1, n, 0 FROM numbers"),
        (
            seed.messages,
            "INSERT INTO messages (id, room_id, seq, sender_id, text, sent_at)
             SELECT n, 1, n, 1, 'the quick brown fox jumps over the lazy dog', 1759460400000000 + n FROM numbers",
        ),
    ] {
        if count > 0 {
            transaction.execute(&format!("{numbers} {statement}"), params![count.cast_signed()])?;
        }
    }
    for statement in ["UPDATE rooms SET last_seq = ?1 WHERE id = 1", "UPDATE read_marks SET seq = ?1"] {
        transaction.execute(statement, params![seed.messages.cast_signed()])?;
    }
    transaction.commit()
}

/// Waits until it is on the disk: else the server would, with its first commit.
pub(super) fn settle(database: &Path) -> io::Result<()> {
    File::open(database)?.sync_all()
}
