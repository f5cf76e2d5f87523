//! Whose turn it is to store.
//!
//! Who waits for its message to be confirmed while nobody stores does so itself, in its own task: a lone message wakes
//! nobody. What comes in meanwhile is for the driver, and so it goes on for as long as there is more. What a sender gives up,
//! half-way or before it has begun, is for the driver, too.
//!
//! While many talk, transactions [begin at intervals][interval]: each of them costs much, whatever is in it. Whoever has the
//! turn then waits, and takes in what comes meanwhile; not where there is enough for a transaction already, nor while messages
//! are under way in big rooms.
//!
//! [interval]: crate::ServiceConfig::commit_interval

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering, fence};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use chat_protocol::RoomId;
use futures::StreamExt;
use futures::stream::poll_fn;
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::oneshot::error::TryRecvError;
use tokio::sync::{Mutex, Notify, OwnedMutexGuard, mpsc};
use tokio::task::yield_now;
use tokio::time::{Instant, sleep_until};

use super::delivery::Stay;
use super::lanes::{Filled, Lanes};
use super::{Answer, Answered, Submission};
use crate::service::Inner;
use crate::{CommandError, ServiceConfig};

/// Timers go off by the millisecond. Where less than half of one is to be waited for, it is nearer not to wait.
const SHORTEST_WAIT: Duration = Duration::from_micros(500);

/// Messages on their way to be stored.
#[derive(Debug)]
pub(in crate::service) struct Commits {
    submissions: mpsc::Sender<Box<Submission>>,
    turn: Arc<Mutex<Turn>>,
    /// What is stored and not yet delivered.
    pub(super) lanes: Lanes,
    /// Calls the driver, when there is more to store.
    more: Notify,
    given_up: mpsc::UnboundedSender<Work>,
    /// Transactions under way.
    transactions: AtomicUsize,
}

/// A transaction under way.
#[derive(Debug)]
pub(super) struct Transaction<'a>(&'a AtomicUsize);

/// What is needed to store. Who holds it is the only one.
#[derive(Debug)]
struct Turn {
    submitted: mpsc::Receiver<Box<Submission>>,
    /// When the next transaction may begin, where that is not at once.
    next_at: Option<Instant>,
    /// Whether more had come in when the last turn was over: then the next one follows at once.
    is_followed: bool,
}

/// Turns that were given up half-way.
#[derive(Debug)]
pub(in crate::service) struct HandedOver(mpsc::UnboundedReceiver<Work>);

/// A turn under way.
type Work = Pin<Box<dyn Future<Output = ()> + Send>>;

/// The way of messages.
pub(in crate::service) fn channel(config: &ServiceConfig) -> (Commits, HandedOver) {
    let (submissions, submitted) = mpsc::channel(config.queued_messages.max(1));
    let (given_up, handed_over) = mpsc::unbounded_channel();
    let turn = Arc::new(Mutex::new(Turn { submitted, next_at: None, is_followed: false }));
    // For a transaction, and the one before it, which is delivered meanwhile.
    let lanes = Lanes::new(config.messages_per_commit.saturating_mul(2));
    let more = Notify::new();
    let transactions = AtomicUsize::new(0);
    (Commits { submissions, turn, lanes, more, given_up, transactions }, HandedOver(handed_over))
}

impl Inner {
    /// Has a message stored and delivered in its turn; gives what becomes of it.
    ///
    /// Messages that are handed in one after the other are stored in that order.
    pub(in crate::service) async fn submit(
        self: &Arc<Self>,
        submission: Box<Submission>,
        answered: Answered,
    ) -> Result<Confirmation, CommandError> {
        match self.commits.submissions.try_send(submission) {
            Ok(()) => {}
            Err(TrySendError::Full(submission)) => {
                let sent = Box::pin(self.commits.submissions.send(submission)).await;
                sent.map_err(|_| CommandError::Closed)?;
            }
            Err(TrySendError::Closed(_)) => return Err(CommandError::Closed),
        }
        Ok(Confirmation { inner: Arc::clone(self), answered, part: Part::Untried })
    }
}

/// What becomes of a message that was handed in. Where it is polled while nobody stores, it does so itself; dropped, it
/// leaves that to the driver.
#[derive(Debug)]
pub(in crate::service) struct Confirmation {
    inner: Arc<Inner>,
    answered: Answered,
    part: Part,
}

/// What a sender has to do with the storing of its message.
enum Part {
    /// Nobody may have been told that there is something to store.
    Untried,
    /// It has the turn.
    Storing(Work),
    /// None: it is for others.
    Waiting,
}

impl Future for Confirmation {
    type Output = Answer;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Answer> {
        if matches!(self.part, Part::Untried) {
            if let Some(answer) = self.answer_so_far() {
                return Poll::Ready(answer);
            }
            self.take_turn();
        }
        // Taken out meanwhile: where it panics, nobody is to go on with it.
        if let Part::Storing(mut work) = std::mem::replace(&mut self.part, Part::Waiting)
            && work.as_mut().poll(cx).is_pending()
        {
            self.part = Part::Storing(work);
            return Poll::Pending;
        }
        let answer = ready!(Pin::new(&mut self.answered).poll(cx));
        Poll::Ready(answer.unwrap_or(Err(CommandError::Closed)))
    }
}

