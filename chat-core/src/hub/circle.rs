//! Messages of a room on their way round those who hear it.
//!
//! Subscribers are served one after the other, round and round, each with all that it has not had. A message joins wherever
//! the circle stands, and has been round when it comes there again. So it need not wait until others have been all the way
//! round, and each client is written to once in a round, however much is posted.

use std::collections::VecDeque;

use super::posts::{Part, Posts};
use super::subscribers::Subscriber;

/// What is on its way round a room. Meanwhile nobody comes, and nobody goes.
#[derive(Debug, Default)]
pub(super) struct Circle {
    /// Oldest first.
    under_way: Posts,
    /// The same, by when they joined.
    rounds: VecDeque<Round>,
    /// How many subscribers have been served, as often as that was.
    served: usize,
}

/// Messages that joined together.
#[derive(Debug)]
struct Round {
    messages: usize,
    /// When so many have been served, everybody has had them.
    ends_at: usize,
}

impl Circle {
    /// How many messages are on their way.
    pub(super) const fn under_way(&self) -> usize {
        self.under_way.len()
    }

    /// Sends messages on their way round so many subscribers; they come after those that are on it already.
    pub(super) fn join(&mut self, posts: Posts, subscribers: usize) {
        if !posts.is_empty() {
            self.rounds.push_back(Round { messages: posts.len(), ends_at: self.served + subscribers });
            self.under_way.append(posts);
        }
    }

    /// Serves the next ones, so many of them at most.
    pub(super) fn serve(&mut self, subscribers: &mut [Subscriber], most: usize) {
        let mut left = most;
        loop {
            self.end_rounds();
            let Some(oldest) = self.rounds.front() else { return };
            let begin = self.served.checked_rem(subscribers.len()).unwrap_or_default();
            let until_round_ends = oldest.ends_at - self.served;
            let end = begin.saturating_add(left.min(until_round_ends)).min(subscribers.len());
            let Some(stretch @ [_, ..]) = subscribers.get_mut(begin..end) else { return };
            left -= stretch.len();
            let parts: Vec<Part<'_>> = self.under_way.parts().collect();
            for subscriber in stretch {
                // Before it is: who panics is not served with the same again.
                self.served += 1;
                subscriber.hear(&parts);
            }
        }
    }

