//! Many client connections, served by one thread in one loop over epoll.

use std::fmt;
use std::net::{Ipv4Addr, SocketAddrV4};

use memchr::memmem;
use rustix::buffer::spare_capacity;
use rustix::event::epoll::{self, CreateFlags, Event, EventData, EventFlags};
use rustix::fd::OwnedFd;
use rustix::io::Errno;
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, sockopt};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use rustix::time::Timespec;

use super::clock::{Nanos, SECOND, now};
use super::frame::{Head, Kind, masked};
use super::plan::{ACCEPT, Waiting};

/// So many connections leave from one address: 127.0.0.1, then .2, … The system has hardly more ports for one.
const CONNECTIONS_PER_ADDRESS: usize = 20_000;

/// Most bytes that are read at a time.
const READ_BYTES: usize = 256 * 1024;

/// Most events that are taken at a time.
const EVENTS: usize = 1024;

/// The same for who stays awake to be in time: what is to be sent waits until they are done.
const FEW_EVENTS: usize = 16;

/// How far a connection has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// TCP is not there yet.
    Connecting,
    /// The request is sent.
    Asked,
    /// Frames go to and fro.
    Open,
    /// Over.
    Closed,
}

#[derive(Debug)]
struct Connection {
    socket: Option<OwnedFd>,
    state: State,
    started: Nanos,
    /// What was read and is not yet whole.
    read: Vec<u8>,
    /// What the socket did not take yet.
    unsent: Vec<u8>,
}

/// What happened on a connection.
#[derive(Debug)]
pub(super) enum Happening<'a> {
    /// The handshake is done, and took this long.
    Opened(Nanos),
    /// A text came.
    Text(&'a [u8]),
    /// It ended, or never came to be.
    Closed,
}

/// The connections, by their numbers.
pub(super) struct Sockets {
    epoll: OwnedFd,
    waiting: Waiting,
    connections: Vec<Connection>,
    buffer: Vec<u8>,
    events: Vec<Event>,
    mask: u32,
    first_error: Option<String>,
}

impl fmt::Debug for Sockets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sockets").field("connections", &self.connections).finish_non_exhaustive()
    }
}

impl Sockets {
    /// No connections yet.
    #[must_use]
    pub(super) fn new(waiting: Waiting) -> Self {
        Self {
            epoll: epoll::create(CreateFlags::CLOEXEC).expect("the system has epoll"),
            waiting,
            connections: Vec::new(),
            buffer: vec![0; READ_BYTES],
            events: Vec::with_capacity(match waiting {
                Waiting::Asleep => EVENTS,
                Waiting::Awake => FEW_EVENTS,
            }),
            mask: 0x9E37_79B9,
            first_error: None,
        }
    }

    /// How many connections were begun.
    #[must_use]
    pub(super) const fn begun(&self) -> usize {
        self.connections.len()
    }

    /// How far a connection has come.
    #[must_use]
    pub(super) fn state(&self, number: usize) -> State {
        self.connections[number].state
    }

    /// What went wrong first, where something did.
    #[must_use]
    pub(super) fn first_error(&self) -> Option<&str> {
        self.first_error.as_deref()
    }

    fn note(&mut self, error: impl FnOnce() -> String) {
        self.first_error.get_or_insert_with(error);
    }

    /// Begins the next connection, to this server, with this request.
    pub(super) fn connect(&mut self, server: SocketAddrV4, request: String) {
        let number = self.connections.len();
        let socket = socket(number, server).expect("there are enough descriptors and ports");
        let interest = EventFlags::IN | EventFlags::OUT;
        epoll::add(&self.epoll, &socket, EventData::new_u64(number as u64), interest)
            .expect("the socket is new");
        self.connections.push(Connection {
            socket: Some(socket),
            state: State::Connecting,
            started: now(),
            read: Vec::new(),
            unsent: request.into_bytes(),
        });
    }

