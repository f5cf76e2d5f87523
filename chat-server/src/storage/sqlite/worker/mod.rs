//! Threads that own connections, and do whole calls on them.
//!
//! A call goes to a thread as one piece, with all its statements, and comes back as one answer: everything between is
//! said to SQLite without anybody being woken up. Who calls waits for a bounded time. What nobody waits for any more is
//! not begun, and what has begun runs to its end; a transaction, which may have waited long for the lock of another
//! process, to its commit.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use chat_core::StorageError;
use rusqlite::Connection;
use thiserror::Error;
use tokio::sync::oneshot;
use tokio::time::timeout;
use tokio_util::task::TaskTracker;

use super::failure::Failure;
use super::query::execute;
use super::queue::{Job, Queue};

/// A call took longer than it may.
#[derive(Debug, Error)]
#[error("SQLite did not answer within {0:?}")]
struct NoAnswer(Duration);

/// A call has panicked.
#[derive(Debug, Error)]
#[error("the call to SQLite broke off")]
struct BrokenOff;

/// What nobody hears of a transaction that nobody waits for any more.
#[derive(Debug, Error)]
#[error("nobody waits for it any more")]
struct GivenUp;

/// Threads, each with a connection of its own, that share a queue. They end when this is closed or dropped.
#[derive(Debug)]
pub(super) struct Workers {
    queue: Arc<Queue>,
    /// The threads that have not ended.
    threads: TaskTracker,
    answer_within: Duration,
}

impl Workers {
    /// Starts a thread for each connection.
    pub(super) fn start(
        name: &str,
        connections: impl IntoIterator<Item = Connection>,
        answer_within: Duration,
    ) -> Result<Self, StorageError> {
        let workers = Self { queue: Arc::default(), threads: TaskTracker::new(), answer_within };
        workers.threads.close();
        for connection in connections {
            let queue = Arc::clone(&workers.queue);
            let running = workers.threads.token();
            let serve = move || {
                serve(&queue, &connection);
                drop(connection);
                drop(running);
            };
            thread::Builder::new().name(name.to_owned()).spawn(serve).map_err(StorageError::database)?;
        }
        Ok(workers)
    }

    /// Does something with a connection. Each statement is a transaction of its own.
    pub(super) async fn call<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, StorageError> {
        self.ask(|connection, _| work(connection)).await
    }

    /// Does something in one transaction, which is committed where it goes well and is still waited for: what somebody was
    /// told that it failed should not come to pass later. It has the only write lock from its beginning, so that what it
    /// reads stays true until it ends.
    pub(super) async fn transaction<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, StorageError> {
        self.ask(|connection, if_wanted| {
            // Kept like all statements: to plan them anew would be a good part of what a short transaction costs this thread.
            // What fails, or panics, before the commit is rolled back by the thread.
            execute(connection, "BEGIN IMMEDIATE", ())?;
            if_wanted()?;
            let outcome = work(connection)?;
            if_wanted()?;
            execute(connection, "COMMIT", ())?;
            Ok(outcome)
        })
        .await
    }

    /// Has a thread do something, which can see whether it is still waited for.
    async fn ask<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection, IfWanted<'_>) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, StorageError> {
        let (answer, answered) = oneshot::channel();
        self.queue.push(Box::new(Call { work, answer })).map_err(StorageError::database)?;
        match timeout(self.answer_within, answered).await {
            Ok(Ok(outcome)) => Ok(outcome?),
            Ok(Err(_)) => Err(StorageError::database(BrokenOff)),
            Err(_) => Err(StorageError::database(NoAnswer(self.answer_within))),
        }
    }

    /// Takes no further calls, and waits until those under way are done and the connections closed; not longer than for
    /// a call, after which nobody waits for any of them.
    pub(super) async fn close(&self) {
        self.queue.close();
        let _ = timeout(self.answer_within, self.threads.wait()).await;
    }
}

impl Drop for Workers {
    fn drop(&mut self) {
        self.queue.close();
    }
}

/// Fails where nobody waits any more.
type IfWanted<'a> = &'a dyn Fn() -> Result<(), StorageError>;

/// Something to be done, and whom to tell what it came to.
struct Call<T, W> {
    work: W,
    answer: oneshot::Sender<Result<T, Failure>>,
}

impl<T, W> Job for Call<T, W>
where
    T: Send,
    W: FnOnce(&Connection, IfWanted<'_>) -> Result<T, Failure> + Send,
{
    fn is_wanted(&self) -> bool {
        !self.answer.is_closed()
    }

    fn run(self: Box<Self>, connection: &Connection) {
        let Self { work, answer } = *self;
        let if_wanted = || if answer.is_closed() { Err(StorageError::database(GivenUp)) } else { Ok(()) };
        let outcome = work(connection, &if_wanted);
        // Who has given up meanwhile need not be told.
        let _ = answer.send(outcome);
    }
}

fn serve(queue: &Queue, connection: &Connection) {
    while let Some(job) = queue.next() {
        // One call that panics must not be the end of all others. Nothing of it stays: its statements were reset on the way,
        // its transaction is rolled back, and whoever waits is told by the answer that does not come.
        let _ = catch_unwind(AssertUnwindSafe(|| job.run(connection)));
        // A transaction that its call did not bring to its commit must not be that of the next call. Where it cannot be
        // ended now, say because the disk is gone, the next one cannot begin, and it is tried again.
        if !connection.is_autocommit() {
            let _ = connection.execute_batch("ROLLBACK");
        }
    }
}

#[cfg(test)]
mod tests;
