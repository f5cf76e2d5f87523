//! Who is connected to this node, whom the roster has been told of, and whose departure is not certain yet.

use std::collections::{BTreeSet, HashMap, HashSet};

use chat_protocol::UserId;
use tokio::time::Instant;

use crate::storage::User;

/// Counts connections, and remembers what of it the roster knows.
///
/// Counting and telling are apart, so that a user who leaves and returns before it is told never flickers, and what is
/// told cannot overtake itself.
#[derive(Debug, Default)]
pub(crate) struct PresenceBoard {
    here: HashMap<UserId, Here>,
    /// Whom the roster knows to be here.
    entered: HashSet<UserId>,
    /// Those without a connection, by when that is told.
    departures: BTreeSet<(Instant, UserId)>,
}

/// A user who is connected here, or was until just now.
#[derive(Debug)]
struct Here {
    user: User,
    connections: usize,
    departs: Option<Instant>,
}

impl PresenceBoard {
    pub(crate) fn arrive(&mut self, user: &User) {
        let here = self.here.entry(user.id).or_insert_with(|| Here {
            user: user.clone(),
            connections: 0,
            departs: None,
        });
        here.connections += 1;
        if let Some(departs) = here.departs.take() {
            self.departures.remove(&(departs, user.id));
        }
    }

    /// Somebody has a connection less. With the last, they are gone at `departs`, unless they come back until then.
    pub(crate) fn leave(&mut self, user: UserId, departs: Instant) {
        let Some(here) = self.here.get_mut(&user) else { return };
        here.connections -= 1;
        if here.connections == 0 {
            here.departs = Some(departs);
            self.departures.insert((departs, user));
        }
    }

    /// Whether somebody is connected here.
    pub(crate) fn is_here(&self, user: UserId) -> bool {
        self.here.get(&user).is_some_and(|here| here.connections > 0)
    }

    /// Those of whom the roster is to be told that they are here.
    pub(crate) fn arrivals(&self) -> Vec<User> {
        let new =
            self.here.iter().filter(|(user, here)| here.connections > 0 && !self.entered.contains(user));
        new.map(|(_, here)| here.user.clone()).collect()
    }

    /// Whether the roster is to be told that somebody is here.
    pub(crate) fn has_arrived(&self, user: UserId) -> bool {
        self.is_here(user) && !self.entered.contains(&user)
    }

    /// The roster knows that these are here.
    pub(crate) fn enter(&mut self, users: &[UserId]) {
        self.entered.extend(users);
    }

    /// The roster does not know of anybody here.
    pub(crate) fn forget_entered(&mut self) {
        self.entered.clear();
    }

    /// When the next departure is certain.
    pub(crate) fn next_departure(&self) -> Option<Instant> {
        self.departures.first().map(|(departs, _)| *departs)
    }

    /// Takes out somebody whose departure is certain by now.
    pub(crate) fn pop_departed(&mut self, now: Instant) -> Option<User> {
        let (departs, user) = *self.departures.first()?;
        if departs > now {
            return None;
        }
        self.departures.pop_first();
        self.entered.remove(&user);
        self.here.remove(&user).map(|here| here.user)
    }

    /// Puts somebody back whose departure could not be told, to be told later.
    pub(crate) fn put_back(&mut self, user: User, departs: Instant) {
        let id = user.id;
        self.here.entry(id).or_insert_with(|| {
            self.departures.insert((departs, id));
            Here { user, connections: 0, departs: Some(departs) }
        });
    }

    /// Takes out everybody whose departure was not told yet.
    pub(crate) fn take_departing(&mut self) -> Vec<User> {
        let departing: Vec<_> = std::mem::take(&mut self.departures).into_iter().collect();
        departing.into_iter().filter_map(|(_, user)| self.here.remove(&user)).map(|here| here.user).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use chat_protocol::Username;

    const GRACE: Duration = Duration::from_secs(2);

    fn amy() -> User {
        User { id: UserId::new(1).unwrap(), name: Username::new("amy").unwrap() }
    }

    /// What the roster is told of amy.
    fn settle(board: &mut PresenceBoard, now: Instant) -> Option<&'static str> {
        if board.has_arrived(amy().id) {
            board.enter(&[amy().id]);
            return Some("here");
        }
        board.pop_departed(now).map(|_| "gone")
    }

    #[tokio::test(start_paused = true)]
    async fn the_first_connection_and_the_last_make_the_difference() {
        let (mut board, now) = (PresenceBoard::default(), Instant::now());
        board.arrive(&amy());
        assert_eq!(settle(&mut board, now), Some("here"));
        board.arrive(&amy());
        assert_eq!(settle(&mut board, now), None);
        board.leave(amy().id, now);
        assert_eq!(settle(&mut board, now), None);
        board.leave(amy().id, now);
        assert!(!board.is_here(amy().id));
        assert_eq!(settle(&mut board, now), Some("gone"));
        assert_eq!(settle(&mut board, now), None);
        assert!(
            board.here.is_empty() && board.entered.is_empty() && board.departures.is_empty(),
            "nothing is kept of those who left"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_short_absence_is_not_told() {
        let (mut board, now) = (PresenceBoard::default(), Instant::now());
        board.arrive(&amy());
        settle(&mut board, now);
        board.leave(amy().id, now + GRACE);
        assert_eq!(board.next_departure(), Some(now + GRACE));
        assert_eq!(settle(&mut board, now), None);
        board.arrive(&amy());
        assert_eq!(board.next_departure(), None);
        assert_eq!(settle(&mut board, now + GRACE), None);
    }

    #[tokio::test(start_paused = true)]
    async fn what_could_not_be_told_is_told_later() {
        let (mut board, now) = (PresenceBoard::default(), Instant::now());
        board.arrive(&amy());
        settle(&mut board, now);
        board.leave(amy().id, now);
        let departed = board.pop_departed(now).unwrap();
        board.put_back(departed, now + GRACE);
        assert_eq!(settle(&mut board, now), None);
        assert_eq!(settle(&mut board, now + GRACE), Some("gone"));
        board.arrive(&amy());
        board.forget_entered();
        assert_eq!(board.arrivals(), [amy()]);
    }
}
