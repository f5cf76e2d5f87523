//! What was said and is not known to have arrived.

use std::collections::VecDeque;
use std::time::Instant;

use chat_protocol::{ClientId, SendMessage};

/// A command that is to be sent.
#[derive(Debug, Clone)]
pub(super) struct Draft {
    pub(super) frame: String,
    /// The message that it posts, with its mark. Anything else is forgotten once a connection has taken it.
    pub(super) send: Option<SendMessage>,
}

/// Drafts in the order in which they were made. With each, something (`P`) is held until it is done with.
#[derive(Debug)]
pub(super) struct Outbox<P>(VecDeque<Entry<P>>);

#[derive(Debug)]
struct Entry<P> {
    draft: Draft,
    state: State,
    /// How often the server could not take it.
    refusals: u32,
    _held: P,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Not sent on this connection.
    Unsent,
    /// Sent, and not answered.
    Sent,
    /// To be sent again from then on.
    Resting(Instant),
}

impl Draft {
    fn mark(&self) -> Option<&ClientId> {
        self.send.as_ref()?.client_id.as_ref()
    }
}

impl<P> Outbox<P> {
    pub(super) const fn new() -> Self {
        Self(VecDeque::new())
    }

    pub(super) fn push(&mut self, draft: Draft, held: P) {
        self.0.push_back(Entry { draft, state: State::Unsent, refusals: 0, _held: held });
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// The next frame to send; it counts as sent from now on.
    pub(super) fn next(&mut self, now: Instant) -> Option<String> {
        let place = self.due(now)?;
        let entry = self.0.get_mut(place)?;
        entry.state = State::Sent;
        Some(entry.draft.frame.clone())
    }

    /// The connection has taken all that was sent: what nobody confirms is done with. Whether there was such.
    pub(super) fn taken(&mut self) -> bool {
        let before = self.0.len();
        self.0.retain(|entry| entry.state != State::Sent || entry.draft.mark().is_some());
        self.0.len() < before
    }

    /// No message overtakes one that rests: they would be stored in another order than they were said. Anything else may.
    fn due(&self, now: Instant) -> Option<usize> {
        let mut is_held_up = false;
        self.0.iter().position(|entry| match entry.state {
            State::Sent => false,
            State::Resting(until) if until > now => {
                is_held_up = true;
                false
            }
            State::Unsent | State::Resting(_) => !is_held_up || entry.draft.mark().is_none(),
        })
    }

    /// When something is to be sent again that rests now: the first of it, for which the rest waits.
    pub(super) fn rests_until(&self) -> Option<Instant> {
        self.0.iter().find_map(|entry| match entry.state {
            State::Resting(until) => Some(until),
            State::Unsent | State::Sent => None,
        })
    }

    /// A send is answered for good; whether it was waiting for that.
    pub(super) fn settle(&mut self, mark: &ClientId) -> bool {
        let place = self.place(mark);
        place.and_then(|place| self.0.remove(place)).is_some()
    }

    /// The server could not take a send now: it is to be repeated at a time that depends on how often that happened.
    /// Whether it was waiting for an answer.
    pub(super) fn rest(&mut self, mark: &ClientId, until: impl FnOnce(u32) -> Instant) -> bool {
        let place = self.place(mark);
        let Some(entry) = place.and_then(|place| self.0.get_mut(place)) else { return false };
        entry.state = State::Resting(until(entry.refusals));
        entry.refusals = entry.refusals.saturating_add(1);
        true
    }

    /// There is a new connection, on which nothing was sent yet.
    pub(super) fn rewind(&mut self) {
        for entry in &mut self.0 {
            entry.state = State::Unsent;
        }
    }

    /// The messages that are not answered.
    pub(super) fn unconfirmed(&self) -> impl Iterator<Item = &SendMessage> {
        self.0.iter().filter_map(|entry| entry.draft.send.as_ref())
    }

    fn place(&self, mark: &ClientId) -> Option<usize> {
        self.0.iter().position(|entry| entry.draft.mark() == Some(mark))
    }
}
