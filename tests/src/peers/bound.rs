//! The bound: what the system's work alone costs. One thread in one loop over epoll, one `send()` for each delivery; no JSON
//! is read, nothing is stored, nothing is checked.

#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::indexing_slicing,
    reason = "it is to cost nothing but system calls, and knows who speaks to it"
)]

use std::collections::HashMap;
use std::net::TcpListener;
use std::os::fd::AsRawFd;

use memchr::memmem::find;
use rustix::buffer::spare_capacity;
use rustix::event::epoll::{self, CreateFlags, EventData, EventFlags};
use rustix::fd::{AsFd, OwnedFd};
use rustix::io::Errno;
use rustix::net::{RecvFlags, SendFlags, SocketFlags, sockopt};
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

/// Replaces the closing brace of what a client says.
const TAIL: &[u8] = br#", "username": "anonymous"}"#;

/// The name of the header, as the load generator writes it.
const KEY: &[u8] = b"Sec-WebSocket-Key: ";
const KEY_LEN: usize = 24;

const READ_BYTES: usize = 64 * 1024;
const EVENTS: usize = 1024;

/// When messages leave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sending {
    /// Each at once.
    AtOnce,
    /// Those of one round of the loop together.
    ByRound,
}

#[derive(Debug)]
struct Connection {
    socket: OwnedFd,
    /// The room, and the place among its members, once the handshake is done.
    place: Option<(usize, usize)>,
    /// What was read and is not whole yet.
    read: Vec<u8>,
    /// What the socket did not take.
    unsent: Vec<u8>,
}

#[derive(Debug, Default)]
struct Room {
    /// The numbers of connections.
    members: Vec<usize>,
    /// Frames that have not left yet.
    pending: Vec<u8>,
}

/// Connections are numbered by their descriptors: the lowest free one, as the system gives them out.
struct Server {
    epoll: OwnedFd,
    connections: Vec<Option<Box<Connection>>>,
    rooms: Vec<Room>,
    names: HashMap<Vec<u8>, usize>,
    /// Rooms with pending frames.
    dirty: Vec<usize>,
    sending: Sending,
}

pub(super) fn serve(listener: &TcpListener, sending: Sending) {
    let epoll = epoll::create(CreateFlags::CLOEXEC).expect("the system has epoll");
    let door = listener.as_raw_fd() as u64;
    epoll::add(&epoll, listener, EventData::new_u64(door), EventFlags::IN).expect("the listener is new");
    let mut server = Server {
        epoll,
        connections: Vec::new(),
        rooms: Vec::new(),
        names: HashMap::new(),
        dirty: Vec::new(),
        sending,
    };
    let mut events = Vec::with_capacity(EVENTS);
    let mut buffer = vec![0; READ_BYTES];
    loop {
        // Interrupted is as good as nothing to do.
        epoll::wait(&server.epoll, spare_capacity(&mut events), None).unwrap_or_default();
        for event in events.drain(..) {
            let (data, flags) = (event.data, event.flags);
            let number = data.u64();
            if number == door {
                server.accept(listener);
                continue;
            }
            let number = number as usize;
            if flags.contains(EventFlags::OUT) {
                server.writable(number);
            }
            if flags != EventFlags::OUT {
                server.readable(number, &mut buffer);
            }
        }
        for room in std::mem::take(&mut server.dirty) {
            server.flush(room);
        }
    }
}

impl Server {
    fn accept(&mut self, listener: &TcpListener) {
        while let Ok(socket) = rustix::net::accept_with(listener, SocketFlags::NONBLOCK) {
            sockopt::set_tcp_nodelay(&socket, true).expect("the socket is open");
            let number = socket.as_raw_fd() as usize;
            if self.connections.len() <= number {
                self.connections.resize_with(number + 1, || None);
            }
            epoll::add(&self.epoll, &socket, EventData::new_u64(number as u64), EventFlags::IN)
                .expect("the socket is new");
            let connection = Connection { socket, place: None, read: Vec::new(), unsent: Vec::new() };
            self.connections[number] = Some(Box::new(connection));
        }
    }

    fn close(&mut self, number: usize) {
        let Some(connection) = self.connections[number].take() else { return };
        let Some((room, place)) = connection.place else { return };
        let members = &mut self.rooms[room].members;
        members.swap_remove(place);
        if let Some(&moved) = members.get(place)
            && let Some(moved) = &mut self.connections[moved]
        {
            moved.place = Some((room, place));
        }
    }

    fn write(&mut self, number: usize, bytes: &[u8]) {
        let Some(connection) = &mut self.connections[number] else { return };
        if !connection.unsent.is_empty() {
            return connection.unsent.extend(bytes);
        }
        let sent = match rustix::net::send(&connection.socket, bytes, SendFlags::NOSIGNAL) {
            Ok(sent) => sent,
            Err(Errno::AGAIN) => 0,
            // The read side sees it, too.
            Err(_) => return,
        };
        if sent < bytes.len() {
            connection.unsent.extend(&bytes[sent..]);
            watch(&self.epoll, &connection.socket, number, EventFlags::IN | EventFlags::OUT);
        }
    }

