//! How long it takes until a room of 500 has heard a message: from the service on, with everything in memory.
//!
//! The clients encode as those of a server do, each event once for each format, and keep nothing.

#![allow(clippy::unwrap_used, reason = "what cannot be set up has no time")]

use std::hint::black_box;
use std::sync::Arc;

use bytes::Bytes;
use chat_core::memory::{LocalChannelLayer, MemoryStorage};
use chat_core::{
    Arrival, ChatService, Delivery, Format, Identity, ServiceConfig, Session, Target, Transport,
};
use chat_protocol::{Command, Dialect, EncodeContext, Limits, MessageText, RoomName, SendMessage, Timestamp};
use criterion::{Criterion, Throughput};
use tokio::runtime::Runtime;

const SUBSCRIBERS: usize = 500;

/// A client that lets the event be encoded, and drops what it gets.
#[derive(Debug)]
struct Sink(Dialect);

impl Transport for Sink {
    fn deliver(&self, delivery: &Delivery<'_>) {
        let encoded = delivery.encoded(Format(self.0 as u128), |event| {
            self.0.encode_event(event, &EncodeContext::default()).map(Bytes::from)
        });
        black_box(encoded);
    }
}

/// A room with so many in it, who speak these dialects in turn. The first talks.
async fn room(subscribers: usize, dialects: &[Dialect]) -> Vec<Session> {
    let clock = || Timestamp::from_micros(1_759_460_400_000_000).unwrap();
    let config = ServiceConfig::default();
    let (service, driver) = ChatService::new(MemoryStorage::new(), LocalChannelLayer::new(), clock, config);
    #[expect(clippy::disallowed_methods, reason = "here the service is embedded")]
    tokio::spawn(driver.run());
    let mut sessions = Vec::new();
    for dialect in dialects.iter().cycle().take(subscribers) {
        let arrival = Arrival {
            identity: Identity::Guest { name: None },
            target: Target::Room(RoomName::new("lobby").unwrap().into()),
            behavior: Some(dialect.behavior()),
            transport: Arc::new(Sink(*dialect)),
        };
        sessions.push(service.connect(arrival).await.unwrap());
    }
    sessions
}

fn send() -> Command {
    let text = MessageText::new("Shall we meet at noon?", &Limits::default()).unwrap();
    Command::SendMessage(SendMessage { room: None, text, claimed_sender: None, client_id: None })
}

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    let runtime = Runtime::new().unwrap();
    let mut group = criterion.benchmark_group("send");
    for (name, subscribers, dialects) in [
        ("to nobody else", 1, &[Dialect::Plain][..]),
        ("to 500", SUBSCRIBERS, &[Dialect::Plain]),
        ("to 500 in five dialects", SUBSCRIBERS, Dialect::ALL),
    ] {
        let sessions = runtime.block_on(room(subscribers, dialects));
        let sender = sessions.first().unwrap();
        group.throughput(Throughput::Elements(subscribers as u64));
        group.bench_function(name, |bencher| {
            bencher.iter(|| runtime.block_on(sender.handle(send())).unwrap());
        });
        // Sessions say good-bye on the runtime.
        let _entered = runtime.enter();
        drop(sessions);
    }
    group.finish();
    criterion.final_summary();
}
