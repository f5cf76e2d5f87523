//! What the server counts and times, for whoever watches over it.
//!
//! What happens for every delivery is counted by the connections themselves, under the lock that they take anyway; whoever
//! asks for the figures goes round and adds up. What happens for every message or connection is counted here.

mod bridge;
mod clients;
mod histogram;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use chat_core::{Observer, Outcome};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::prometheus_text;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

use crate::connection::{Client, End};
pub(crate) use bridge::{Dropped, Drops};
pub(crate) use clients::Tally;
use clients::{Clients, Connected};

/// The figures of a server. Clones are the same figures.
///
/// To be given to a [`GatewayConfig`](crate::GatewayConfig), and as the
/// [observer](chat_core::ServiceConfig::observer) to the service that stands behind the gateway.
#[derive(Clone)]
pub struct Metrics(Arc<Figures>);

struct Figures {
    registry: Registry,
    clients: Arc<Clients>,
    opened: Counter,
    ended: Family<Reason, Counter>,
    received_frames: Counter,
    received_bytes: Counter,
    stored: Counter,
    not_stored: Counter,
    storing: Histogram,
    delivering: Histogram,
    confirming: Histogram,
    drops: Drops,
}

/// Why connections ended.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Reason {
    reason: &'static str,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("chat");
        let clients = Arc::new(Clients::default());
        registry.register_collector(Box::new(Arc::clone(&clients)));
        let mut figures = Figures {
            registry: Registry::default(),
            clients,
            opened: Counter::default(),
            ended: Family::default(),
            received_frames: Counter::default(),
            received_bytes: Counter::default(),
            stored: Counter::default(),
            not_stored: Counter::default(),
            storing: histogram::new(),
            delivering: histogram::new(),
            confirming: histogram::new(),
            drops: Drops::default(),
        };
        figures.register(registry);
        Self(Arc::new(figures))
    }
}

impl Figures {
    fn register(&mut self, mut registry: Registry) {
        let counters = [
            ("connections_opened", "Connections that were opened", &self.opened),
            ("received_frames", "Frames that clients have sent", &self.received_frames),
            ("messages_stored", "Messages that were stored", &self.stored),
            ("messages_not_stored", "Messages that could not be stored", &self.not_stored),
        ];
        for (name, help, counter) in counters {
            registry.register(name, help, counter.clone());
        }
        let help = "Bytes of the frames that clients have sent";
        registry.register_with_unit("received", help, Unit::Bytes, self.received_bytes.clone());
        registry.register("connections_ended", "Connections that have ended, and why", self.ended.clone());
        let histograms = [
            ("storage", "Time that a transaction with messages takes", &self.storing),
            ("fan_out", "Time until everybody on this node has been sent what was stored", &self.delivering),
            ("confirmation", "Time from a message to its confirmation", &self.confirming),
        ];
        for (name, help, histogram) in histograms {
            registry.register_with_unit(name, help, Unit::Seconds, histogram.clone());
        }
        self.drops.register(&mut registry);
        self.registry = registry;
    }
}

impl Metrics {
    pub(crate) const CONTENT_TYPE: &str = prometheus_text::CONTENT_TYPE;

    /// All figures, in the text format of Prometheus.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut text = String::new();
        // Writing to a string does not fail.
        prometheus_text::encode(&mut text, &self.0.registry).unwrap_or_default();
        text
    }

    /// Counts a connection, as long as what this gives is kept.
    pub(crate) fn connect(&self, client: &Arc<Client>) -> Connected<'_> {
        self.0.opened.inc();
        self.0.clients.connect(client)
    }

    pub(crate) fn ended(&self, end: End) {
        self.0.ended.get_or_create(&Reason { reason: end.name() }).inc();
    }

    pub(crate) fn received(&self, bytes: usize) {
        self.0.received_frames.inc();
        self.0.received_bytes.inc_by(bytes as u64);
    }

    /// What counts for a bridge to Django Channels. From now on its figures are shown.
    pub(crate) fn bridge(&self) -> Drops {
        self.0.drops.show();
        self.0.drops.clone()
    }

    pub(crate) fn confirmed(&self, took: Duration) {
        self.0.confirming.observe(took.as_secs_f64());
    }
}

impl Observer for Metrics {
    fn stored(&self, messages: usize, outcome: Outcome, took: Duration) {
        let counter = match outcome {
            Outcome::Stored => &self.0.stored,
            Outcome::Failed => &self.0.not_stored,
        };
        counter.inc_by(messages as u64);
        self.0.storing.observe(took.as_secs_f64());
    }

    fn delivered(&self, _: usize, took: Duration) {
        self.0.delivering.observe(took.as_secs_f64());
    }
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metrics").finish_non_exhaustive()
    }
}
