//! Who is online: connections counted per user, and what of it others have been told.

use std::collections::{HashMap, HashSet};

use chat_protocol::UserId;

/// A change that others have not been told of yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Change {
    CameOnline,
    WentOffline,
}

/// Counts connections, and remembers who was announced as online.
///
/// Counting and announcing are apart, so that a user who leaves and returns before the announcement is made never
/// flickers, and announcements cannot overtake each other.
#[derive(Debug, Default)]
pub(crate) struct PresenceBoard {
    connections: HashMap<UserId, usize>,
    announced: HashSet<UserId>,
}

impl PresenceBoard {
    pub(crate) fn arrive(&mut self, user: UserId) {
        *self.connections.entry(user).or_default() += 1;
    }

    pub(crate) fn leave(&mut self, user: UserId) {
        if let Some(count) = self.connections.get_mut(&user) {
            *count -= 1;
            if *count == 0 {
                self.connections.remove(&user);
            }
        }
    }

    /// What is to be announced of a user now, which from then on counts as announced.
    pub(crate) fn settle(&mut self, user: UserId) -> Option<Change> {
        if self.connections.contains_key(&user) {
            self.announced.insert(user).then_some(Change::CameOnline)
        } else {
            self.announced.remove(&user).then_some(Change::WentOffline)
        }
    }

    /// Whether others have been told that a user is online.
    pub(crate) fn is_announced(&self, user: UserId) -> bool {
        self.announced.contains(&user)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_connection_and_the_last_make_the_difference() {
        let (mut board, amy) = (PresenceBoard::default(), UserId::new(1).unwrap());
        board.arrive(amy);
        assert_eq!(board.settle(amy), Some(Change::CameOnline));
        board.arrive(amy);
        assert_eq!(board.settle(amy), None);
        board.leave(amy);
        assert_eq!(board.settle(amy), None);
        board.leave(amy);
        assert_eq!(board.settle(amy), Some(Change::WentOffline));
        assert_eq!(board.settle(amy), None);
        assert!(
            board.connections.is_empty() && board.announced.is_empty(),
            "nothing is kept of those who left"
        );
    }

    #[test]
    fn a_short_absence_is_not_announced() {
        let (mut board, amy) = (PresenceBoard::default(), UserId::new(1).unwrap());
        board.arrive(amy);
        board.settle(amy);
        board.leave(amy);
        board.arrive(amy);
        assert_eq!(board.settle(amy), None);
    }
}
