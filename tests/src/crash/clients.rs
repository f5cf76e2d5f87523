//! The clients of a run, and what they are told.

use std::fmt::Display;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::door::Door;
use super::random::Random;
use super::recorder::Recorder;
use super::sender::{Drafts, Order, Sender};
use super::subscriber::{Goals, Subscriber};
use crate::PATIENCE;
use crate::dialect::DIALECTS;

/// How long it may take in all until everybody has heard everything, while there is always somebody who hears more. So
/// many messages may have come in so short a time that this takes much longer than any step.
const CATCHING_UP: Duration = Duration::from_mins(5);

/// How many clients there are.
#[derive(Debug)]
pub(super) struct Crowd {
    pub(super) senders: u32,
    pub(super) subscribers: u32,
    /// All of them go to the rooms in turns.
    pub(super) rooms: u32,
    pub(super) habits: Habits,
}

/// How clients behave.
#[derive(Debug, Clone, Copy)]
pub(super) struct Habits {
    /// Most messages that a sender has sent and not heard of.
    pub(super) window: usize,
    /// After one in so many messages a sender hangs up before it has heard what came of it: most of these are stored, and
    /// are sent again.
    pub(super) senders_hang_up: u64,
    /// After one in so many messages a subscriber hangs up and comes back, so that it is told what it missed while more is
    /// posted.
    pub(super) subscribers_hang_up: u64,
}

impl Habits {
    /// Of clients that come and go.
    pub(super) const RESTLESS: Self = Self { window: 4, senders_hang_up: 100, subscribers_hang_up: 30 };

    /// Of clients that stay, and say as much as they can.
    pub(super) const BUSY: Self = Self { window: 64, senders_hang_up: 20_000, subscribers_hang_up: 20_000 };
}

#[derive(Debug)]
pub(super) struct Clients {
    senders: JoinSet<()>,
    subscribers: JoinSet<()>,
    servers: Vec<watch::Sender<Option<SocketAddr>>>,
    doors: usize,
    order: watch::Sender<Order>,
    goals: watch::Sender<Option<Goals>>,
}

impl Clients {
    /// Starts clients of so many servers, which are not there yet.
    pub(super) fn start(crowd: &Crowd, servers: usize, recorder: &Recorder, random: &mut Random) -> Self {
        let Crowd { senders, subscribers, rooms, habits } = *crowd;
        let mut clients = Self {
            senders: JoinSet::new(),
            subscribers: JoinSet::new(),
            servers: (0..servers).map(|_| watch::Sender::new(None)).collect(),
            doors: 0,
            order: watch::Sender::new(Order::GoOn),
            goals: watch::Sender::new(None),
        };
        // Each time that all rooms have one more, in other dialects than before.
        let dialects = DIALECTS.into_iter().cycle();
        for number in 0..subscribers {
            let dialect = dialects.clone().nth((number + number / rooms) as usize % DIALECTS.len());
            let dialect = dialect.unwrap_or("typed");
            clients.subscribe(room(number % rooms), dialect, &habits, random.fork(), recorder);
        }
        for number in 0..senders {
            let sender = Sender {
                name: format!("s{number}"),
                room: room(number % rooms),
                random: random.fork(),
                recorder: recorder.clone(),
                door: clients.door(),
                order: clients.order.subscribe(),
                drafts: Drafts::default(),
                habits,
            };
            clients.senders.spawn(sender.run());
        }
        clients
    }

    /// A door for the next client; clients are spread over the servers.
    fn door(&mut self) -> Door {
        self.doors += 1;
        Door::new(self.servers.iter().map(watch::Sender::subscribe).collect(), self.doors)
    }

    /// Where a server is told to be.
    pub(super) fn server(&self, server: usize) -> watch::Receiver<Option<SocketAddr>> {
        self.servers[server].subscribe()
    }

    /// Tells where a server is.
    pub(super) fn tell(&self, server: usize, address: Option<SocketAddr>) {
        self.servers[server].send_replace(address);
    }

    pub(super) fn subscribe(
        &mut self,
        room: String,
        dialect: &'static str,
        habits: &Habits,
        random: Random,
        recorder: &Recorder,
    ) {
        let door = self.door();
        let subscriber = Subscriber {
            name: format!("{dialect}-{}", self.subscribers.len()),
            room,
            dialect,
            random,
            recorder: recorder.clone(),
            door,
            goals: self.goals.subscribe(),
            hangs_up: habits.subscribers_hang_up,
            newest: 0,
        };
        self.subscribers.spawn(subscriber.run());
    }

    /// Waits until everything that was sent is answered.
    pub(super) async fn finish_sending(&mut self) {
        self.order.send_replace(Order::Finish);
        timeout(PATIENCE, join(&mut self.senders)).await.expect("all senders come to an end");
    }

    /// Waits until everybody has heard the newest message of their room.
    pub(super) async fn finish_hearing(&mut self, goals: Goals, recorder: &Recorder) {
        self.goals.send_replace(Some(goals));
        let silence = async { while timeout(PATIENCE, recorder.wait_for_more(1)).await.is_ok() {} };
        // Whoever has not heard everything by then will not: the checker tells who that is.
        let hearing = async {
            tokio::select! {
                () = join(&mut self.subscribers) => {}
                () = silence => {}
            }
        };
        drop(timeout(CATCHING_UP, hearing).await);
    }
}

async fn join(clients: &mut JoinSet<()>) {
    while let Some(ended) = clients.join_next().await {
        ended.expect("no client fails");
    }
}

pub(super) fn room(number: impl Display) -> String {
    format!("r{number}")
}
