//! How long it takes until 100 rooms of 50 have heard a message each: with one thread, and with two. Everything is in
//! memory, and a client takes as long as a socket does.

#![allow(clippy::unwrap_used, reason = "what cannot be set up has no time")]

use std::sync::Arc;
use std::time::Duration;

use chat_core::memory::{LocalChannelLayer, MemoryStorage};
use chat_core::{Arrival, ChatService, Delivery, Identity, ServiceConfig, Session, Target, Transport};
use chat_protocol::{Command, Limits, MessageText, RoomName, SendMessage, Timestamp};
use criterion::{Criterion, Throughput};
use futures::future::join_all;
use tokio::runtime;
use tokio::time::Instant;

const ROOMS: usize = 100;
const MEMBERS: usize = 50;

/// What a `send()` takes, more or less.
const SEND: Duration = Duration::from_micros(2);

#[derive(Debug)]
struct Socket;

impl Transport for Socket {
    fn deliver(&self, _: &Delivery<'_>) {
        let begun = Instant::now();
        while begun.elapsed() < SEND {}
    }
}

/// Rooms full of people. The first of each talks.
async fn rooms() -> Vec<Arc<Vec<Session>>> {
    let clock = || Timestamp::from_micros(1_759_460_400_000_000).unwrap();
    let config = ServiceConfig::default();
    let (service, driver) = ChatService::new(MemoryStorage::new(), LocalChannelLayer::new(), clock, config);
    #[expect(clippy::disallowed_methods, reason = "here the service is embedded")]
    {
        tokio::spawn(driver.run());
        tokio::spawn(service.courier().run());
    }
    let mut rooms = Vec::new();
    for number in 0..ROOMS {
        let arrivals = (0..MEMBERS).map(|_| {
            service.connect(Arrival {
                identity: Identity::Guest { name: None },
                target: Target::Room(RoomName::new(&format!("r{number}")).unwrap().into()),
                behavior: None,
                transport: Arc::new(Socket),
            })
        });
        let sessions = join_all(arrivals).await.into_iter().map(Result::unwrap);
        rooms.push(Arc::new(sessions.collect()));
    }
    rooms
}

async fn talk(room: Arc<Vec<Session>>, messages: u64) {
    let text = MessageText::new("Shall we meet at noon?", &Limits::default()).unwrap();
    for _ in 0..messages {
        let send = SendMessage { room: None, text: text.clone(), claimed_sender: None, client_id: None };
        room.first().unwrap().handle(Command::SendMessage(send)).await.unwrap();
    }
}

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    let mut group = criterion.benchmark_group("100 rooms of 50");
    group.throughput(Throughput::Elements((ROOMS * MEMBERS) as u64));
    for threads in [1, 2] {
        let runtime =
            runtime::Builder::new_multi_thread().worker_threads(threads).enable_time().build().unwrap();
        let rooms = runtime.block_on(rooms());
        group.bench_function(format!("threads: {threads}"), |bencher| {
            bencher.iter_custom(|messages| {
                let begun = Instant::now();
                let talking = rooms.iter().map(|room| runtime.spawn(talk(Arc::clone(room), messages)));
                runtime.block_on(join_all(talking));
                begun.elapsed()
            });
        });
        // Sessions say good-bye on the runtime.
        let _entered = runtime.enter();
        drop(rooms);
    }
    group.finish();
    criterion.final_summary();
}
