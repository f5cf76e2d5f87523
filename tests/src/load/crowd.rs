//! A crowd that is connected, and what it cost the server to get there.

use serde::Serialize;

use super::clock::{Nanos, SECOND, micros, now, seconds};
use super::frame::Kind;
use super::histogram::Histogram;
use super::mark::Mark;
use super::plan::{Plan, message};
use super::process::Process;
use super::sockets::{Happening, Sockets, State};
use super::tally::Tally;

/// For how long no handshake may come to its end before the rest is given up.
const PATIENCE: Nanos = 20 * SECOND;

/// What a crowd's arrival cost.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Arrival {
    /// How many are connected.
    pub connected: usize,
    /// How many handshakes were done in a second.
    pub per_second: f64,
    /// CPU time of the server for each, in µs.
    pub cpu_us: f64,
    /// Half of them took no longer, in µs.
    pub p50_us: f64,
    /// Of a hundred, 99 took no longer, in µs.
    pub p99_us: f64,
    /// How much memory the server took before, in bytes.
    pub resident_before: u64,
}

/// Clients that are connected.
#[derive(Debug)]
pub struct Crowd {
    pub(super) plan: Plan,
    pub(super) server: Process,
    pub(super) sockets: Sockets,
    pub(super) tally: Tally,
    /// Of each room: how many are in it.
    members: Vec<u64>,
    /// Of each sender: how many messages they have sent.
    sent: Vec<u64>,
}

/// A crowd that could not be gathered.
#[derive(Debug, thiserror::Error)]
#[error("{missing} of {all} connections did not come to be; the first: {first_error}")]
pub struct Ungathered {
    missing: usize,
    all: usize,
    first_error: String,
}

impl Crowd {
    /// Connects everybody. It is this server whose costs are told.
    ///
    /// # Errors
    ///
    /// [`Ungathered`] where some do not get in.
    pub fn gather(plan: Plan, server: Process) -> Result<(Self, Arrival), Ungathered> {
        let (cpu, resident_before, begin) = (server.cpu(), server.resident(), now());
        let mut this = Self {
            server,
            sockets: Sockets::new(plan.waiting),
            tally: Tally::new(&plan),
            members: vec![0; plan.rooms],
            sent: vec![0; plan.rooms],
            plan,
        };
        let took = this.connect_all()?;
        let connected = this.plan.connections;
        let arrival = Arrival {
            connected,
            per_second: connected as f64 * SECOND as f64 / (now() - begin) as f64,
            cpu_us: micros(server.cpu() - cpu) / connected as f64,
            p50_us: micros(took.quantile(0.5)),
            p99_us: micros(took.quantile(0.99)),
            resident_before,
        };
        Ok((this, arrival))
    }

    fn connect_all(&mut self) -> Result<Histogram, Ungathered> {
        let all = self.plan.connections;
        let (mut took, mut ended, mut patient_until) = (Histogram::default(), 0, now() + PATIENCE);
        let mut opened = 0;
        while opened + ended < all && now() < patient_until {
            while self.sockets.begun() < all.min(opened + ended + self.plan.handshakes) {
                let connection = self.sockets.begun();
                self.sockets.connect(self.plan.server_of(connection), self.plan.request(connection));
            }
            let Self { plan, sockets, members, .. } = self;
            sockets.poll(patient_until, |connection, happening, when| match happening {
                Happening::Opened(lasted) => {
                    took.add(lasted);
                    members[plan.room_of(connection)] += 1;
                    opened += 1;
                    patient_until = when + PATIENCE;
                }
                Happening::Text(_) => {}
                Happening::Closed => ended += 1,
            });
        }
        if opened == all {
            return Ok(took);
        }
        let first_error = self.sockets.first_error().unwrap_or("no answer").to_owned();
        Err(Ungathered { missing: all - opened, all, first_error })
    }

    /// Listens until this moment, or until something was heard.
    pub(super) fn poll(&mut self, until: Nanos) {
        let Self { plan, sockets, tally, members, .. } = self;
        sockets.poll(until, |connection, happening, when| match happening {
            Happening::Text(frame) => tally.count(connection, frame, when),
            Happening::Opened(_) => {}
            Happening::Closed => members[plan.room_of(connection)] -= 1,
        });
    }

    /// Listens for so many seconds.
    pub fn wait(&mut self, lasting: f64) {
        let end = now() + seconds(lasting);
        while now() < end {
            self.poll(end);
        }
    }

    /// Sends a message to a room; gives how many should hear it.
    pub(super) fn send(&mut self, room: usize, sent_at: Nanos) -> u64 {
        // The first connections are the senders, one in each room.
        if self.sockets.state(room) != State::Open {
            return 0;
        }
        self.sent[room] += 1;
        let mark = Mark { sent_at, sender: room, number: self.sent[room] };
        self.sockets.send(room, Kind::Text, message(mark).as_bytes());
        self.members[room]
    }

    /// How many connections there are now.
    #[must_use]
    pub fn connected(&self) -> u64 {
        self.members.iter().sum()
    }

    /// What went wrong first, where something did.
    #[must_use]
    pub fn first_error(&self) -> Option<&str> {
        self.sockets.first_error()
    }
}
