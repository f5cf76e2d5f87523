//! The run itself: clients, a server, and what is done to it.

use std::path::PathBuf;
use std::time::Duration;

use chat_core::Storage;
use tokio::time::{sleep, timeout};

use super::clients::{Clients, Crowd, Habits, room};
use super::database::TestDatabase;
use super::history::{Event, Victim};
use super::instance::Instance;
use super::random::Random;
use super::recorder::Recorder;
use super::subscriber::Goals;
use crate::PATIENCE;
use crate::dialect::DIALECTS;

/// In one in so many cycles a subscriber comes that wants everything from the beginning.
const LATECOMERS: u64 = 8;

/// Most events from a start to a kill.
pub(super) const EVENTS: usize = 2000;

/// Most microseconds from the last of these events to the kill, so that kills do not all come right after a frame.
const MICROS: u64 = 10_000;

/// Messages that are read from the database at once.
const PAGE: u32 = 500;

/// What to do.
#[derive(Debug, Clone)]
pub struct Run {
    /// The program whose `serve` is the server.
    pub program: PathBuf,
    /// What happens meanwhile.
    pub course: Course,
    /// How many clients send.
    pub senders: u32,
    /// To how many rooms, in turns.
    pub rooms: u32,
    /// Settles the moments of kills and what is sent, as far as they depend on chance here.
    pub seed: u64,
}

/// What happens while clients talk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Course {
    /// The server, or its database, is killed so many times.
    Kills(u32),
    /// Nothing, until so many events are recorded: the server is as busy as its clients can make it.
    Load(usize),
}

impl Course {
    const fn habits(self) -> Habits {
        match self {
            Self::Kills(_) => Habits::RESTLESS,
            Self::Load(_) => Habits::BUSY,
        }
    }

    /// How many clients listen to so many rooms.
    fn subscribers(self, rooms: u32) -> u32 {
        match self {
            Self::Kills(_) => rooms + rooms / 2,
            // Each room has one of each dialect.
            Self::Load(_) => rooms * u32::try_from(DIALECTS.len()).expect("there are few"),
        }
    }
}

impl Run {
    /// Does it, and gives the history.
    pub async fn record(&self, database: &TestDatabase) -> Vec<Event> {
        let recorder = Recorder::new();
        let mut random = Random::new(self.seed);
        let crowd = Crowd {
            senders: self.senders,
            subscribers: self.course.subscribers(self.rooms),
            rooms: self.rooms,
            habits: self.course.habits(),
        };
        let mut clients = Clients::start(&crowd, 1, &recorder, &mut random);
        let mut server = self.start_server(database, &clients).await;
        let (kills, events) = match self.course {
            Course::Kills(kills) => (kills, EVENTS),
            Course::Load(events) => (0, events),
        };
        for (_, victim) in (0..kills).zip(database.victims().iter().cycle()) {
            if random.one_in(LATECOMERS) {
                let room = room(random.below(self.rooms.into()));
                clients.subscribe(room, random.pick(&DIALECTS), &crowd.habits, random.fork(), &recorder);
            }
            await_moment(&recorder, &mut random).await;
            recorder.record(Event::Killed { victim: *victim });
            match victim {
                Victim::Server => {
                    server.kill().await;
                    clients.tell(0, None);
                    server = self.start_server(database, &clients).await;
                }
                Victim::Database => {
                    database.kill().await;
                    database.restart().await;
                }
            }
        }
        // The last one gets its share of the load, however early the others were killed.
        for _ in 0..events.div_ceil(EVENTS) {
            await_events(&recorder, EVENTS).await;
        }
        clients.finish_sending().await;
        // Stopped, so that nothing is under way any more, not even of senders that have hung up.
        clients.tell(0, None);
        server.stop().await;
        let storage = database.open().await;
        server = self.start_server(database, &clients).await;
        clients.finish_hearing(newest(&*storage).await, &recorder).await;
        server.stop().await;
        record_stored(&*storage, &recorder).await;
        recorder.take()
    }

    async fn start_server(&self, database: &TestDatabase, clients: &Clients) -> Instance {
        let server = Instance::start(&self.program, &database.url()).await;
        clients.tell(0, Some(server.address()));
        server
    }
}

/// Waits for a moment that has nothing to do with what the server does just then.
pub(super) async fn await_moment(recorder: &Recorder, random: &mut Random) {
    await_events(recorder, 1 + random.index(EVENTS)).await;
    sleep(Duration::from_micros(random.below(MICROS))).await;
}

pub(super) async fn await_events(recorder: &Recorder, events: usize) {
    timeout(PATIENCE, recorder.wait_for_more(events)).await.expect("the load goes on");
}

pub(super) async fn newest(storage: &dyn Storage) -> Goals {
    let mut goals = Goals::new();
    for room in storage.rooms().await.expect("rooms can be read") {
        if let Some(newest) = storage.newest(room.id).await.expect("messages can be read") {
            goals.insert(room.name.as_str().to_owned(), newest.id.value());
        }
    }
    goals
}

pub(super) async fn record_stored(storage: &dyn Storage, recorder: &Recorder) {
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
