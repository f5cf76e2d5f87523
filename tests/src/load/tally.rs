//! What came, of what was sent, and in which order.

use std::cmp::Ordering;

use super::clock::Nanos;
use super::histogram::Histogram;
use super::mark::{Mark, Marks};
use super::plan::Plan;

/// Counts of deliveries. A delivery is one message on one connection.
#[derive(Debug, Default)]
pub(super) struct Tally {
    marks: Marks,
    rooms: usize,
    /// Of each connection: the number of the newest message it has had.
    newest: Vec<u64>,
    /// Messages that count for loss and latency are those to be sent from here …
    pub(super) from: Nanos,
    /// … to here.
    pub(super) to: Nanos,
    /// Deliveries since the last reset, whenever they were sent.
    pub(super) received: u64,
    /// Deliveries of messages that count.
    pub(super) counted: u64,
    /// Deliveries after those of a later message of the same sender.
    pub(super) out_of_order: u64,
    /// Messages that came to a connection more than once.
    pub(super) repeated: u64,
    /// Messages that came to a connection of another room.
    pub(super) strayed: u64,
    /// How long deliveries of messages that count took.
    pub(super) latency: Histogram,
    /// Senders who have their own message back.
    pub(super) echoed: Vec<usize>,
}

impl Tally {
    /// Nothing yet.
    #[must_use]
    pub(super) fn new(plan: &Plan) -> Self {
        Self { rooms: plan.rooms, newest: vec![0; plan.connections], ..Self::default() }
    }

    /// Begins anew; from now on messages count that are to be sent in this time.
    pub(super) fn reset(&mut self, from: Nanos, to: Nanos) {
        let Self { marks, rooms, newest, .. } = std::mem::take(self);
        *self = Self { marks, rooms, newest, from, to, ..Self::default() };
    }

    /// Counts what a connection was sent.
    pub(super) fn count(&mut self, connection: usize, frame: &[u8], when: Nanos) {
        let Self { marks, rooms, newest, .. } = self;
        for Mark { sent_at, sender, number } in marks.of(frame) {
            // The sender of a room has the number of the room.
            if sender != connection % *rooms {
                self.strayed += 1;
                continue;
            }
            let newest = &mut newest[connection];
            match number.cmp(newest) {
                Ordering::Greater => *newest = number,
                Ordering::Equal => {
                    self.repeated += 1;
                    continue;
                }
                Ordering::Less => self.out_of_order += 1,
            }
            self.received += 1;
            if (self.from..self.to).contains(&sent_at) {
                self.counted += 1;
                self.latency.add(when.saturating_sub(sent_at));
            }
            if connection == sender {
                self.echoed.push(sender);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::{Ipv4Addr, SocketAddrV4};

    fn frame(numbers: &[u64], sender: usize) -> Vec<u8> {
        let marks = numbers.iter().map(|&number| Mark { sent_at: 10, sender, number }.to_string());
        marks.collect::<String>().into_bytes()
    }

    #[test]
    fn what_is_wrong_is_told_apart() {
        let mut tally = Tally::new(&Plan::guests(SocketAddrV4::new(Ipv4Addr::LOCALHOST, 1), 2, 4));
        tally.reset(10, 11);
        tally.count(3, &frame(&[1, 3, 3, 2], 1), 15);
        tally.count(2, &frame(&[4], 1), 15);
        assert_eq!((tally.received, tally.counted), (3, 3));
        assert_eq!((tally.out_of_order, tally.repeated, tally.strayed), (1, 1, 1));
        assert_eq!(tally.latency.max(), 5);
        tally.reset(20, 30);
        tally.count(1, &frame(&[4], 1), 25);
        assert_eq!((tally.received, tally.counted), (1, 0));
    }
}
