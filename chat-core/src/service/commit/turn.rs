//! Whose turn it is to store and deliver.
//!
//! Who sends a message while nobody stores does so itself, at once, in its own task: a lone message wakes nobody. What
//! comes in meanwhile is for the driver, and so it goes on for as long as there is more. A turn that its sender gives up
//! half-way goes on with the driver, too.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use tokio::sync::{Mutex, Notify, OwnedMutexGuard, mpsc, oneshot};

use super::{Committer, Submission};
use crate::CommandError;
use crate::service::Inner;
use crate::service::listeners::Posted;
use crate::storage::StoredMessage;

/// Messages on their way to be stored.
#[derive(Debug)]
pub(in crate::service) struct Commits {
    submissions: mpsc::Sender<Submission>,
    turn: Arc<Mutex<Turn>>,
    /// Calls the driver, when there is more to store.
    more: Notify,
    given_up: mpsc::UnboundedSender<Work>,
}

/// What is needed to store. Who holds it is the only one.
#[derive(Debug)]
struct Turn {
    submitted: mpsc::Receiver<Submission>,
    to_listeners: mpsc::Sender<Posted>,
}

/// Turns that were given up half-way.
#[derive(Debug)]
pub(in crate::service) struct HandedOver(mpsc::UnboundedReceiver<Work>);

/// A turn under way.
type Work = Pin<Box<dyn Future<Output = ()> + Send>>;

/// The way of messages, at most so many of them waiting.
pub(in crate::service) fn channel(
    capacity: usize,
    to_listeners: mpsc::Sender<Posted>,
) -> (Commits, HandedOver) {
    let (submissions, submitted) = mpsc::channel(capacity);
    let (given_up, handed_over) = mpsc::unbounded_channel();
    let turn = Arc::new(Mutex::new(Turn { submitted, to_listeners }));
    (Commits { submissions, turn, more: Notify::new(), given_up }, HandedOver(handed_over))
}

impl Inner {
    /// Stores a message and delivers it; `submission` makes one of where to tell what came of it.
    pub(super) async fn commit(
        self: &Arc<Self>,
        submission: impl FnOnce(oneshot::Sender<Result<StoredMessage, CommandError>>) -> Submission,
    ) -> Result<StoredMessage, CommandError> {
        let (answer, answered) = oneshot::channel();
        let Commits { submissions, turn, more, given_up } = &self.commits;
        submissions.send(submission(answer)).await.map_err(|_| CommandError::Closed)?;
        if let Ok(turn) = Arc::clone(turn).try_lock_owned() {
            let work: Work = Box::pin(once(Arc::clone(self), turn));
            UnlessGivenUp { work: Some(work), given_up }.await;
            if self.commits.are_waiting() {
                more.notify_one();
            }
        }
        answered.await.map_err(|_| CommandError::Closed)?
    }
}

impl Commits {
    /// Whether anything waits to be stored. To be asked by whoever has had the turn: who handed something in meanwhile
    /// did not get it.
    fn are_waiting(&self) -> bool {
        self.submissions.capacity() < self.submissions.max_capacity()
    }
}

/// One transaction, of what has come in by now.
async fn once(inner: Arc<Inner>, mut turn: OwnedMutexGuard<Turn>) {
    turn.store_next(&inner, &mut Vec::new()).await;
}

impl Turn {
    /// Stores what has come in; whether that was anything.
    async fn store_next(&mut self, inner: &Inner, batch: &mut Vec<Submission>) -> bool {
        let most = inner.config.messages_per_commit.max(1);
        while batch.len() < most
            && let Ok(submission) = self.submitted.try_recv()
        {
            batch.push(submission);
        }
        if batch.is_empty() {
            return false;
        }
        Committer { inner, to_listeners: &self.to_listeners }.store(batch).await;
        true
    }
}

/// Does its work, and has the driver do what is left of it when it is dropped before.
struct UnlessGivenUp<'a> {
    work: Option<Work>,
    given_up: &'a mpsc::UnboundedSender<Work>,
}

impl Future for UnlessGivenUp<'_> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let done = self.work.as_mut().map_or(Poll::Ready(()), |work| work.as_mut().poll(cx));
        if done.is_ready() {
            self.work = None;
        }
        done
    }
}

impl Drop for UnlessGivenUp<'_> {
    fn drop(&mut self) {
        if let Some(work) = self.work.take()
            && self.given_up.send(work).is_err()
        {
            tracing::debug!("the service is closed; what is being stored is given up");
        }
    }
}

/// The driver's part: stores what no sender has stored itself, until the service is closed and nothing is left.
pub(in crate::service) async fn run(inner: &Inner, HandedOver(mut handed_over): HandedOver) {
    let given_up = async {
        while let Some(work) = handed_over.recv().await {
            work.await;
            inner.commits.more.notify_one();
        }
    };
    tokio::select! {
        () = store_the_rest(inner) => {}
        () = given_up => {}
    }
}

async fn store_the_rest(inner: &Inner) {
    let commits = &inner.commits;
    let mut batch = Vec::new();
    loop {
        let is_closing = tokio::select! {
            () = commits.more.notified() => false,
            () = inner.closing() => true,
        };
        if is_closing {
            commits.turn.lock().await.submitted.close();
        }
        while commits.are_waiting() {
            let mut turn = commits.turn.lock().await;
            while turn.store_next(inner, &mut batch).await {}
        }
        if is_closing {
            return;
        }
    }
}
