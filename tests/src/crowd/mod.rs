//! Many clients of the SDK that talk with each other while the servers come and go, and what each of them was told.

mod record;
mod talker;

use std::collections::BTreeMap;

use chat_client::{Dialect, MessageId};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::PATIENCE;
use record::Record;
pub use record::check;
use talker::Talker;

/// How many talk, and how much.
#[derive(Debug, Clone, Copy)]
pub struct Size {
    /// In so many rooms.
    pub rooms: usize,
    /// So many of each dialect in each room.
    pub of_each_dialect: usize,
    /// Each of them says so much.
    pub sends: usize,
}

/// Clients that talk.
#[derive(Debug)]
pub struct Crowd {
    talkers: JoinSet<Record>,
    total: usize,
    /// How much was confirmed by now.
    confirmed: watch::Sender<usize>,
    /// The newest message of each room, once everything is confirmed.
    goals: watch::Sender<Option<Goals>>,
    newest: watch::Sender<Goals>,
}

/// For each room, who said its newest messages: the newest of each person.
type Goals = BTreeMap<String, BTreeMap<String, MessageId>>;

impl Crowd {
    /// Lets them begin, on a server under this URL.
    #[must_use]
    pub fn start(url: &str, size: Size) -> Self {
        let mut crowd = Self {
            talkers: JoinSet::new(),
            total: 0,
            confirmed: watch::Sender::new(0),
            goals: watch::Sender::new(None),
            newest: watch::Sender::default(),
        };
        for room in 0..size.rooms {
            for &dialect in Dialect::ALL {
                for number in 0..size.of_each_dialect {
                    let slash = if dialect == Dialect::Remetente { "" } else { "/" };
                    let talker = Talker {
                        url: format!("{url}/ws/chat/room-{room}{slash}"),
                        room: format!("room-{room}"),
                        name: format!("{dialect}-{room}-{number}"),
                        dialect,
                        sends: size.sends,
                        confirmed: crowd.confirmed.clone(),
                        newest: crowd.newest.clone(),
                        goals: crowd.goals.subscribe(),
                    };
                    crowd.total += size.sends;
                    crowd.talkers.spawn(talker.run());
                }
            }
        }
        crowd
    }

    /// Waits until this part of all messages is confirmed, from 0 to 1.
    pub async fn reach(&self, part: f64) {
        #[expect(clippy::cast_precision_loss, reason = "the numbers are small")]
        let is_reached = |confirmed: &usize| *confirmed as f64 >= part * self.total as f64;
        let mut confirmed = self.confirmed.subscribe();
        let reached = timeout(PATIENCE, confirmed.wait_for(is_reached)).await;
        let _ = reached.expect("the talk goes on").expect("its sender is here");
    }

    /// Waits until everything is confirmed and everybody has heard everything; gives what they were told.
    pub async fn finish(mut self) -> Vec<Record> {
        self.reach(1.0).await;
        self.goals.send_replace(Some(self.newest.borrow().clone()));
        let mut records = Vec::new();
        let all = async {
            while let Some(record) = self.talkers.join_next().await {
                records.push(record.expect("no talker fails"));
            }
        };
        timeout(PATIENCE, all).await.expect("everybody hears everything");
        records
    }
}