impl Confirmation {
    /// What became of the message by now. To be told of it later would have who stores its own message wake itself.
    fn answer_so_far(&mut self) -> Option<Answer> {
        let answer = match self.answered.try_recv() {
            Ok(answer) => answer,
            Err(TryRecvError::Closed) => Err(CommandError::Closed),
            Err(TryRecvError::Empty) => return None,
        };
        self.part = Part::Waiting;
        Some(answer)
    }

    fn take_turn(&mut self) {
        // Either this sees that the turn is free, or whoever has it sees what was handed in.
        fence(Ordering::SeqCst);
        self.part = match Arc::clone(&self.inner.commits.turn).try_lock_owned() {
            Ok(turn) => Part::Storing(Box::pin(once(Arc::clone(&self.inner), turn))),
            // Whoever has it calls the driver for what comes in meanwhile.
            Err(_) => Part::Waiting,
        };
    }
}

impl Confirmation {
    /// Has the message stored, also where this is not polled yet.
    pub(in crate::service) fn start(&mut self) {
        if matches!(self.part, Part::Untried) {
            self.part = Part::Waiting;
            // Where nothing waits, whoever has the turn has taken it.
            if self.inner.commits.are_waiting() {
                self.inner.commits.more.notify_one();
            }
        }
    }
}

impl Drop for Confirmation {
    fn drop(&mut self) {
        let commits = &self.inner.commits;
        match std::mem::replace(&mut self.part, Part::Waiting) {
            Part::Untried => commits.more.notify_one(),
            Part::Storing(work) => {
                if commits.given_up.send(work).is_err() {
                    tracing::debug!("the service is closed; what is being stored is given up");
                }
            }
            Part::Waiting => {}
        }
    }
}

impl fmt::Debug for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Untried => "Untried",
            Self::Storing(_) => "Storing",
            Self::Waiting => "Waiting",
        })
    }
}

impl Commits {
    /// Waits until everything is under way, at least, that is stored here for a room by now.
    pub(in crate::service) async fn pass(&self, room: RoomId) {
        self.lanes.pass(room).await;
    }

    /// Begins a transaction, which is under way until this is dropped.
    pub(super) fn begin_transaction(&self) -> Transaction<'_> {
        self.transactions.fetch_add(1, Ordering::Relaxed);
        Transaction(&self.transactions)
    }

    /// Whether storage is at work.
    pub(super) fn is_storing(&self) -> bool {
        self.transactions.load(Ordering::Relaxed) > 0
    }

    /// Whether anything waits to be stored. To be asked by whoever has had the turn: who handed something in meanwhile
    /// did not get it.
    fn are_waiting(&self) -> bool {
        // The counterpart of the one in `take_turn`.
        fence(Ordering::SeqCst);
        self.submissions.capacity() < self.submissions.max_capacity()
    }
}

impl Drop for Transaction<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// One transaction, and the delivery of what it has stored.
async fn once(inner: Arc<Inner>, mut turn: OwnedMutexGuard<Turn>) {
    let filled = turn.store_next(&inner, &mut Vec::new()).await;
    drop(turn);
    if inner.commits.are_waiting() {
        inner.commits.more.notify_one();
    }
    inner.deliver(filled, Stay::ForWhatIsThere).await;
}

impl Turn {
    /// Stores what has come in by the time that a transaction may begin; gives where it is to be delivered from.
    #[expect(clippy::vec_box, reason = "they come in boxes, and go on in them")]
    async fn store_next(&mut self, inner: &Inner, batch: &mut Vec<Box<Submission>>) -> Filled {
        let most = inner.config.messages_per_commit.max(1);
        if self.submitted.is_empty() {
            return Filled::default();
        }
        let are_busy = inner.commits.lanes.are_busy();
        if self.is_followed && !are_busy {
            // While everybody was served, this thread did not read. What came in meanwhile would else wait for a whole turn
            // more.
            yield_now().await;
        }
        // Where messages are on their way round big rooms, a commit costs little beside them, and these can join them.
        let is_urgent = self.submitted.len() >= most || are_busy;
        let worth_it = |at: &Instant| !is_urgent && *at > Instant::now() + SHORTEST_WAIT;
        if let Some(next_at) = self.next_at.take().filter(worth_it) {
            sleep_until(next_at).await;
        }
        while batch.len() < most
            && let Ok(submission) = self.submitted.try_recv()
        {
            batch.push(submission);
        }
        inner.commits.lanes.keep_places(batch.len()).await;
        // Who talks alone need not wait.
        let interval =
            Some(inner.config.commit_interval).filter(|interval| batch.len() > 1 && !interval.is_zero());
        self.next_at = interval.and_then(|interval| Instant::now().checked_add(interval));
        let filled = inner.store(batch).await;
        self.is_followed = !self.submitted.is_empty();
        filled
    }
}

/// The driver's part: stores what no sender has stored itself, until the service is closed and nothing is left.
pub(in crate::service) async fn run(inner: &Inner, HandedOver(mut handed_over): HandedOver) {
    // Beside one another: one may wait until another one has delivered.
    let given_up = poll_fn(|cx| handed_over.poll_recv(cx)).for_each_concurrent(None, |work| work);
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
            let filled = commits.turn.lock().await.store_next(inner, &mut batch).await;
            // Meanwhile others have their turn, on their threads; and then it is this one's to store again.
            inner.deliver(filled, Stay::Briefly).await;
        }
        if is_closing {
            // Who had the turn last may not have its places yet.
            drop(commits.turn.lock().await);
            return commits.lanes.empty().await;
        }
    }
}
