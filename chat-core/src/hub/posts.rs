//! Messages of a room that are posted together.

use std::ops::Range;

use chat_protocol::{Event, Seq};

use super::connection::ConnectionId;
use crate::Delivery;
use crate::transport::Kept;

/// So many bytes of text are delivered at once, unless a single message has more: what waits for a client is bounded.
const TOGETHER_BYTES: usize = 16 * 1024;

/// Messages of a room that are to be posted, in their order.
#[derive(Debug, Default)]
pub(crate) struct Posts {
    marks: Vec<Mark>,
    /// What is delivered, one for each mark.
    events: Vec<Kept>,
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
    /// Those that everybody has now, or gets next. Those before them nobody waits for: everybody has had them, or nobody
    /// hears the room.
    pub(crate) posted: Range<usize>,
    /// From this one on nobody has them: messages before it are missing.
    pub(crate) early_from: Option<Seq>,
    /// So many messages are on their way now: the newest of the room.
    pub(crate) under_way: usize,
}

/// Messages that are delivered at once.
#[derive(Debug)]
pub(super) struct Part<'a> {
    marks: &'a [Mark],
    events: &'a [Kept],
    together: Delivery<'a>,
    /// Whether nobody is left out.
    is_for_all: bool,
}

impl Posting {
    /// Of messages to a room that nobody hears.
    pub(super) fn unheard(posts: &Posts) -> Self {
        let all = posts.len();
        Self { posted: all..all, early_from: None, under_way: 0 }
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
        self.events.push(Kept::new(event));
    }

    /// Lets those connections not hear these messages that do not, as far as it is not known already.
    pub(super) fn leave_out(&mut self, unheard: &[Mark]) {
        for mark in self.marks.iter_mut().filter(|mark| mark.unheard_by.is_none()) {
            mark.unheard_by =
                unheard.iter().find(|known| known.seq == mark.seq).and_then(|known| known.unheard_by);
        }
    }

    pub(super) fn marks(&self) -> &[Mark] {
        &self.marks
    }

    pub(super) const fn len(&self) -> usize {
        self.marks.len()
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.marks.is_empty()
    }

    /// Drops all but some of the messages.
    pub(super) fn keep(&mut self, some: &Range<usize>) {
        self.marks.truncate(some.end);
        self.events.truncate(some.end);
        self.drop_first(some.start);
    }

    /// Drops the first of the messages.
    pub(super) fn drop_first(&mut self, count: usize) {
        let count = count.min(self.len());
        self.marks.drain(..count);
        self.events.drain(..count);
    }

    /// Adds messages that come after these.
    pub(super) fn append(&mut self, mut next: Self) {
        self.marks.append(&mut next.marks);
        self.events.append(&mut next.events);
    }

    /// The messages, in parts that are delivered at once.
    pub(super) fn parts(&self) -> impl Iterator<Item = Part<'_>> {
        let (mut marks, mut events) = (self.marks.as_slice(), self.events.as_slice());
        std::iter::from_fn(move || {
            let count = together(events);
            let (part, rest) = (marks.split_at_checked(count)?, events.split_at_checked(count)?);
            (marks, events) = (part.1, rest.1);
            (count > 0).then(|| Part::new(part.0, rest.0))
        })
    }
}

impl<'a> Part<'a> {
    fn new(marks: &'a [Mark], events: &'a [Kept]) -> Self {
        let is_for_all = marks.iter().all(|mark| mark.unheard_by.is_none());
        Self { marks, events, together: Delivery::of_kept(events), is_for_all }
    }

    /// Whether nobody is left out of any of them.
    pub(super) const fn is_for_all(&self) -> bool {
        self.is_for_all
    }

    pub(super) const fn marks(&self) -> &'a [Mark] {
        self.marks
    }

    /// All of them.
    pub(super) const fn together(&self) -> &Delivery<'a> {
        &self.together
    }

    /// One after the other.
    pub(super) fn apart(&self) -> impl Iterator<Item = (&'a Mark, Delivery<'a>)> {
        self.marks.iter().zip(self.events.chunks(1).map(Delivery::of_kept))
    }
}

/// How many of the first are delivered at once.
fn together(events: &[Kept]) -> usize {
    let mut bytes = 0;
    let fits = events.iter().take_while(|event| {
        bytes += text_bytes(event.event());
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
    use super::*;
    use crate::room::view;
    use crate::storage::examples;

    /// Messages with texts of so many bytes, numbered from the first on.
    fn posts(texts: impl IntoIterator<Item = usize>) -> Posts {
        let mut posts = Posts::default();
        let mut seq = Seq::FIRST;
        for bytes in texts {
            let message = examples::message(1, seq, "x".repeat(bytes));
            posts.push(seq, None, view::message_posted(&examples::room(1), None, &message));
            seq = seq.next();
        }
        posts
    }

    fn numbers(marks: &[Mark]) -> Vec<i64> {
        marks.iter().map(|mark| mark.seq.value()).collect()
    }

    #[test]
    fn parts_are_all_there_is_in_order_and_bounded() {
        let most = TOGETHER_BYTES;
        for (texts, expected) in [
            (vec![], vec![]),
            (vec![most - 1, 1, 1], vec![vec![1, 2], vec![3]]),
            (vec![most + 1, most + 1, 0, 0], vec![vec![1], vec![2], vec![3, 4]]),
        ] {
            let posts = posts(texts);
            let parts: Vec<_> = posts.parts().map(|part| numbers(part.marks())).collect();
            assert_eq!(parts, expected);
        }
    }

    #[test]
    fn what_is_kept_of_them_keeps_its_marks() {
        let mut some = posts([1, 2, 3, 4]);
        some.keep(&(1..3));
        some.append(posts([9]));
        assert_eq!(numbers(some.marks()), [2, 3, 1]);
        some.drop_first(1);
        assert_eq!(numbers(some.marks()), [3, 1]);
        let bytes: Vec<usize> = some.events.iter().map(|event| text_bytes(event.event())).collect();
        assert_eq!(bytes, [3, 9]);
    }
}
