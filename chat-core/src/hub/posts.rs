//! Messages of a room that are posted together.

use std::ops::Range;

use chat_protocol::{Event, Seq};

use super::connection::ConnectionId;

/// So many bytes of text are delivered at once, unless a single message has more: what waits for a client is bounded.
const TOGETHER_BYTES: usize = 16 * 1024;

/// Messages of a room that are to be posted, in their order.
#[derive(Debug, Default)]
pub(crate) struct Posts {
    marks: Vec<Mark>,
    /// What is delivered, one for each mark.
    events: Vec<Event>,
}

/// Which message it is, and who does not hear it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Mark {
    pub(super) seq: Seq,
    pub(super) unheard_by: Option<ConnectionId>,
}

/// What became of messages that were to be posted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Posting {
    /// Those that everybody has now. Those before them nobody waits for: everybody has had them, or nobody hears the room.
    pub(crate) posted: Range<usize>,
    /// From this one on nobody has them: messages before it are missing.
    pub(crate) early_from: Option<Seq>,
}

impl Posting {
    /// Of messages to a room that nobody hears.
    pub(super) fn unheard(posts: &Posts) -> Self {
        let all = posts.marks.len();
        Self { posted: all..all, early_from: None }
    }
}

impl Posts {
    /// None yet, with room for so many.
    pub(crate) fn with_capacity(count: usize) -> Self {
        Self { marks: Vec::with_capacity(count), events: Vec::with_capacity(count) }
    }

    /// A message alone, which everybody hears.
    pub(crate) fn one(seq: Seq, event: Event) -> Self {
        let mut posts = Self::with_capacity(1);
        posts.push(seq, None, event);
        posts
    }

    /// Adds the next message; everybody hears it, save this connection.
    pub(crate) fn push(&mut self, seq: Seq, unheard_by: Option<ConnectionId>, event: Event) {
        self.marks.push(Mark { seq, unheard_by });
        self.events.push(event);
    }

    /// Lets those connections not hear these messages that do not, as far as it is not known already.
    pub(super) fn leave_out(&mut self, unheard: &[Mark]) {
        for mark in self.marks.iter_mut().filter(|mark| mark.unheard_by.is_none()) {
            mark.unheard_by =
                unheard.iter().find(|known| known.seq == mark.seq).and_then(|known| known.unheard_by);
        }
    }

    /// The messages, once they are posted.
    pub(crate) fn into_events(self) -> impl Iterator<Item = (Seq, Event)> {
        self.marks.into_iter().map(|mark| mark.seq).zip(self.events)
    }

    pub(super) fn marks(&self) -> &[Mark] {
        &self.marks
    }

    /// Some of the messages, in parts that are delivered at once.
    pub(super) fn parts(&self, some: Range<usize>) -> impl Iterator<Item = (&[Mark], &[Event])> {
        let mut marks = self.marks.get(some.clone()).unwrap_or_default();
        let mut events = self.events.get(some).unwrap_or_default();
        std::iter::from_fn(move || {
            let count = together(events);
            let (part, rest) = (marks.split_at_checked(count)?, events.split_at_checked(count)?);
            (marks, events) = (part.1, rest.1);
            (count > 0).then_some((part.0, rest.0))
        })
    }
}

/// How many of the first are delivered at once.
fn together(events: &[Event]) -> usize {
    let mut bytes = 0;
    let fits = events.iter().take_while(|event| {
        bytes += text_bytes(event);
        bytes <= TOGETHER_BYTES
    });
    fits.count().max(usize::from(!events.is_empty()))
}

fn text_bytes(event: &Event) -> usize {
    match event {
        Event::MessagePosted(posted) => posted.message.text.len(),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use chat_protocol::{ErrorCode, Refusal};

    use super::*;

    #[test]
    fn parts_are_all_there_is_in_order() {
        let mut posts = Posts::default();
        let mut seq = Seq::FIRST;
        for _ in 0..5 {
            posts.push(seq, None, Event::Refused(Refusal::new(ErrorCode::Other)));
            seq = seq.next();
        }
        for some in [0..5, 1..4, 2..2] {
            let parts: Vec<Seq> =
                posts.parts(some.clone()).flat_map(|(marks, _)| marks.iter().map(|mark| mark.seq)).collect();
            let all: Vec<Seq> = posts.marks()[some].iter().map(|mark| mark.seq).collect();
            assert_eq!(parts, all);
        }
    }
}
