//! The client that stays, as its owner sees it; and what moves it.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use chat_protocol::{Dialect, SendMessage};
use futures::future::BoxFuture;
use futures::stream::FusedStream;
use futures::{FutureExt, Stream, StreamExt};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::time::{Instant, Sleep, sleep, sleep_until, timeout};

use super::Reconnect;
use super::backoff::Backoff;
use super::course::Course;
use super::link::Link;
use super::marks::Marks;
use super::sender::{Queued, ReconnectingSender};
use super::update::{Disconnected, Update};
use crate::connection::Connection;
use crate::door::Door;
use crate::error::{ClientError, ErrorKind};
use crate::since::Since;
use crate::voice::Voice;

/// How long a client that is closed waits for what it has sent to be confirmed.
const CONFIRMED_WITHIN: Duration = Duration::from_secs(5);

/// A chat client that stays while its connections come and go: a stream of [`Update`]s.
///
/// Whenever the connection is lost, or the server is busy, restarting or not there, it waits a while ([`Reconnect`]) and
/// comes back. It goes on after the last message that it has heard: each message comes once, and those of a room in
/// order. What is said over its [senders](Self::sender) is kept until the server has confirmed it.
///
/// The stream ends where coming back would not help: the server refuses (a status such as 403 or 404), or closes for good
/// (a code such as 4401 or 4403). Its last item is then the error, and there is nothing after it.
///
/// The stream must be polled for anything to happen, sending included. Polling it is cancel safe: nothing is lost.
///
/// A client that has heard no message yet, and was not told [where to begin](crate::Connect::since), does not know where
/// it stands: what is posted until it has come back from its first connection is not heard. One that hears very many rooms
/// goes on in as many as [fit into a URL](crate::Connect::since).
#[derive(Debug)]
pub struct ReconnectingClient {
    door: Arc<Door>,
    voice: Voice,
    silence: Duration,
    course: Course<OwnedSemaphorePermit>,
    stage: Stage,
    updates: VecDeque<Update>,
    drafts: mpsc::UnboundedReceiver<Queued>,
    room: Arc<Semaphore>,
    sender: ReconnectingSender,
    unreadable_frames: u64,
    /// Whether the last connection took something with it that was said and is not sent again.
    has_lost: bool,
    /// What ended the first one that did so while the client is closed.
    lost_by: Option<ClientError>,
}

/// What the client is at.
enum Stage {
    /// It waits before it tries again.
    Waiting(Pin<Box<Sleep>>),
    Connecting(BoxFuture<'static, Result<Connection, ErrorKind>>),
    Connected(Box<Link>),
    Over,
}

impl ReconnectingClient {
    pub(crate) fn new(door: Door, voice: Voice, since: Since, how: Reconnect) -> Self {
        let marks = Arc::new(Marks::default());
        let backoff = Backoff::new(how.first_delay, how.max_delay, marks.seed());
        let room = Arc::new(Semaphore::new(how.outbox.min(Semaphore::MAX_PERMITS)));
        let (to_outbox, drafts) = mpsc::unbounded_channel();
        let door = Arc::new(door);
        let course = Course::new(voice.dialect.behavior(), backoff, since, Arc::clone(&marks));
        let stage = Stage::Waiting(Box::pin(sleep(Duration::ZERO)));
        let sender = ReconnectingSender::new(voice.clone(), marks, Arc::clone(&room), to_outbox);
        Self {
            door,
            voice,
            silence: how.silence,
            course,
            stage,
            updates: VecDeque::new(),
            drafts,
            room,
            sender,
            unreadable_frames: 0,
            has_lost: false,
            lost_by: None,
        }
    }

    /// A handle that says things for this client.
    #[must_use]
    pub fn sender(&self) -> ReconnectingSender {
        self.sender.clone()
    }

    /// The dialect that the client speaks.
    #[must_use]
    pub fn dialect(&self) -> Dialect {
        self.voice.dialect
    }

    /// Where the client stands: what to give to [`Connect::since`](crate::Connect::since), to go on there the next time.
    #[must_use]
    pub fn since(&self) -> &Since {
        self.course.since()
    }

    /// The messages that are not known to be stored, as far as the client has taken note of them. Sent by another client
    /// with the marks that they have, they are stored once.
    pub fn unconfirmed(&self) -> impl Iterator<Item = &SendMessage> {
        self.course.unconfirmed()
    }

    /// How many frames of the server were skipped, because the dialect does not have them or they are malformed.
    #[must_use]
    pub fn unreadable_frames(&self) -> u64 {
        self.unreadable_frames
    }

    /// Waits until the messages that were said are confirmed and anything else is written, but no longer than five seconds;
    /// then says goodbye. Updates that come meanwhile are dropped.
    ///
    /// # Errors
    ///
    /// Where not everything was confirmed or written, or the client has ended meanwhile for another reason.
    pub async fn close(mut self) -> Result<(), ClientError> {
        // From here on nothing more is put into the outbox.
        self.room.close();
        match timeout(CONFIRMED_WITHIN, poll_fn(|cx| self.poll_settled(cx))).await {
            Ok(outcome) => outcome?,
            Err(_) => return Err(ErrorKind::Unconfirmed(self.unsettled()).into()),
        }
        if let Stage::Connected(link) = std::mem::replace(&mut self.stage, Stage::Over) {
            link.close().await?;
        }
        self.lost_by.take().map_or(Ok(()), Err)
    }