    fn writable(&mut self, number: usize) {
        let Some(connection) = &mut self.connections[number] else { return };
        let sent = rustix::net::send(&connection.socket, &connection.unsent, SendFlags::NOSIGNAL);
        connection.unsent.drain(..sent.unwrap_or_default());
        if connection.unsent.is_empty() {
            watch(&self.epoll, &connection.socket, number, EventFlags::IN);
        }
    }

    /// Sends what is pending to everybody in the room.
    fn flush(&mut self, room: usize) {
        let mut pending = std::mem::take(&mut self.rooms[room].pending);
        for place in 0..self.rooms[room].members.len() {
            self.write(self.rooms[room].members[place], &pending);
        }
        pending.clear();
        self.rooms[room].pending = pending;
    }

    fn readable(&mut self, number: usize, buffer: &mut [u8]) {
        let Some(connection) = &mut self.connections[number] else { return };
        let length = match rustix::net::recv(&connection.socket, &mut *buffer, RecvFlags::empty()) {
            Ok((length @ 1.., _)) => length,
            Err(Errno::AGAIN) => return,
            _ => return self.close(number),
        };
        let mut read = std::mem::take(&mut connection.read);
        read.extend(&buffer[..length]);
        let used = match connection.place {
            Some((room, _)) => self.frames(number, room, &mut read),
            None => self.handshake(number, &read),
        };
        read.drain(..used);
        if !read.is_empty()
            && let Some(connection) = &mut self.connections[number]
        {
            connection.read = read;
        }
    }

    /// Answers a request that is whole; gives how many bytes were used.
    fn handshake(&mut self, number: usize, request: &[u8]) -> usize {
        let Some(end) = find(request, b"\r\n\r\n") else { return 0 };
        let name = request.split(|&byte| byte == b'/').nth(3).unwrap_or_default().to_vec();
        let Some(key) = find(&request[..end], KEY).map(|at| &request[at + KEY.len()..][..KEY_LEN]) else {
            self.close(number);
            return request.len();
        };
        let accept = derive_accept_key(key);
        let response = format!(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Accept: {accept}\r\n\r\n"
        );
        let next = self.rooms.len();
        let room = *self.names.entry(name).or_insert(next);
        if room == next {
            self.rooms.push(Room::default());
        }
        let members = &mut self.rooms[room].members;
        if let Some(connection) = &mut self.connections[number] {
            connection.place = Some((room, members.len()));
            members.push(number);
        }
        self.write(number, response.as_bytes());
        end + 4
    }

    /// Takes the frames that are whole; gives how many bytes those are.
    fn frames(&mut self, number: usize, room: usize, bytes: &mut [u8]) -> usize {
        let mut at = 0;
        while let Some((opcode, head, length)) = head(&bytes[at..])
            && bytes.len() >= at + head + length
        {
            let (head, payload) = bytes[at..at + head + length].split_at_mut(head);
            let key: [u8; 4] = head.last_chunk().copied().unwrap_or_default();
            for (place, byte) in payload.iter_mut().enumerate() {
                *byte ^= key[place & 3];
            }
            match opcode {
                1 if length > 0 => self.say(room, &payload[..length - 1]),
                8 => {
                    self.close(number);
                    return bytes.len();
                }
                9 => self.write(number, &[&[0x8A, length as u8], &*payload].concat()),
                _ => {}
            }
            at += head.len() + length;
        }
        at
    }

    /// Lets a room hear a frame, of which the closing brace is missing.
    fn say(&mut self, room: usize, text: &[u8]) {
        let pending = &mut self.rooms[room].pending;
        if pending.is_empty() {
            self.dirty.push(room);
        }
        let length = text.len() + TAIL.len();
        if length < 126 {
            pending.extend([0x81, length as u8]);
        } else {
            pending.extend([0x81, 126, (length >> 8) as u8, length as u8]);
        }
        pending.extend(text);
        pending.extend(TAIL);
        if self.sending == Sending::AtOnce {
            self.flush(room);
            self.dirty.clear();
        }
    }
}

/// The opcode of a masked frame, the length of its head and of its payload.
fn head(bytes: &[u8]) -> Option<(u8, usize, usize)> {
    let (&first, &second) = (bytes.first()?, bytes.get(1)?);
    let (head, length) = match second & 0x7F {
        126 => (4, u16::from_be_bytes(*bytes.get(2..)?.first_chunk()?) as usize),
        short => (2, short as usize),
    };
    Some((first & 0x0F, head + 4, length))
}

fn watch(epoll: &OwnedFd, socket: &impl AsFd, number: usize, interest: EventFlags) {
    // A socket that is gone is closed by the read side.
    let _ = epoll::modify(epoll, socket, EventData::new_u64(number as u64), interest);
}
