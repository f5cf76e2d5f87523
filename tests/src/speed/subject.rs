//! What is measured.

use std::fmt;

use super::act::Act;
use super::seed::Seed;
use crate::peers::{Buffers, Peer};

/// More connections are not given to Channels.
const MOST_FOR_CHANNELS: usize = 1_000;

/// A server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    /// Ours, with everything else as it is by default.
    Ours(Setting),
    /// One to compare with.
    Peer(Peer),
    /// A real Django with Channels, with so many messages in the room `r0`.
    Channels {
        /// Messages.
        messages: u64,
    },
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
    pub const PEERS: [Self; 5] = [
        Self::Peer(Peer::Axum { buffers: Buffers::Usual }),
        Self::Peer(Peer::Axum { buffers: Buffers::Small }),
        Self::Peer(Peer::Tungstenite { buffers: Buffers::Usual }),
        Self::Peer(Peer::Tungstenite { buffers: Buffers::Small }),
        Self::Channels { messages: 0 },
    ];

    /// Ours for guests, with nothing stored before.
    #[must_use]
    pub const fn ours(store: Store) -> Self {
        Self::Ours(Setting { store, people: People::Guests, seed: Seed::NOTHING })
    }

    /// Ours for users with tokens, with an SQLite file that holds so many rooms.
    #[must_use]
    pub const fn signed_in(rooms: u64) -> Self {
        let seed = Seed { rooms, ..Seed::NOTHING };
        Self::Ours(Setting { store: Store::File, people: People::SignedIn, seed })
    }

    /// Ours for users with tokens, so many of them, all of whom are members of the one room and have read everything.
    #[must_use]
    pub const fn members(users: u64, messages: u64) -> Self {
        let seed = Seed { rooms: 1, users, messages };
        Self::Ours(Setting { store: Store::File, people: People::SignedIn, seed })
    }

    /// It, with the messages that another one has.
    #[must_use]
    pub const fn with_history_of(self, other: Self) -> Self {
        match (self, other) {
            (Self::Channels { .. }, Self::Ours(setting)) => {
                Self::Channels { messages: setting.seed.messages }
            }
            _ => self,
        }
    }

    /// Whether it takes this, and to some end: others keep no messages that could be asked for, and a large crowd is more
    /// than Channels can bear.
    #[must_use]
    pub const fn takes(self, act: Act) -> bool {
        match (self, act) {
            (Self::Ours(_), _) | (Self::Channels { .. }, Act::Ask(..)) => true,
            (Self::Peer(_), act) => !matches!(act, Act::Ask(..)),
            (Self::Channels { .. }, Act::Talk(size, ..)) => size.connections <= MOST_FOR_CHANNELS,
            (Self::Channels { .. }, _) => false,
        }
    }

    /// Ours for guests, with an SQLite file that holds a room with so many messages.
    #[must_use]
    pub const fn history(messages: u64) -> Self {
        let seed = Seed { rooms: 1, users: 1, messages };
        Self::Ours(Setting { store: Store::File, people: People::Guests, seed })
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ours(_) => "ours",
            Self::Channels { .. } => "channels",
            Self::Peer(Peer::Bound { batch: false }) => "bound",
            Self::Peer(Peer::Bound { batch: true }) => "batching-bound",
            Self::Peer(Peer::Axum { buffers: Buffers::Usual }) => "axum",
            Self::Peer(Peer::Axum { buffers: Buffers::Small }) => "axum-small",
            Self::Peer(Peer::Tungstenite { buffers: Buffers::Usual }) => "tungstenite",
            Self::Peer(Peer::Tungstenite { buffers: Buffers::Small }) => "tungstenite-small",
        })
    }
}
