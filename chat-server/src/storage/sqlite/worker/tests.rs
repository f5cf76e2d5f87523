use std::path::Path;
use std::sync::mpsc;

use tempfile::TempDir;

use super::super::connect;
use super::super::query::{execute, first};
use super::super::queue::Closed;
use super::*;

const LONG: Duration = Duration::from_mins(1);

fn numbers_in(connection: &Connection) -> Result<i64, Failure> {
    let count: Option<(i64,)> = first(connection, "SELECT count(*) FROM numbers", ())?;
    Ok(count.unwrap().0)
}

fn insert(connection: &Connection) -> Result<(), Failure> {
    execute(connection, "INSERT INTO numbers DEFAULT VALUES", ())?;
    Ok(())
}

/// A writer of a database with an empty table.
fn writer(path: &Path, answer_within: Duration) -> Arc<Workers> {
    let connection = connect::writer(path).unwrap();
    connection.execute_batch("CREATE TABLE numbers (number INTEGER PRIMARY KEY)").unwrap();
    Arc::new(Workers::start("writer", [connection], answer_within).unwrap())
}

fn file() -> (TempDir, std::path::PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("numbers.db");
    (folder, path)
}

/// Keeps the only thread busy until the sender is dropped; returns when it is.
async fn hold(workers: &Arc<Workers>) -> mpsc::Sender<()> {
    let (release, released) = mpsc::channel::<()>();
    let (begin, has_begun) = oneshot::channel();
    let workers = Arc::clone(workers);
    tokio::spawn(async move {
        let held = workers.call(move |connection| {
            let _ = begin.send(());
            let _ = released.recv();
            insert(connection)
        });
        // Where this takes too long, the one that waits is told; the work goes on.
        let _ = held.await;
    });
    has_begun.await.unwrap();
    release
}

/// Whether this is why it failed.
fn is<E: std::error::Error + 'static>(outcome: Result<(), StorageError>) -> bool {
    matches!(outcome, Err(StorageError::Database(error)) if error.is::<E>())
}

#[tokio::test]
async fn what_takes_too_long_is_an_error_and_what_comes_after_it_works() {
    let (_folder, path) = file();
    let workers = writer(&path, Duration::from_millis(100));
    let release = hold(&workers).await;
    assert!(is::<NoAnswer>(workers.transaction(insert).await));
    drop(release);
    // What was held is done by now, or soon; the one that was given up before it began is not.
    let done = async { while workers.call(numbers_in).await.ok() != Some(1) {} };
    timeout(LONG, done).await.unwrap();
}

#[tokio::test]
async fn what_nobody_waits_for_any_more_is_not_begun() {
    let (_folder, path) = file();
    let workers = writer(&path, LONG);
    let release = hold(&workers).await;
    let given_up = timeout(Duration::from_millis(10), workers.transaction(insert));
    assert!(given_up.await.is_err());
    drop(release);
    assert_eq!(workers.call(numbers_in).await.unwrap(), 1);
}

#[tokio::test]
async fn what_is_given_up_while_another_process_has_the_lock_is_not_stored() {
    let (_folder, path) = file();
    let workers = writer(&path, LONG);
    let other = connect::writer(&path).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    // It has begun by then, and waits for the lock.
    assert!(timeout(Duration::from_millis(100), workers.transaction(insert)).await.is_err());
    other.execute_batch("COMMIT").unwrap();
    assert_eq!(workers.call(numbers_in).await.unwrap(), 0);
}

#[tokio::test]
async fn what_is_given_up_before_its_commit_is_not_stored() {
    let (_folder, path) = file();
    let workers = writer(&path, LONG);
    let (release, released) = mpsc::channel::<()>();
    let given_up = workers.transaction(move |connection| {
        insert(connection)?;
        let _ = released.recv();
        Ok(())
    });
    assert!(timeout(Duration::from_millis(50), given_up).await.is_err());
    drop(release);
    assert_eq!(workers.call(numbers_in).await.unwrap(), 0);
}

