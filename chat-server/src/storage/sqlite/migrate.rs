//! Brings the tables up to date.
//!
//! What was applied is noted in the table and in the form that sqlx uses for it, as it does on PostgreSQL, and as it did
//! here in earlier versions.

use std::time::Instant;

use rusqlite::{Connection, TransactionBehavior};
use sqlx::migrate::{MigrateError, Migration, Migrator};

use super::failure::Failure;
use super::query::{all, execute, first};
use super::{Migrated, migration_failed, newest_version};

static MIGRATIONS: Migrator = sqlx::migrate!("migrations/sqlite");

const MAKE_TABLE: &str = "CREATE TABLE IF NOT EXISTS _sqlx_migrations ( \
                          version BIGINT PRIMARY KEY, \
                          description TEXT NOT NULL, \
                          installed_on TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP, \
                          success BOOLEAN NOT NULL, \
                          checksum BLOB NOT NULL, \
                          execution_time BIGINT NOT NULL)";

/// What is noted of a migration: its version, its checksum, whether it was applied to its end.
type Applied = (i64, Vec<u8>, bool);

pub(super) fn migrate(connection: &mut Connection) -> Result<Migrated, Failure> {
    execute(connection, MAKE_TABLE, ())?;
    let from = first(connection, "SELECT max(version) FROM _sqlx_migrations", ())?;
    let from = from.and_then(|(version,): (Option<i64>,)| version);
    while next(connection)?.is_some() {
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        // Looked up again, under the lock: another process may have been faster.
        if let Some(migration) = next(&transaction)? {
            apply(&transaction, migration)?;
        }
        transaction.commit()?;
    }
    Ok(Migrated { from, to: newest_version(&MIGRATIONS) })
}

/// The first migration that is not applied, where all that are applied are those of this program.
fn next(connection: &Connection) -> Result<Option<&'static Migration>, Failure> {
    let applied: Vec<Applied> = all(
        connection,
        "SELECT version, CAST(checksum AS BLOB), success FROM _sqlx_migrations ORDER BY version",
        (),
        Ok,
    )?;
    check(&applied).map_err(|error| migration_failed(&MIGRATIONS, error))?;
    Ok(MIGRATIONS.iter().find(|known| applied.iter().all(|(version, ..)| *version != known.version)))
}

fn check(applied: &[Applied]) -> Result<(), MigrateError> {
    for (version, checksum, success) in applied {
        let known = MIGRATIONS.iter().find(|known| known.version == *version);
        let known = known.ok_or(MigrateError::VersionMissing(*version))?;
        if !success {
            return Err(MigrateError::Dirty(*version));
        }
        if *known.checksum != **checksum {
            return Err(MigrateError::VersionMismatch(*version));
        }
    }
    Ok(())
}

