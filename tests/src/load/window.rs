//! A stretch of time in which a crowd talks at a steady rate, and what that cost.

use serde::Serialize;

use super::clock::{Nanos, SECOND, micros, now, seconds};
use super::crowd::Crowd;
use super::histogram::Histogram;
use super::process::{Process, machine_busy};

/// How long deliveries may take that are still under way when the time is over, while none comes.
const SILENCE: Nanos = SECOND;

/// At which rate, and for how long.
#[derive(Debug, Clone, Copy)]
pub struct Talk {
    /// Messages a second, from each sender.
    pub rate: f64,
    /// There are at most so many senders, each in a room of their own.
    pub senders: usize,
    /// Seconds before what counts.
    pub warm_up: f64,
    /// Seconds that count.
    pub lasting: f64,
    /// Most seconds in which what is still under way may come.
    pub drain: f64,
}

/// What was measured.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Window {
    /// Messages a second, from each sender.
    pub rate: f64,
    /// Messages that were sent.
    pub sent: u64,
    /// Deliveries a second that would have been everything.
    pub offered_per_s: f64,
    /// Deliveries a second within the time.
    pub deliveries_per_s: f64,
    /// CPU time of the server for each delivery, in µs.
    pub cpu_us: f64,
    /// CPU time of the server, 100 being one core.
    pub server_pct: f64,
    /// CPU time of the load generator.
    pub generator_pct: f64,
    /// CPU time of everything else on the machine: what figures are to be judged by.
    pub other_pct: f64,
    /// Latency from the time a message was to be sent, in µs: of half of the deliveries.
    pub p50_us: f64,
    /// Of 99 of a hundred.
    pub p99_us: f64,
    /// Of all.
    pub max_us: f64,
    /// Of 99 of a hundred messages: how late they were sent, in µs.
    pub late_p99_us: f64,
    /// Deliveries that never came.
    pub lost: i64,
    /// Deliveries after those of a later message of the same sender.
    pub out_of_order: u64,
    /// Messages that came to a connection more than once.
    pub repeated: u64,
    /// Messages that came to a connection of another room.
    pub strayed: u64,
}

impl Window {
    /// Whether everything came, once, in order, to whom it was meant for.
    #[must_use]
    pub const fn is_whole(&self) -> bool {
        self.lost == 0 && self.out_of_order == 0 && self.repeated == 0 && self.strayed == 0
    }
}

/// The clocks, read at one moment.
#[derive(Debug, Clone, Copy)]
struct Clocks {
    time: Nanos,
    server: Nanos,
    generator: Nanos,
    machine: Nanos,
}

impl Clocks {
    fn read(server: Process) -> Self {
        Self { time: now(), server: server.cpu(), generator: Process::this().cpu(), machine: machine_busy() }
    }
}

impl Crowd {
    /// Talks at a steady rate, whether or not the server follows.
    pub fn talk(&mut self, talk: Talk) -> Window {
        self.send_for(talk, now(), talk.warm_up);
        let begin = Clocks::read(self.server);
        self.tally.reset(begin.time, begin.time + seconds(talk.lasting));
        let Sending { sent, expected, late } = self.send_for(talk, begin.time, talk.lasting);
        let end = Clocks::read(self.server);
        let received = self.tally.received;
        self.drain(expected, talk.drain);

        let lasted = (end.time - begin.time) as f64;
        let percent = |cpu: Nanos| cpu as f64 * 100.0 / lasted;
        let (server, generator) = (end.server - begin.server, end.generator - begin.generator);
        let tally = &self.tally;
        Window {
            rate: talk.rate,
            sent,
            offered_per_s: expected as f64 * SECOND as f64 / lasted,
            deliveries_per_s: received as f64 * SECOND as f64 / lasted,
            cpu_us: micros(server) / received.max(1) as f64,
            server_pct: percent(server),
            generator_pct: percent(generator),
            other_pct: percent((end.machine - begin.machine).saturating_sub(server + generator)),
            p50_us: micros(tally.latency.quantile(0.5)),
            p99_us: micros(tally.latency.quantile(0.99)),
            max_us: micros(tally.latency.max()),
            late_p99_us: micros(late.quantile(0.99)),
            lost: expected.cast_signed() - tally.counted.cast_signed(),
            out_of_order: tally.out_of_order,
            repeated: tally.repeated,
            strayed: tally.strayed,
        }
    }

    /// Waits until everything has come, or nothing comes any more.
    fn drain(&mut self, expected: u64, most: f64) {
        let (end, mut heard, mut heard_at) = (now() + seconds(most), self.tally.received, now());
        while self.tally.counted < expected && now() < end && now() - heard_at < SILENCE {
            self.poll(now() + SECOND / 50);
            if self.tally.received > heard {
                (heard, heard_at) = (self.tally.received, now());
            }
        }
    }

    /// Waits until what a server is behind with has come.
    pub fn quiesce(&mut self, most: f64) {
        self.drain(u64::MAX, most);
    }

    /// Every sender sends at this rate from `begin` on, each message at its time; what is late is sent at once.
    fn send_for(&mut self, talk: Talk, begin: Nanos, lasting: f64) -> Sending {
        let senders = self.plan.rooms.min(talk.senders);
        let gap = SECOND as f64 / (talk.rate * senders as f64);
        let end = begin + seconds(lasting);
        let mut sending = Sending::default();
        for number in 0_u32.. {
            let due = begin + seconds(f64::from(number) * gap / SECOND as f64);
            if due >= end {
                break;
            }
            while now() < due {
                self.poll(due);
            }
            // However far behind, what came must be read, or everything is stuck.
            if number % 64 == 63 {
                self.poll(0);
            }
            if now() >= end {
                break;
            }
            sending.late.add(now() - due);
            sending.expected += self.send(number as usize % senders, due);
            sending.sent += 1;
            self.tally.echoed.clear();
        }
        while now() < end {
            self.poll(end);
        }
        sending
    }
}

/// What was sent.
#[derive(Debug, Default)]
struct Sending {
    sent: u64,
    /// How many deliveries it should come to.
    expected: u64,
    late: Histogram,
}