    /// Ends a connection, without a word.
    pub(super) fn close(&mut self, number: usize) {
        let connection = &mut self.connections[number];
        connection.state = State::Closed;
        connection.socket = None;
    }

    /// Sends a frame.
    pub(super) fn send(&mut self, number: usize, kind: Kind, payload: &[u8]) {
        // Any mask will do, as long as no byte of it is zero.
        self.mask = self.mask.wrapping_mul(1_664_525).wrapping_add(1_013_904_223) | 0x0101_0101;
        let frame = masked(kind, payload, self.mask.to_be_bytes());
        let connection = &mut self.connections[number];
        if connection.state != State::Open {
            return;
        }
        let is_behind = !connection.unsent.is_empty();
        connection.unsent.extend(frame);
        if !is_behind {
            self.write(number);
            if !self.connections[number].unsent.is_empty() {
                self.watch(number, EventFlags::IN | EventFlags::OUT);
            }
        }
    }

    /// Writes what is unsent, as far as the socket takes it.
    fn write(&mut self, number: usize) {
        let connection = &mut self.connections[number];
        let Some(socket) = &connection.socket else { return };
        match rustix::net::send(socket, &connection.unsent, SendFlags::NOSIGNAL) {
            Ok(sent) if sent == connection.unsent.len() => connection.unsent = Vec::new(),
            Ok(sent) => drop(connection.unsent.drain(..sent)),
            Err(Errno::AGAIN) => {}
            // The read side sees it, too.
            Err(_) => self.close(number),
        }
    }

    fn watch(&self, number: usize, interest: EventFlags) {
        let Some(socket) = &self.connections[number].socket else { return };
        epoll::modify(&self.epoll, socket, EventData::new_u64(number as u64), interest)
            .expect("the socket is watched");
    }

