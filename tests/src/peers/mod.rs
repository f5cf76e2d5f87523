//! Servers to compare with: the bound, and what one would write today.
//!
//! Each re-sends every `{"message": …}` that it is sent on `/ws/chat/<room>/` to the whole room as
//! `{"message": …, "username": "anonymous"}`. They store nothing and check nothing.

mod axum_broadcast;
mod bound;
mod tungstenite_map;

use std::net::{Ipv4Addr, TcpListener};

use clap::{Subcommand, ValueEnum};
use serde::{Deserialize, Serialize};

/// Which of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Subcommand)]
pub enum Peer {
    /// The bound: epoll, one thread, one `send()` for each delivery, nothing parsed.
    Bound {
        /// All messages for a room that came in one round leave in one `send()` for each member.
        #[arg(long)]
        batch: bool,
    },
    /// axum, with a broadcast channel for each room.
    Axum {
        /// How much memory reading takes.
        #[arg(long, value_enum, default_value_t)]
        buffers: Buffers,
    },
    /// tokio-tungstenite, with a map of peers for each room and a queue for each peer.
    Tungstenite {
        /// How much memory reading takes.
        #[arg(long, value_enum, default_value_t)]
        buffers: Buffers,
    },
}

/// How much memory a connection has for reading. It is filled with zeros for every attempt to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum Buffers {
    /// As it comes: 128 KiB.
    #[default]
    Usual,
    /// 4 KiB.
    Small,
}

impl Buffers {
    const fn bytes(self) -> usize {
        match self {
            Self::Usual => 128 * 1024,
            Self::Small => 4 * 1024,
        }
    }
}

impl Peer {
    /// Serves on a free port, for ever; `ready` is told which.
    ///
    /// # Panics
    ///
    /// Where there is none.
    pub fn serve(self, ready: impl FnOnce(std::net::SocketAddr)) {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("there is a free port");
        listener.set_nonblocking(true).expect("the listener is open");
        // The 128 of the standard library are too few for a crowd.
        rustix::net::listen(&listener, 4096).expect("the listener is open");
        ready(listener.local_addr().expect("the listener is open"));
        match self {
            Self::Bound { batch: false } => bound::serve(&listener, bound::Sending::AtOnce),
            Self::Bound { batch: true } => bound::serve(&listener, bound::Sending::ByRound),
            Self::Axum { buffers } => runtime().block_on(axum_broadcast::serve(listener, buffers.bytes())),
            Self::Tungstenite { buffers } => {
                runtime().block_on(tungstenite_map::serve(listener, buffers.bytes()));
            }
        }
    }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Runtime::new().expect("there can be threads")
}

/// What a client says.
#[derive(Deserialize)]
struct Said {
    message: String,
}

/// What the room hears.
#[derive(Serialize)]
struct Heard<'a> {
    message: &'a str,
    username: &'a str,
}

/// From one to the other.
fn relay(frame: &str) -> Option<String> {
    let said: Said = serde_json::from_str(frame).ok()?;
    serde_json::to_string(&Heard { message: &said.message, username: "anonymous" }).ok()
}
