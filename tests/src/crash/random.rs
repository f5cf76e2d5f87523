//! Choices that come out the same for the same seed.

use std::hash::{BuildHasher, RandomState};

/// A seed that is another one each time.
#[must_use]
pub fn any_seed() -> u64 {
    RandomState::new().hash_one(())
}

/// A source of choices: splitmix64.
#[derive(Debug, Clone)]
pub struct Random(u64);

impl Random {
    /// The choices of this seed.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A source of its own for somebody, so that it does not matter who chooses first.
    #[must_use]
    pub const fn fork(&mut self) -> Self {
        Self(self.next())
    }

    /// A number from 0 to `end`, `end` excluded.
    ///
    /// # Panics
    ///
    /// Where `end` is 0.
    #[must_use]
    pub const fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    /// Whether something happens that happens once in so many times.
    #[must_use]
    pub const fn one_in(&mut self, times: u64) -> bool {
        self.below(times) == 0
    }

    /// An index into something of this length.
    ///
    /// # Panics
    ///
    /// Where the length is 0.
    #[must_use]
    pub fn index(&mut self, length: usize) -> usize {
        usize::try_from(self.below(length as u64)).expect("less than the length")
    }

    /// One of these.
    ///
    /// # Panics
    ///
    /// Where there is none.
    #[must_use]
    pub fn pick<T: Copy>(&mut self, choices: &[T]) -> T {
        *choices.get(self.index(choices.len())).expect("an index below the length")
    }

    const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}