    /// Drops what everybody has had.
    fn end_rounds(&mut self) {
        while let Some(round) = self.rounds.pop_front_if(|round| round.ends_at <= self.served) {
            self.under_way.drop_first(round.messages);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use chat_protocol::{Event, Seq};
    use parking_lot::Mutex;
    use proptest::collection::vec;
    use proptest::prelude::{Strategy, any, prop_oneof};
    use proptest::proptest;

    use crate::hub::connection::{Connection, ConnectionId, Trust};
    use crate::hub::posts::Posts;
    use crate::hub::resumption::Resumption;
    use crate::hub::subscribers::{EntryId, Feed, Hears, Subscribers};
    use crate::room::view;
    use crate::storage::examples;
    use crate::{Delivery, Transport};

    /// Keeps the numbers of the messages that it hears, once they are flushed.
    #[derive(Debug, Default)]
    struct Hearer {
        heard: Mutex<Vec<i64>>,
        flushed: Mutex<usize>,
    }

    impl Transport for Hearer {
        fn deliver(&self, delivery: &Delivery<'_>) {
            let numbers = delivery.events().filter_map(|event| match event {
                Event::MessagePosted(posted) => posted.message.text.parse::<i64>().ok(),
                _ => None,
            });
            self.heard.lock().extend(numbers);
        }

        fn flush(&self) {
            *self.flushed.lock() = self.heard.lock().len();
        }
    }

    /// Somebody who hears a room, all messages after some.
    struct Present {
        connection: Arc<Connection>,
        hearer: Arc<Hearer>,
        since: i64,
    }

    impl Present {
        fn heard(&self) -> Vec<i64> {
            let heard = self.hearer.heard.lock();
            assert_eq!(*self.hearer.flushed.lock(), heard.len(), "what it hears is flushed");
            heard.clone()
        }
    }

    struct Room {
        subscribers: Subscribers,
        present: Vec<Present>,
        entries: u64,
        posted: Seq,
    }

    impl Room {
        fn new() -> Self {
            let feed = Some(Box::new(Feed::new(examples::room(1), None)));
            let subscribers = Subscribers { feed, ..Subscribers::default() };
            Self { subscribers, present: Vec::new(), entries: 0, posted: Seq::FIRST }
        }

        fn last(&self) -> i64 {
            self.posted.value() - 1
        }

        fn enter(&mut self) {
            self.entries += 1;
            let hearer = Arc::new(Hearer::default());
            let transport: Arc<dyn Transport> = Arc::<Hearer>::clone(&hearer);
            let id = ConnectionId(self.entries);
            let connection =
                Arc::new(Connection::new(id, None, Trust::Guest, transport, Resumption::default()));
            self.subscribers.add(&connection, EntryId(self.entries), Hears::Everything);
            self.present.push(Present { connection, hearer, since: self.last() });
        }

        fn leave(&mut self, place: usize) {
            if !self.present.is_empty() {
                let gone = self.present.swap_remove(place % self.present.len());
                self.subscribers.remove(gone.connection.id);
                assert!(gone.heard().into_iter().eq(gone.since + 1..=self.last()));
            }
        }

        fn begin(&mut self, messages: usize, few: usize) {
            let mut posts = Posts::default();
            for _ in 0..messages {
                let message = examples::message(1, self.posted, self.posted.value().to_string());
                let event = view::message_posted(&examples::room(1), None, &message);
                posts.push(self.posted, None, event);
                self.posted = self.posted.next();
            }
            let under_way = self.subscribers.begin(posts, few).under_way;
            self.check(under_way);
        }

        /// Everybody has heard the messages in their order, and all but those that are under way.
        fn check(&self, under_way: usize) {
            for present in &self.present {
                let heard = present.heard();
                let last = heard.last().copied().unwrap_or(present.since);
                assert!(heard.into_iter().eq(present.since + 1..=last));
                assert!(last >= self.last() - i64::try_from(under_way).unwrap());
                assert!(under_way > 0 || last == self.last());
            }
        }
    }

    #[derive(Debug, Clone)]
    enum Act {
        Enter,
        Leave(usize),
        Begin { messages: usize, few: usize },
        GoOn { most: usize },
    }

    fn acts() -> impl Strategy<Value = Vec<Act>> {
        let act = prop_oneof![
            2 => proptest::prelude::Just(Act::Enter),
            1 => any::<usize>().prop_map(Act::Leave),
            4 => (0..4_usize, 0..5_usize).prop_map(|(messages, few)| Act::Begin { messages, few }),
            4 => (0..5_usize).prop_map(|most| Act::GoOn { most }),
        ];
        vec(act, 0..60)
    }

    proptest! {
        #[test]
        fn everybody_hears_everything_once_and_in_order(acts in acts()) {
            let mut room = Room::new();
            for act in acts {
                match act {
                    Act::Enter => room.enter(),
                    Act::Leave(place) => room.leave(place),
                    Act::Begin { messages, few } => room.begin(messages, few),
                    Act::GoOn { most } => {
                        let under_way = room.subscribers.go_on(most);
                        room.check(under_way);
                    }
                }
            }
            room.subscribers.finish();
            room.check(0);
        }
    }

    #[test]
    fn a_message_joins_where_the_circle_stands_and_leaves_where_it_joined() {
        let mut room = Room::new();
        (0..4).for_each(|_| room.enter());
        let heard = |room: &Room| room.present.iter().map(Present::heard).collect::<Vec<_>>();
        room.begin(1, 3);
        assert_eq!(room.subscribers.go_on(3), 1);
        assert_eq!(heard(&room), [vec![1], vec![1], vec![1], vec![]]);
        room.begin(1, 4);
        assert_eq!(room.subscribers.go_on(2), 1, "the first is through");
        assert_eq!(
            heard(&room),
            [vec![1, 2], vec![1], vec![1], vec![1, 2]],
            "both at once where none was heard"
        );
        assert_eq!(room.subscribers.go_on(2), 0);
        assert_eq!(heard(&room), vec![vec![1, 2]; 4]);
    }
}
