//! `chat-server backup`.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use chat_core::storage::{MessageStorage, NewMessage, RoomStorage, UserStorage};
use chat_protocol::{RoomName, Timestamp, Username};
use chat_server::storage::SqliteStorage;
use sqlx::ConnectOptions;
use sqlx::sqlite::SqliteConnectOptions;

use crate::{complaint, said};

const ROOMS: [&str; 3] = ["hall", "den", "cellar"];

/// Writes to all rooms in turn, batch after batch, until it is told to stop; gives how many messages each room has.
async fn write(storage: &SqliteStorage, stop: &AtomicBool, begun: &tokio::sync::Notify) -> usize {
    let sender = storage.ensure_user(&Username::new("amy").unwrap()).await.unwrap();
    let mut rooms = Vec::new();
    for name in ROOMS {
        rooms.push(storage.ensure_room(&RoomName::new(name).unwrap()).await.unwrap());
    }
    let mut batches = 0;
    while !stop.load(Ordering::Relaxed) {
        let message = |room: &chat_core::storage::Room| NewMessage {
            room: room.id,
            sender: sender.clone(),
            text: format!("m{batches}").into(),
            sent_at: Timestamp::from_micros(batches).unwrap(),
            client_id: None,
        };
        let batch: Vec<_> = rooms.iter().map(message).collect();
        storage.append(&batch).await.unwrap();
        batches += 1;
        begun.notify_one();
    }
    usize::try_from(batches).unwrap()
}

/// How many messages each room has; they must be the first ones, in order, and the same in every room.
async fn whole(path: &Path) -> usize {
    let mut connection = SqliteConnectOptions::new().filename(path).connect().await.unwrap();
    let health: String =
        sqlx::query_scalar("PRAGMA integrity_check").fetch_one(&mut connection).await.unwrap();
    assert_eq!(health, "ok");
    drop(connection);
    let copy = SqliteStorage::open(path).await.unwrap();
    let mut counts = Vec::new();
    for name in ROOMS {
        let room = copy.room_named(&RoomName::new(name).unwrap()).await.unwrap().unwrap();
        let messages = copy.messages_after(room.id, None, u32::MAX).await.unwrap();
        for (number, message) in messages.iter().enumerate() {
            assert_eq!(&*message.text, format!("m{number}"));
            assert_eq!(message.seq.value(), i64::try_from(number).unwrap() + 1);
        }
        counts.push(messages.len());
    }
    counts.dedup();
    assert_eq!(counts.len(), 1, "{counts:?}");
    counts.pop().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_is_whole_while_others_write() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_owned();
    let storage = SqliteStorage::open(&path.join("chat.db")).await.unwrap();
    let stop = Arc::new(AtomicBool::new(false));
    let begun = Arc::new(tokio::sync::Notify::new());
    let writing = tokio::spawn({
        let (stop, begun) = (Arc::clone(&stop), Arc::clone(&begun));
        async move { write(&storage, &stop, &begun).await }
    });
    let mut counts = vec![0];
    for number in 0..5 {
        // Something new is there to be copied.
        begun.notified().await;
        let name = format!("copy-{number}.db");
        let folder = path.clone();
        let report =
            tokio::task::spawn_blocking(move || said(&folder, &["backup", &name], "")).await.unwrap();
        assert_eq!(report, format!("sqlite:chat.db is copied to copy-{number}.db\n"));
        counts.push(whole(&path.join(format!("copy-{number}.db"))).await);
    }
    stop.store(true, Ordering::Relaxed);
    counts.push(writing.await.unwrap());
    assert!(counts.is_sorted(), "{counts:?}");
}

#[test]
fn a_copy_is_for_its_owner_and_replaces_nothing_unasked() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    said(folder, &["room", "create", "hall"], "");
    said(folder, &["backup", "copy.db"], "");
    let mode = std::fs::metadata(folder.join("copy.db")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    said(folder, &["room", "create", "den"], "");

    let lists = |database: &str| said(folder, &["room", "list", "--database", database], "");
    assert!(complaint(folder, &["backup", "copy.db"], "").contains("copy.db is there already; --force"));
    assert_eq!(lists("sqlite:copy.db"), "1\thall\topen\t\n");
    said(folder, &["backup", "copy.db", "--force"], "");
    assert_eq!(lists("sqlite:copy.db"), "1\thall\topen\t\n2\tden\topen\t\n");
}

#[test]
fn what_cannot_be_copied_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    said(folder, &["room", "create", "hall"], "");
    std::fs::write(folder.join("no.db"), "this is no database, but it is long enough to be read as one")
        .unwrap();
    for (arguments, hint) in [
        (&["backup", "./chat.db", "--force"][..], "is the database itself"),
        (&["backup", "chat.db-wal", "--force"], "chat.db-wal is the database itself, or belongs to it"),
        (&["backup", "./chat.db-shm"], "chat.db-shm is the database itself, or belongs to it"),
        (&["backup", "nowhere/copy.db"], "cannot write nowhere/copy.db"),
        (&["backup", "copy.db", "--database", "sqlite::memory:"], "in memory"),
        (&["backup", "copy.db", "--database", "postgres://x:y@127.0.0.1:1/z"], "its own tool, pg_dump"),
        (&["backup", "copy.db", "--database", "sqlite:missing.db"], "missing.db"),
        (&["backup", "copy.db", "--database", "sqlite:no.db"], "not a database"),
    ] {
        let complaint = complaint(folder, arguments, "");
        assert!(complaint.contains(hint), "{arguments:?}: {complaint}");
    }
    let mut left: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| !name.starts_with("chat.db"))
        .collect();
    left.sort();
    assert_eq!(left, ["no.db"]);
}