    /// Waits until something can be done, or this moment, or not at all where it stays awake; does it, and tells what
    /// happened, and when.
    pub(super) fn poll(&mut self, until: Nanos, mut tell: impl FnMut(usize, Happening<'_>, Nanos)) {
        let wait = match self.waiting {
            Waiting::Asleep => until.saturating_sub(now()),
            Waiting::Awake => 0,
        };
        let wait = Timespec { tv_sec: (wait / SECOND).cast_signed(), tv_nsec: (wait % SECOND).cast_signed() };
        let mut events = std::mem::take(&mut self.events);
        // Interrupted is as good as nothing to do.
        epoll::wait(&self.epoll, spare_capacity(&mut events), Some(&wait)).unwrap_or_default();
        for event in events.drain(..) {
            let (data, flags) = (event.data, event.flags);
            let number = usize::try_from(data.u64()).expect("it was a number of a connection");
            if flags.contains(EventFlags::OUT) && self.state(number) != State::Closed {
                self.writable(number);
            }
            if flags.intersects(EventFlags::IN | EventFlags::ERR | EventFlags::HUP)
                && self.state(number) != State::Closed
            {
                self.readable(number, &mut tell);
            }
            if self.state(number) == State::Closed {
                tell(number, Happening::Closed, 0);
            }
        }
        self.events = events;
    }

    fn writable(&mut self, number: usize) {
        let connection = &mut self.connections[number];
        if connection.state == State::Connecting {
            let Some(socket) = &connection.socket else { return };
            if let Ok(Err(error)) | Err(error) = sockopt::socket_error(socket) {
                self.note(|| format!("connecting: {error}"));
                return self.close(number);
            }
            connection.state = State::Asked;
        }
        self.write(number);
        if self.connections[number].unsent.is_empty() {
            self.watch(number, EventFlags::IN);
        }
    }

    fn readable(&mut self, number: usize, tell: &mut impl FnMut(usize, Happening<'_>, Nanos)) {
        let connection = &mut self.connections[number];
        let Some(socket) = &connection.socket else { return };
        let mut buffer = std::mem::take(&mut self.buffer);
        match rustix::net::recv(socket, &mut buffer[..], RecvFlags::empty()) {
            Ok((length @ 1.., _)) => {
                let when = now();
                let mut left = std::mem::take(&mut connection.read);
                if left.is_empty() {
                    let used = self.take(number, &buffer[..length], when, tell);
                    left.extend(&buffer[used..length]);
                } else {
                    left.extend(&buffer[..length]);
                    let used = self.take(number, &left, when, tell);
                    left.drain(..used);
                }
                if !left.is_empty() {
                    self.connections[number].read = left;
                }
            }
            Err(Errno::AGAIN) => {}
            ended => {
                let state = connection.state;
                self.note(|| format!("ended by the server while {state:?}: {ended:?}"));
                self.close(number);
            }
        }
        self.buffer = buffer;
    }

    /// Takes what is whole; gives how many bytes that was.
    fn take(
        &mut self,
        number: usize,
        bytes: &[u8],
        when: Nanos,
        tell: &mut impl FnMut(usize, Happening<'_>, Nanos),
    ) -> usize {
        let mut at = 0;
        if self.state(number) == State::Asked {
            let Some(head) = memmem::find(bytes, b"\r\n\r\n") else { return 0 };
            if !is_accepted(&bytes[..head]) {
                self.note(|| format!("refused: {}", String::from_utf8_lossy(bytes)));
                self.close(number);
                return bytes.len();
            }
            at = head + 4;
            self.connections[number].state = State::Open;
            tell(number, Happening::Opened(when - self.connections[number].started), when);
        }
        while self.state(number) == State::Open
            && let Some(head) = Head::read(&bytes[at..])
            && let Some(payload) = bytes[at + head.length..].get(..head.payload)
        {
            at += head.length + head.payload;
            match head.opcode {
                0..=2 => tell(number, Happening::Text(payload), when),
                8 => {
                    let code = payload.first_chunk().map(|code| u16::from_be_bytes(*code));
                    self.note(|| format!("closed by the server with {code:?}"));
                    self.send(number, Kind::Close, payload);
                    self.close(number);
                }
                9 => self.send(number, Kind::Pong, payload),
                _ => {}
            }
        }
        at
    }
}

/// A socket that begins to connect.
fn socket(number: usize, server: SocketAddrV4) -> Result<OwnedFd, Errno> {
    let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
    let socket = rustix::net::socket_with(AddressFamily::INET, SocketType::STREAM, flags, None)?;
    sockopt::set_tcp_nodelay(&socket, true)?;
    if let Ok(group @ 1..) = u8::try_from(number / CONNECTIONS_PER_ADDRESS) {
        rustix::net::bind(&socket, &SocketAddrV4::new(Ipv4Addr::new(127, 0, 0, 1 + group), 0))?;
    }
    match rustix::net::connect(&socket, &server) {
        Ok(()) | Err(Errno::INPROGRESS) => Ok(socket),
        Err(error) => Err(error),
    }
}

fn is_accepted(head: &[u8]) -> bool {
    head.starts_with(b"HTTP/1.1 101") && memmem::find(head, ACCEPT).is_some()
}

/// Lets this process, and those that it starts, open as many files as the system allows.
pub fn raise_descriptors() {
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    // Where it is refused, what there is must do.
    let _ = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum });
}

/// How many files the system allows a process to open.
#[must_use]
pub fn most_descriptors() -> u64 {
    getrlimit(Resource::Nofile).maximum.unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_stays_awake_does_not_wait_for_the_moment() {
        let moment = now() + 60 * SECOND;
        Sockets::new(Waiting::Awake).poll(moment, |_, _, _| {});
        assert!(now() < moment);
    }

    #[test]
    fn who_sleeps_does_where_nothing_comes() {
        let moment = now() + SECOND / 100;
        Sockets::new(Waiting::Asleep).poll(moment, |_, _, _| {});
        assert!(now() >= moment);
    }
}