    /// Goes on until nothing is unsettled. That is looked at after each poll: what nobody confirms is written without
    /// an update.
    fn poll_settled(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), ClientError>> {
        while self.unsettled() > 0 {
            match self.poll_next_unpin(cx) {
                // What the connection was writing and nobody confirms is lost with it. The rest is sent on the next.
                Poll::Ready(Some(Ok(Update::Disconnected(lost)))) if self.has_lost => {
                    self.lost_by.get_or_insert(lost.error);
                }
                Poll::Ready(Some(Err(error))) => return Poll::Ready(Err(error)),
                Poll::Ready(None) => {
                    return Poll::Ready(Err(ErrorKind::Unconfirmed(self.unsettled()).into()));
                }
                Poll::Pending if self.unsettled() > 0 => return Poll::Pending,
                Poll::Ready(Some(Ok(_))) | Poll::Pending => {}
            }
        }
        Poll::Ready(Ok(()))
    }

    /// How much is not known to have arrived. A connection that still writes counts: what nobody confirms has left the
    /// outbox by then.
    fn unsettled(&mut self) -> usize {
        self.take_drafts();
        let is_writing = matches!(&self.stage, Stage::Connected(link) if link.is_writing());
        self.course.unsettled().max(usize::from(is_writing))
    }

    fn take_drafts(&mut self) {
        while let Ok((draft, room)) = self.drafts.try_recv() {
            self.course.say(draft, room);
        }
    }

    /// Goes on until there is something to tell, or nothing to do.
    fn poll_step(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), ClientError>> {
        match &mut self.stage {
            Stage::Over => return Poll::Ready(Ok(())),
            Stage::Waiting(until) => {
                ready!(until.as_mut().poll(cx));
                let (door, since) = (Arc::clone(&self.door), self.since_to_ask_for());
                let opening = async move { door.open(&since).await };
                self.stage = Stage::Connecting(opening.boxed());
            }
            Stage::Connecting(opening) => match ready!(opening.poll_unpin(cx)) {
                Ok(connection) => {
                    let now = Instant::now();
                    self.course.connected(now.into_std());
                    self.stage = Stage::Connected(Box::new(Link::new(connection, self.silence, now)));
                    self.updates.push_back(Update::Connected);
                }
                Err(error) => self.disconnected(error)?,
            },
            Stage::Connected(link) => match ready!(link.poll(&mut self.course, cx)) {
                Ok(message) => match self.voice.decode(&message) {
                    Some(event) => self.course.hear(event, Instant::now().into_std(), &mut self.updates),
                    None => self.unreadable_frames = self.unreadable_frames.saturating_add(1),
                },
                Err(error) => self.disconnected(error)?,
            },
        }
        Poll::Ready(Ok(()))
    }

    /// Nothing where there is nothing to go on from, or the URL names no room: the listener hears what happens only.
    fn since_to_ask_for(&self) -> Since {
        let since = self.voice.room.as_ref().map(|_| self.course.since().clone());
        since.unwrap_or_default()
    }

    /// Waits for the next attempt, or ends where that would not help.
    fn disconnected(&mut self, error: ErrorKind) -> Result<(), ClientError> {
        self.has_lost = matches!(&self.stage, Stage::Connected(link) if link.may_lose());
        let now = Instant::now();
        let retry_in = self.course.disconnected(now.into_std());
        let error = ClientError::from(error);
        if !error.is_retryable() {
            self.stage = Stage::Over;
            self.room.close();
            return Err(error);
        }
        self.stage = Stage::Waiting(Box::pin(sleep_until(now + retry_in)));
        self.updates.push_back(Update::Disconnected(Disconnected { error, retry_in }));
        Ok(())
    }
}

impl Stream for ReconnectingClient {
    type Item = Result<Update, ClientError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        loop {
            while let Poll::Ready(Some((draft, room))) = this.drafts.poll_recv(cx) {
                this.course.say(draft, room);
            }
            if let Some(update) = this.updates.pop_front() {
                return Poll::Ready(Some(Ok(update)));
            }
            if matches!(this.stage, Stage::Over) {
                return Poll::Ready(None);
            }
            if let Err(error) = ready!(this.poll_step(cx)) {
                return Poll::Ready(Some(Err(error)));
            }
        }
    }
}

impl FusedStream for ReconnectingClient {
    fn is_terminated(&self) -> bool {
        matches!(self.stage, Stage::Over) && self.updates.is_empty()
    }
}

impl Drop for ReconnectingClient {
    fn drop(&mut self) {
        // Senders must not wait for room in an outbox that nobody empties.
        self.room.close();
    }
}

impl std::fmt::Debug for Stage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Waiting(_) => "Waiting",
            Self::Connecting(_) => "Connecting",
            Self::Connected(_) => "Connected",
            Self::Over => "Over",
        })
    }
}
