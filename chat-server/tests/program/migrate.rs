//! `chat-server migrate`, and databases of other versions.

use sqlx::ConnectOptions;
use sqlx::sqlite::SqliteConnectOptions;

use crate::{complaint, said};

async fn execute(database: &std::path::Path, statement: &'static str) {
    let mut connection =
        SqliteConnectOptions::new().filename(database).connect().await.expect("the database opens");
    sqlx::query(statement).execute(&mut connection).await.expect("the statement is right");
}

#[tokio::test]
async fn tables_are_brought_up_to_date() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let made = said(folder, &["migrate"], "");
    assert!(made.starts_with("sqlite:chat.db: made with tables of version "), "{made}");
    let again = said(folder, &["migrate", "--database", "sqlite:chat.db"], "");
    assert!(again.starts_with("sqlite:chat.db: nothing to do"), "{again}");

    // As it was before the fourth version.
    let database = folder.join("chat.db");
    for statement in [
        "ALTER TABLE rooms DROP COLUMN pruned_id",
        "ALTER TABLE rooms DROP COLUMN pruned_seq",
        "DROP TABLE checks",
        "DELETE FROM _sqlx_migrations WHERE version >= 4",
    ] {
        execute(&database, statement).await;
    }
    let brought = said(folder, &["migrate"], "");
    assert!(
        brought.starts_with("sqlite:chat.db: its tables were of version 3, and are of version "),
        "{brought}"
    );
    said(folder, &["room", "create", "hall"], "");
}

#[tokio::test]
async fn the_tables_of_a_newer_program_are_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    said(folder, &["room", "create", "hall"], "");
    execute(
        &folder.join("chat.db"),
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
         VALUES (9999, 'later', TRUE, x'00', 0)",
    )
    .await;
    for arguments in [&["migrate"][..], &["room", "list"], &["--listen", "127.0.0.1:0"]] {
        let complaint = complaint(folder, arguments, "");
        assert!(complaint.contains("made by a newer version: its tables are of version 9999"), "{complaint}");
    }
}