fn apply(connection: &Connection, migration: &Migration) -> Result<(), Failure> {
    let begun = Instant::now();
    connection.execute_batch(migration.sql.as_str())?;
    let nanoseconds = i64::try_from(begun.elapsed().as_nanos()).unwrap_or(i64::MAX);
    execute(
        connection,
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
         VALUES (?, ?, TRUE, ?, ?)",
        (migration.version, &*migration.description, &*migration.checksum, nanoseconds),
    )?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use chat_core::StorageError;

    use super::super::connect;
    use super::*;

    /// A database as sqlx has left it, at version 3.
    const BY_SQLX: &str = "
        CREATE TABLE _sqlx_migrations (
            version BIGINT PRIMARY KEY,
            description TEXT NOT NULL,
            installed_on TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
            success BOOLEAN NOT NULL,
            checksum BLOB NOT NULL,
            execution_time BIGINT NOT NULL
        );
        INSERT INTO _sqlx_migrations VALUES
        (1, 'chat', '2026-11-21 03:27:06', 1, x'3f8fe635fa63dc434afd85fa4fe99117d239a069823f4239\
51c120d48aae0d4ae84a94d410a08f0030cec00a32a2cb58', 2065980),
        (2, 'accounts', '2026-11-21 03:27:06', 1, x'a2b76ab5fd4a1f4e8d0f4e7f80e75e95fd9818a779ab0cac\
d838866415b450a54b746cfeec8cc991111b38f564f514ab', 743247),
        (3, 'profiles', '2026-11-21 03:27:06', 1, x'cc3c68e38d3e35d6695935cd75582aa09a5dd387d9efd959\
cb3b50f8c772a517ef35ca09c1899d992352d8172cb36405', 525944);";

    fn made_by_sqlx() -> Connection {
        let connection = connect::in_memory().unwrap();
        for migration in MIGRATIONS.iter().filter(|migration| migration.version <= 3) {
            connection.execute_batch(migration.sql.as_str()).unwrap();
        }
        connection.execute_batch(BY_SQLX).unwrap();
        connection
    }

    fn refused(connection: &mut Connection) -> StorageError {
        migrate(connection).unwrap_err().into()
    }

    #[test]
    fn what_sqlx_has_made_goes_on() {
        let mut connection = made_by_sqlx();
        let to = newest_version(&MIGRATIONS);
        assert_eq!(migrate(&mut connection).unwrap(), Migrated { from: Some(3), to });
        assert_eq!(migrate(&mut connection).unwrap(), Migrated { from: Some(to), to });
        // sqlx finds it as it would have left it.
        let noted: Vec<(i64, String, bool)> = all(
            &connection,
            "SELECT version, description, success FROM _sqlx_migrations \
             WHERE typeof(checksum) = 'blob' AND length(checksum) = 48 AND execution_time >= 0 ORDER BY version",
            (),
            Ok,
        )
        .unwrap();
        let known = MIGRATIONS.iter().map(|known| (known.version, known.description.to_string(), true));
        assert_eq!(noted, known.collect::<Vec<_>>());
        execute(&connection, "UPDATE checks SET count = count + 1", ()).unwrap();
    }

    #[test]
    fn a_database_is_made() {
        let mut connection = connect::in_memory().unwrap();
        let to = newest_version(&MIGRATIONS);
        assert_eq!(migrate(&mut connection).unwrap(), Migrated { from: None, to });
    }

    #[test]
    fn what_was_applied_must_be_what_is_known() {
        for (change, expected) in [
            (
                "UPDATE _sqlx_migrations SET checksum = x'00' WHERE version = 2",
                MigrateError::VersionMismatch(2),
            ),
            ("UPDATE _sqlx_migrations SET success = FALSE WHERE version = 3", MigrateError::Dirty(3)),
        ] {
            let mut connection = made_by_sqlx();
            connection.execute_batch(change).unwrap();
            let StorageError::Database(error) = refused(&mut connection) else { panic!("{change}") };
            assert_eq!(error.to_string(), expected.to_string());
            // Nothing more was applied.
            assert!(execute(&connection, "UPDATE checks SET count = 0", ()).is_err());
        }
        let mut connection = made_by_sqlx();
        // Whatever it notes of its own migrations.
        let later = "UPDATE _sqlx_migrations SET version = 9999, checksum = '' WHERE version = 3";
        connection.execute_batch(later).unwrap();
        let known = newest_version(&MIGRATIONS);
        assert!(
            matches!(refused(&mut connection), StorageError::NewerSchema { found: 9999, known: k } if k == known)
        );
    }

    #[test]
    fn a_database_that_many_open_at_once_is_made_once() {
        for _ in 0..20 {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("chat.db");
            std::thread::scope(|scope| {
                let opening: Vec<_> =
                    (0..4).map(|_| scope.spawn(|| migrate(&mut connect::writer(&path)?))).collect();
                for opened in opening {
                    assert_eq!(opened.join().unwrap().unwrap().to, newest_version(&MIGRATIONS));
                }
            });
        }
    }
}
