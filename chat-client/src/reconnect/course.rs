//! What to do next, from what has happened: when to come back and from where, what to send again, what was heard before.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use chat_protocol::{
    Behavior, ClientId, Echo, ErrorCode, Event, Message, MessageId, MessagePosted, Refusal, SendMessage,
};

use super::backoff::Backoff;
use super::marks::Marks;
use super::outbox::{Draft, Outbox};
use super::places::Places;
use super::update::{Confirmed, Update};
use crate::since::Since;

#[cfg(test)]
mod tests;

/// The field of a refusal that is about what the client asked for when it came back.
const SINCE: &str = "since";

/// The course of a client over all its connections. It knows no socket and no clock.
#[derive(Debug)]
pub(super) struct Course<P> {
    echo: Echo,
    backoff: Backoff,
    places: Places,
    marks: Arc<Marks>,
    outbox: Outbox<P>,
    connected_at: Option<Instant>,
    /// Attempts in a row that led to no lasting connection.
    failed: u32,
}

impl<P> Course<P> {
    pub(super) fn new(behavior: Behavior, backoff: Backoff, since: Since, marks: Arc<Marks>) -> Self {
        Self {
            echo: behavior.echo,
            backoff,
            places: Places::new(behavior.scope, since),
            marks,
            outbox: Outbox::new(),
            connected_at: None,
            failed: 0,
        }
    }

    /// From where to go on.
    pub(super) const fn since(&self) -> &Since {
        self.places.since()
    }

    /// There is a connection.
    pub(super) fn connected(&mut self, now: Instant) {
        self.connected_at = Some(now);
        self.outbox.rewind();
    }

    /// There is none any more, or it could not be made: how long to wait before the next attempt.
    pub(super) fn disconnected(&mut self, now: Instant) -> Duration {
        let connected_at = self.connected_at.take();
        // A server that takes a connection and drops it at once is no better than one that takes none.
        if connected_at.is_some_and(|at| now.duration_since(at) >= self.backoff.cap()) {
            self.failed = 0;
        }
        let wait = self.backoff.wait(self.failed);
        self.failed = self.failed.saturating_add(1);
        wait
    }

    /// Something is to be said.
    pub(super) fn say(&mut self, draft: Draft, held: P) {
        self.outbox.push(draft, held);
    }

    /// The next frame for the connection that there is.
    pub(super) fn next_frame(&mut self, now: Instant) -> Option<String> {
        self.outbox.next(now)
    }

    /// The connection has taken all frames that there were. Whether one of them would be lost with it.
    pub(super) fn taken(&mut self) -> bool {
        self.outbox.taken()
    }

    /// When to look for a frame again, though nothing happens.
    pub(super) fn wakes_at(&self) -> Option<Instant> {
        self.outbox.rests_until()
    }

    /// How much is not known to have arrived.
    pub(super) fn unsettled(&self) -> usize {
        self.outbox.len()
    }

    /// The messages that are not known to be stored.
    pub(super) fn unconfirmed(&self) -> impl Iterator<Item = &SendMessage> {
        self.outbox.unconfirmed()
    }

    /// The server has said something: what is there to be told of it.
    pub(super) fn hear(&mut self, event: Event, now: Instant, updates: &mut VecDeque<Update>) {
        match event {
            Event::MessagePosted(posted) => self.hear_posted(posted, updates),
            Event::MessageAccepted(Message { id, client_id: Some(mark), .. }) => {
                updates.extend(self.confirm(mark, id));
            }
            Event::Refused(refusal) => self.hear_refusal(refusal, now, updates),
            other => updates.push_back(Update::Event(other)),
        }
    }

    fn hear_posted(&mut self, posted: MessagePosted, updates: &mut VecDeque<Update>) {
        let mark = posted.message.client_id.clone();
        let message_id = posted.message.id;
        // Where one's own messages are not heard as they are posted, they are not told when they are read again.
        let is_untold = self.echo == Echo::ToOtherConnections
            && mark.as_ref().is_some_and(|mark| self.marks.is_own(mark));
        if self.places.hear(&posted) && !is_untold {
            updates.push_back(Update::Event(Event::MessagePosted(posted)));
        }
        updates.extend(mark.and_then(|mark| self.confirm(mark, message_id)));
    }

    /// A message with this mark is stored. It is told once.
    fn confirm(&mut self, client_id: ClientId, message_id: Option<MessageId>) -> Option<Update> {
        let was_waiting = self.outbox.settle(&client_id);
        was_waiting.then_some(Update::Confirmed(Confirmed { client_id, message_id }))
    }

    fn hear_refusal(&mut self, refusal: Refusal, now: Instant, updates: &mut VecDeque<Update>) {
        let is_passing = matches!(refusal.code, ErrorCode::Unavailable | ErrorCode::ShuttingDown);
        match (refusal.code, &refusal.client_id) {
            // It may be stored or not. Sent again with the same mark, it is stored once.
            (_, Some(mark)) if is_passing => {
                let backoff = &mut self.backoff;
                if self.outbox.rest(mark, |refusals| now + backoff.wait(refusals)) {
                    return;
                }
            }
            (_, Some(mark)) => {
                self.outbox.settle(mark);
            }
            (ErrorCode::CannotResume, None) => self.places.doubt(),
            // A room that one has left meanwhile.
            (ErrorCode::NotAMember, None) if refusal.field.as_deref() == Some(SINCE) => return,
            (_, None) => {}
        }
        updates.push_back(Update::Event(Event::Refused(refusal)));
    }
}