#[tokio::test]
async fn what_has_begun_runs_to_its_end() {
    let (_folder, path) = file();
    let workers = writer(&path, Duration::from_millis(500));
    let (release, released) = mpsc::channel::<()>();
    let held = workers.call(move |connection| {
        let _ = released.recv();
        insert(connection)
    });
    assert!(is::<NoAnswer>(held.await));
    drop(release);
    workers.queue.close();
    timeout(LONG, workers.threads.wait()).await.unwrap();
    assert_eq!(numbers_in(&connect::reader(&path).unwrap()).unwrap(), 1);
}

#[tokio::test]
async fn readers_do_not_wait_for_the_writer() {
    let (_folder, path) = file();
    let workers = writer(&path, LONG);
    let readers = (0..2).map(|_| connect::reader(&path).unwrap());
    let readers = Arc::new(Workers::start("reader", readers, LONG).unwrap());
    workers.transaction(insert).await.unwrap();
    let (release, released) = mpsc::channel::<()>();
    let (begin, has_begun) = oneshot::channel();
    let writing = workers.transaction(move |connection| {
        insert(connection)?;
        let _ = begin.send(());
        let _ = released.recv();
        Ok(())
    });
    let reading = async {
        has_begun.await.unwrap();
        // Nor for each other: here one of two is busy. What it is to write in the end it cannot, of which nobody hears.
        let held = hold(&readers).await;
        assert_eq!(readers.call(numbers_in).await.unwrap(), 1);
        drop(held);
        drop(release);
    };
    tokio::join!(async { writing.await.unwrap() }, reading);
    assert_eq!(readers.call(numbers_in).await.unwrap(), 2);
}

#[tokio::test]
async fn closing_waits_for_what_is_under_way() {
    let (_folder, path) = file();
    let workers = writer(&path, LONG);
    let release = hold(&workers).await;
    let in_line = tokio::spawn({
        let workers = Arc::clone(&workers);
        async move { workers.transaction(insert).await }
    });
    tokio::task::yield_now().await;
    let closing = workers.close();
    tokio::pin!(closing);
    assert!(timeout(Duration::from_millis(20), &mut closing).await.is_err());
    drop(release);
    closing.await;
    in_line.await.unwrap().unwrap();
    assert!(is::<Closed>(workers.transaction(insert).await));
    assert!(!path.with_extension("db-wal").exists(), "what was in the log is in the database");
    assert_eq!(numbers_in(&connect::reader(&path).unwrap()).unwrap(), 2);
    workers.close().await;
}

#[tokio::test]
async fn threads_end_with_what_they_are_for() {
    let (_folder, path) = file();
    let workers = writer(&path, LONG);
    workers.transaction(insert).await.unwrap();
    let threads = workers.threads.clone();
    drop(workers);
    timeout(LONG, threads.wait()).await.unwrap();
}

#[tokio::test]
async fn a_panic_is_an_error_and_leaves_nothing_behind() {
    let (_folder, path) = file();
    let workers = writer(&path, LONG);
    let panics = workers.transaction(|connection| {
        insert(connection)?;
        if connection.is_autocommit() { Ok(()) } else { panic!("on purpose") }
    });
    assert!(is::<BrokenOff>(panics.await));
    workers.transaction(insert).await.unwrap();
    assert_eq!(workers.call(numbers_in).await.unwrap(), 1);
}

#[tokio::test]
async fn a_transaction_that_was_left_open_is_not_that_of_the_next_call() {
    let (_folder, path) = file();
    let workers = writer(&path, LONG);
    let left_open = workers.call(|connection| {
        connection.execute_batch("BEGIN IMMEDIATE")?;
        insert(connection)
    });
    left_open.await.unwrap();
    workers.transaction(insert).await.unwrap();
    assert_eq!(workers.call(numbers_in).await.unwrap(), 1);
}
