//! Requests that are answered: each connection asks again as soon as it has its answer.

use memchr::memmem;
use serde::Serialize;

use super::clock::{SECOND, micros, now, seconds};
use super::crowd::Crowd;
use super::frame::Kind;
use super::histogram::Histogram;
use super::sockets::Happening;

/// What is asked, and for how long.
#[derive(Debug, Clone, Copy)]
pub struct Questions {
    /// The frame.
    pub request: &'static str,
    /// What stands in an answer, and in no other frame.
    pub answer: &'static str,
    /// Seconds before what counts.
    pub warm_up: f64,
    /// Seconds that count.
    pub lasting: f64,
}

/// What the answers cost.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Answers {
    /// How many there were.
    pub count: u64,
    /// How many a second.
    pub per_second: f64,
    /// CPU time of the server for each, in µs.
    pub cpu_us: f64,
    /// Bytes of each.
    pub bytes: u64,
    /// Half of them took no longer, in µs.
    pub p50_us: f64,
    /// Of a hundred, 99 took no longer, in µs.
    pub p99_us: f64,
}

impl Crowd {
    /// Asks, from all connections.
    pub fn ask(&mut self, questions: Questions) -> Answers {
        let warm = self.ask_for(questions, questions.warm_up);
        drop(warm);
        let (cpu, begin) = (self.server.cpu(), now());
        let (count, bytes, took) = self.ask_for(questions, questions.lasting);
        Answers {
            count,
            per_second: count as f64 * SECOND as f64 / (now() - begin) as f64,
            cpu_us: micros(self.server.cpu() - cpu) / count.max(1) as f64,
            bytes: bytes / count.max(1),
            p50_us: micros(took.quantile(0.5)),
            p99_us: micros(took.quantile(0.99)),
        }
    }

    /// Asks until the time is over, and waits for the last answers; gives how many there were, their bytes, and their times.
    fn ask_for(&mut self, questions: Questions, lasting: f64) -> (u64, u64, Histogram) {
        let (mut count, mut bytes, mut took) = (0, 0, Histogram::default());
        let end = now() + seconds(lasting);
        let mut asked_at = vec![0; self.plan.connections];
        let mut idle: Vec<usize> = (0..self.plan.connections).collect();
        let mut waiting = 0_usize;
        while now() < end || waiting > 0 && now() < end + 10 * SECOND {
            if now() < end {
                for connection in idle.drain(..) {
                    asked_at[connection] = now();
                    self.sockets.send(connection, Kind::Text, questions.request.as_bytes());
                    waiting += 1;
                }
            }
            self.sockets.poll(now() + SECOND, |connection, happening, when| {
                let Happening::Text(frame) = happening else { return };
                if memmem::find(frame, questions.answer.as_bytes()).is_some() {
                    count += 1;
                    bytes += frame.len() as u64;
                    took.add(when - asked_at[connection]);
                    idle.push(connection);
                    waiting = waiting.saturating_sub(1);
                }
            });
        }
        (count, bytes, took)
    }
}
