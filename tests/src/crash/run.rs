//! The run itself: clients, a server, and what is done to it.

use std::fmt::Display;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use chat_core::Storage;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::database::TestDatabase;
use super::door::Door;
use super::history::{Event, Victim};
use super::instance::Instance;
use super::random::Random;
use super::recorder::Recorder;
use super::sender::{Drafts, Order, Sender};
use super::subscriber::{Goals, Subscriber};
use crate::PATIENCE;
use crate::dialect::DIALECTS;

/// In one in so many cycles a subscriber comes that wants everything from the beginning.
const LATECOMERS: u64 = 8;

/// Most events from a start to a kill.
const EVENTS: usize = 2000;

/// Most microseconds from the last of these events to the kill, so that kills do not all come right after a frame.
const MICROS: u64 = 10_000;

/// Messages that are read from the database at once.
const PAGE: u32 = 500;

/// What to do.
#[derive(Debug, Clone)]
pub struct Run {
    /// The program whose `serve` is the server.
    pub program: PathBuf,
    /// How many times to kill.
    pub cycles: u32,
    /// How many clients send.
    pub senders: u32,
    /// To how many rooms, in turns.
    pub rooms: u32,
    /// Settles the moments of kills and what is sent, as far as they depend on chance here.
    pub seed: u64,
}

/// The clients, and what they are told.
#[derive(Debug)]
struct Clients {
    senders: JoinSet<()>,
    subscribers: JoinSet<()>,
    address: watch::Sender<Option<SocketAddr>>,
    order: watch::Sender<Order>,
    goals: watch::Sender<Option<Goals>>,
}

impl Run {
    /// Does it, and gives the history.
    pub async fn record(&self, database: &TestDatabase) -> Vec<Event> {
        let recorder = Recorder::new();
        let mut random = Random::new(self.seed);
        let mut clients = self.start_clients(&recorder, &mut random);
        let mut server = self.start_server(database, &clients).await;
        for (_, victim) in (0..self.cycles).zip(database.victims().iter().cycle()) {
            if random.one_in(LATECOMERS) {
                let room = room(random.below(self.rooms.into()));
                clients.subscribe(room, random.pick(&DIALECTS), random.fork(), &recorder);
            }
            await_moment(&recorder, &mut random).await;
            recorder.record(Event::Killed { victim: *victim });
            match victim {
                Victim::Server => {
                    server.kill().await;
                    clients.address.send_replace(None);
                    server = self.start_server(database, &clients).await;
                }
                Victim::Database => {
                    database.kill().await;
                    database.restart().await;
                }
            }
        }
        // The last one gets its share of the load, however early the others were killed.
        await_events(&recorder, EVENTS).await;
        clients.finish_sending().await;
        // Stopped, so that nothing is under way any more, not even of senders that have hung up.
        clients.address.send_replace(None);
        server.stop().await;
        let storage = database.open().await;
        server = self.start_server(database, &clients).await;
        clients.finish_hearing(newest(&*storage).await).await;
        server.stop().await;
        record_stored(&*storage, &recorder).await;
        recorder.take()
    }

    async fn start_server(&self, database: &TestDatabase, clients: &Clients) -> Instance {
        let server = Instance::start(&self.program, &database.url()).await;
        clients.address.send_replace(Some(server.address()));
        server
    }

    fn start_clients(&self, recorder: &Recorder, random: &mut Random) -> Clients {
        let mut clients = Clients {
            senders: JoinSet::new(),
            subscribers: JoinSet::new(),
            address: watch::Sender::new(None),
            order: watch::Sender::new(Order::GoOn),
            goals: watch::Sender::new(None),
        };
        for number in 0..self.rooms {
            let dialects = DIALECTS.into_iter().cycle().skip(number as usize % DIALECTS.len());
            // Every other room has a second subscriber, of another dialect.
            for dialect in dialects.take(1 + usize::from(number % 2 == 0)) {
                clients.subscribe(room(number), dialect, random.fork(), recorder);
            }
        }
        for number in 0..self.senders {
            let sender = Sender {
                name: format!("s{number}"),
                room: room(number % self.rooms),
                random: random.fork(),
                recorder: recorder.clone(),
                door: clients.door(),
                order: clients.order.subscribe(),
                drafts: Drafts::default(),
            };
            clients.senders.spawn(sender.run());
        }
        clients
    }
}

impl Clients {
    fn door(&self) -> Door {
        Door::new(self.address.subscribe())
    }

    fn subscribe(&mut self, room: String, dialect: &'static str, random: Random, recorder: &Recorder) {
        let subscriber = Subscriber {
            name: format!("{dialect}-{}", self.subscribers.len()),
            room,
            dialect,
            random,
            recorder: recorder.clone(),
            door: self.door(),
            goals: self.goals.subscribe(),
            newest: 0,
        };
        self.subscribers.spawn(subscriber.run());
    }

    /// Waits until everything that was sent is answered.
    async fn finish_sending(&mut self) {
        self.order.send_replace(Order::Finish);
        timeout(PATIENCE, join(&mut self.senders)).await.expect("all senders come to an end");
    }

    /// Waits until everybody has heard the newest message of their room.
    async fn finish_hearing(&mut self, goals: Goals) {
        self.goals.send_replace(Some(goals));
        // Whoever has not heard everything by then will not: the checker tells who that is.
        drop(timeout(PATIENCE, join(&mut self.subscribers)).await);
    }
}

async fn join(clients: &mut JoinSet<()>) {
    while let Some(ended) = clients.join_next().await {
        ended.expect("no client fails");
    }
}

fn room(number: impl Display) -> String {
    format!("r{number}")
}

/// Waits for a moment that has nothing to do with what the server does just then.
async fn await_moment(recorder: &Recorder, random: &mut Random) {
    await_events(recorder, 1 + random.index(EVENTS)).await;
    sleep(Duration::from_micros(random.below(MICROS))).await;
}

async fn await_events(recorder: &Recorder, events: usize) {
    timeout(PATIENCE, recorder.wait_for_more(events)).await.expect("the load goes on");
}

async fn newest(storage: &dyn Storage) -> Goals {
    let mut goals = Goals::new();
    for room in storage.rooms().await.expect("rooms can be read") {
        if let Some(newest) = storage.newest(room.id).await.expect("messages can be read") {
            goals.insert(room.name.as_str().to_owned(), newest.id.value());
        }
    }
    goals
}

async fn record_stored(storage: &dyn Storage, recorder: &Recorder) {
    for room in storage.rooms().await.expect("rooms can be read") {
        let mut before = None;
        loop {
            let page = storage.messages_before(room.id, before, PAGE).await.expect("messages can be read");
            let Some(oldest) = page.last() else { break };
            before = Some(oldest.seq);
            for message in page {
                recorder.record(Event::Stored {
                    room: room.name.as_str().to_owned(),
                    seq: message.seq.value(),
                    message_id: message.id.value(),
                    sender: message.sender.name.as_str().to_owned(),
                    client_id: message.client_id.map(|id| id.as_str().to_owned()),
                    text: (*message.text).to_owned(),
                });
            }
        }
    }
}
