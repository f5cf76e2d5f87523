//! The connections that are open, and what was sent on those and on those that were.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use chat_protocol::Dialect;
use parking_lot::Mutex;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Unit;

use crate::connection::Client;

/// What a client was sent, and what waits for it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    /// Frames, those that wait among them.
    pub(crate) frames: u64,
    /// Their bytes.
    pub(crate) bytes: u64,
    /// Bytes that wait.
    pub(crate) waiting: u64,
}

impl Tally {
    fn add(&mut self, other: Self) {
        self.frames += other.frames;
        self.bytes += other.bytes;
        self.waiting += other.waiting;
    }
}

/// All connections.
#[derive(Debug, Default)]
pub(crate) struct Clients(Mutex<List>);

#[derive(Debug, Default)]
struct List {
    /// Each connection has a place, as long as it is open.
    places: Vec<Option<Arc<Client>>>,
    free: Vec<usize>,
    /// What was sent on connections that have ended.
    past: Tally,
}

/// An open connection. Dropped, it counts as ended.
#[derive(Debug)]
pub(crate) struct Connected<'a> {
    clients: &'a Clients,
    place: usize,
}

impl Clients {
    /// Counts a connection as open.
    pub(crate) fn connect(&self, client: &Arc<Client>) -> Connected<'_> {
        let client = Some(Arc::clone(client));
        let mut list = self.0.lock();
        let place = list.free.pop().unwrap_or(list.places.len());
        match list.places.get_mut(place) {
            Some(free) => *free = client,
            None => list.places.push(client),
        }
        Connected { clients: self, place }
    }

    /// How many connections speak each dialect, and what was sent on all of them and on those that were.
    fn count(&self) -> (BTreeMap<&'static str, u64>, Tally) {
        let kinds = Dialect::ALL.iter().map(|dialect| dialect.name()).chain([UNDECIDED]);
        let mut open: BTreeMap<_, _> = kinds.map(|kind| (kind, 0)).collect();
        let list = self.0.lock();
        let mut sent = list.past;
        for client in list.places.iter().flatten() {
            let kind = client.dialect().map_or(UNDECIDED, Dialect::name);
            *open.entry(kind).or_default() += 1;
            sent.add(client.tally());
        }
        (open, sent)
    }
}

impl Drop for Connected<'_> {
    fn drop(&mut self) {
        let mut list = self.clients.0.lock();
        let Some(client) = list.places.get_mut(self.place).and_then(Option::take) else { return };
        list.free.push(self.place);
        // What waits now, waits for ever.
        list.past.add(Tally { waiting: 0, ..client.tally() });
    }
}

/// A connection whose dialect has not shown yet.
const UNDECIDED: &str = "undecided";

impl Collector for Clients {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let (open, Tally { frames, bytes, waiting }) = self.count();
        let help = "Connections that are open, by what they speak";
        let mut family = encoder.encode_descriptor("connections", help, None, MetricType::Gauge)?;
        for (kind, count) in open {
            ConstGauge::new(count).encode(family.encode_family(&[("dialect", kind)])?)?;
        }
        let help = "Frames that were sent to clients: deliveries, answers and pings";
        let counter = encoder.encode_descriptor("sent_frames", help, None, MetricType::Counter)?;
        ConstCounter::new(frames).encode(counter)?;
        let (help, unit) = ("Bytes of the frames that were sent to clients", Some(&Unit::Bytes));
        ConstCounter::new(bytes).encode(encoder.encode_descriptor(
            "sent",
            help,
            unit,
            MetricType::Counter,
        )?)?;
        let help = "Bytes that wait to be sent to clients";
        ConstGauge::new(waiting).encode(encoder.encode_descriptor("queue", help, unit, MetricType::Gauge)?)
    }
}
