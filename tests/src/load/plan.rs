//! Who connects where, and how.

use std::fmt;
use std::net::SocketAddrV4;

use super::mark::Mark;

/// The key of RFC 6455's own example, and what a server must make of it: so the answer can be checked without hashing.
const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
pub(super) const ACCEPT: &[u8] = b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

/// How many handshakes are under way at a time.
const HANDSHAKES: usize = 128;

/// A crowd of clients.
#[derive(Debug)]
pub struct Plan {
    /// Where the servers listen.
    pub servers: Vec<SocketAddrV4>,
    /// Which of them, counted round, serves whom.
    pub seating: fn(Seat) -> usize,
    /// How many rooms there are: `r0`, `r1`, …
    pub rooms: usize,
    /// How many connections there are; they are dealt to the rooms in turn. The first of each room sends.
    pub connections: usize,
    /// What they speak, in turn within a room. The first is `plain`, where they send.
    pub dialects: &'static [&'static str],
    /// Who they are.
    pub people: People,
    /// How many handshakes are under way at a time.
    pub handshakes: usize,
    /// How they wait for what comes.
    pub waiting: Waiting,
}

/// What is done while there is nothing to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Waiting {
    /// The thread sleeps until it is woken, by whoever sends something.
    Asleep,
    /// It looks for what has come again and again, and takes all of a core.
    Awake,
}

/// The place of a connection.
#[derive(Debug, Clone, Copy)]
pub struct Seat {
    /// Its room.
    pub room: usize,
    /// Its number within the room; the sender's is 0.
    pub place: usize,
}

/// Who the clients of a crowd are.
#[derive(Default)]
pub enum People {
    /// Guests without a name.
    #[default]
    Guests,
    /// Each a user of their own, with a token.
    SignedIn(Box<dyn Fn(usize) -> String>),
}

impl fmt::Debug for People {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Guests => "Guests",
            Self::SignedIn(_) => "SignedIn",
        })
    }
}

impl Plan {
    /// Guests of one server, who speak `plain`.
    #[must_use]
    pub fn guests(server: SocketAddrV4, rooms: usize, connections: usize) -> Self {
        Self::spread(vec![server], |_| 0, rooms, connections)
    }

    /// Guests of several servers, who speak `plain`.
    #[must_use]
    pub const fn spread(
        servers: Vec<SocketAddrV4>,
        seating: fn(Seat) -> usize,
        rooms: usize,
        connections: usize,
    ) -> Self {
        Self {
            servers,
            seating,
            rooms,
            connections,
            dialects: &["plain"],
            people: People::Guests,
            handshakes: HANDSHAKES,
            waiting: Waiting::Asleep,
        }
    }

    /// The room of a connection.
    #[must_use]
    pub const fn room_of(&self, connection: usize) -> usize {
        connection % self.rooms
    }

    /// The server of a connection.
    #[must_use]
    pub fn server_of(&self, connection: usize) -> SocketAddrV4 {
        let seat = Seat { room: self.room_of(connection), place: connection / self.rooms };
        self.servers[(self.seating)(seat) % self.servers.len()]
    }

    /// The handshake of a connection.
    #[must_use]
    pub fn request(&self, connection: usize) -> String {
        let room = self.room_of(connection);
        let dialect = self.dialects[connection / self.rooms % self.dialects.len()];
        let authorization = match &self.people {
            People::Guests => String::new(),
            People::SignedIn(token) => format!("Authorization: Bearer {}\r\n", token(connection)),
        };
        format!(
            "GET /ws/chat/r{room}/?dialect={dialect} HTTP/1.1\r\n\
             Host: {}\r\n\
             Upgrade: websocket\r\n\
             Connection: Upgrade\r\n\
             Sec-WebSocket-Key: {KEY}\r\n\
             Sec-WebSocket-Version: 13\r\n\
             {authorization}\r\n",
            self.server_of(connection)
        )
    }
}

/// What a sender sends: a `plain` frame with a text of usual length.
#[must_use]
pub(super) fn message(mark: Mark) -> String {
    format!(r#"{{"message": "{mark} says: the quick brown fox jumps over the lazy dog"}}"#)
}
