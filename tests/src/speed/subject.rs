//! What is measured.

use std::fmt;

use super::seed::Seed;
use crate::peers::{Buffers, Peer};

/// A server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    /// Ours, with everything else as it is by default.
    Ours(Setting),
    /// One to compare with.
    Peer(Peer),
}

/// How ours is set up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Setting {
    /// Where messages are kept.
    pub store: Store,
    /// Who may connect.
    pub people: People,
    /// What is there before it starts.
    pub seed: Seed,
}

/// Where messages are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Store {
    /// In memory.
    Memory,
    /// An SQLite file, durable, as by default.
    File,
}

/// Who may connect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum People {
    /// Everybody.
    Guests,
    /// Who has a token.
    SignedIn,
}

impl Subject {
    /// The bound.
    pub const BOUND: Self = Self::Peer(Peer::Bound { batch: false });

    /// The bound, with all messages of a round in one `send()`.
    pub const BATCHING_BOUND: Self = Self::Peer(Peer::Bound { batch: true });

    /// What one would write today, as it comes and with small buffers.
    pub const PEERS: [Self; 4] = [
        Self::Peer(Peer::Axum { buffers: Buffers::Usual }),
        Self::Peer(Peer::Axum { buffers: Buffers::Small }),
        Self::Peer(Peer::Tungstenite { buffers: Buffers::Usual }),
        Self::Peer(Peer::Tungstenite { buffers: Buffers::Small }),
    ];

    /// Ours for guests, with nothing stored before.
    #[must_use]
    pub const fn ours(store: Store) -> Self {
        Self::Ours(Setting { store, people: People::Guests, seed: Seed::NOTHING })
    }

    /// Ours for guests, with an SQLite file that holds this.
    #[must_use]
    pub const fn seeded(seed: Seed) -> Self {
        Self::Ours(Setting { store: Store::File, people: People::Guests, seed })
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ours(_) => "ours",
            Self::Peer(Peer::Bound { batch: false }) => "bound",
            Self::Peer(Peer::Bound { batch: true }) => "batching-bound",
            Self::Peer(Peer::Axum { buffers: Buffers::Usual }) => "axum",
            Self::Peer(Peer::Axum { buffers: Buffers::Small }) => "axum-small",
            Self::Peer(Peer::Tungstenite { buffers: Buffers::Usual }) => "tungstenite",
            Self::Peer(Peer::Tungstenite { buffers: Buffers::Small }) => "tungstenite-small",
        })
    }
}
