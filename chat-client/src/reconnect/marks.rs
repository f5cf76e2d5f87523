//! The marks that a client puts on its sends.

use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};

use chat_protocol::ClientId;

/// Makes marks, and knows them again.
///
/// A mark is a number and its keyed hash. Everybody in a room sees the marks of what is stored: without the key, nobody
/// could guess the next one, and have a message of theirs taken for it.
#[derive(Debug, Default)]
pub(super) struct Marks {
    /// Keyed by the operating system's randomness, for each client anew.
    key: RandomState,
    made: AtomicU64,
}

impl Marks {
    pub(super) fn make(&self) -> ClientId {
        self.mark(self.made.fetch_add(1, Ordering::Relaxed))
    }

    /// Whether this client has made a mark.
    pub(super) fn is_own(&self, mark: &ClientId) -> bool {
        let number = mark.as_str().get(..16).and_then(|number| u64::from_str_radix(number, 16).ok());
        number.is_some_and(|number| *mark == self.mark(number))
    }

    /// A number that differs from client to client.
    pub(super) fn seed(&self) -> u64 {
        self.key.hash_one("seed")
    }

    fn mark(&self, number: u64) -> ClientId {
        ClientId::from((u128::from(number) << 64) | u128::from(self.key.hash_one(number)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_knows_its_own_marks_only() {
        let (one, other) = (Marks::default(), Marks::default());
        let marks: Vec<_> = (0..100).map(|_| one.make()).collect();
        assert!(marks.iter().all(|mark| one.is_own(mark) && !other.is_own(mark)));
        assert_ne!(one.make(), one.make());
        for mark in ["x", "0000000000000001", "é", "00000000000000010000000000000000"] {
            assert!(!ClientId::new(mark).is_ok_and(|mark| one.is_own(&mark)));
        }
    }
}
