//! Who is typing where, and until when that counts.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use chat_protocol::{RoomId, UserId};
use tokio::time::Instant;

use crate::hub::ConnectionId;
use crate::storage::User;

/// Somebody typing in a room.
pub(crate) type Typist = (RoomId, Whence);

/// Where somebody types.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Whence {
    /// On this node. Two connections of one user type apart.
    Here(ConnectionId),
    /// On another one, which may die before it says that they type no more.
    Elsewhere(UserId),
}

/// The typists, by when they fall silent.
#[derive(Debug, Default)]
pub(crate) struct TypingBoard {
    typists: HashMap<Typist, (User, Instant)>,
    deadlines: BTreeSet<(Instant, Typist)>,
}

impl TypingBoard {
    /// Notes that somebody types, which counts for this long.
    pub(crate) fn start(&mut self, typist: Typist, user: User, now: Instant, lasting: Duration) {
        self.stop(typist);
        let deadline = now + lasting;
        self.typists.insert(typist, (user, deadline));
        self.deadlines.insert((deadline, typist));
    }

    /// Notes that somebody types no more; tells who it was, if they did.
    pub(crate) fn stop(&mut self, typist: Typist) -> Option<User> {
        // Whoever sends a message types no more; mostly nobody does.
        if self.typists.is_empty() {
            return None;
        }
        let (user, deadline) = self.typists.remove(&typist)?;
        self.deadlines.remove(&(deadline, typist));
        Some(user)
    }

    /// When the next one falls silent.
    pub(crate) fn next_deadline(&self) -> Option<Instant> {
        self.deadlines.first().map(|(deadline, _)| *deadline)
    }

    /// Takes out one who has fallen silent by now.
    pub(crate) fn pop_expired(&mut self, now: Instant) -> Option<(Typist, User)> {
        let (deadline, typist) = *self.deadlines.first()?;
        if deadline > now {
            return None;
        }
        self.stop(typist).map(|user| (typist, user))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chat_protocol::Username;

    const LASTING: Duration = Duration::from_secs(5);

    fn typist(connection: u64) -> Typist {
        (RoomId::new(1).unwrap(), Whence::Here(ConnectionId(connection)))
    }

    fn amy() -> User {
        User { id: UserId::new(1).unwrap(), name: Username::new("amy").unwrap() }
    }

    #[tokio::test(start_paused = true)]
    async fn typing_ends_by_itself() {
        let (mut board, start) = (TypingBoard::default(), Instant::now());
        board.start(typist(1), amy(), start, LASTING);
        board.start(typist(2), amy(), start + LASTING / 2, LASTING);
        assert_eq!(board.next_deadline(), Some(start + LASTING));
        assert_eq!(board.pop_expired(start + LASTING / 2), None);
        assert_eq!(board.pop_expired(start + LASTING), Some((typist(1), amy())));
        assert_eq!(board.pop_expired(start + LASTING), None);
    }

    #[tokio::test(start_paused = true)]
    async fn typing_on_lasts_longer_and_stopping_is_final() {
        let (mut board, start) = (TypingBoard::default(), Instant::now());
        board.start(typist(1), amy(), start, LASTING);
        board.start(typist(1), amy(), start + LASTING / 2, LASTING);
        assert_eq!(board.pop_expired(start + LASTING), None);
        assert_eq!(board.stop(typist(1)), Some(amy()));
        assert_eq!(board.stop(typist(1)), None);
        assert_eq!(board.next_deadline(), None);
    }
}
