//! A client that listens to a room, and comes back for what it missed.

use std::collections::BTreeMap;

use serde_json::Value;
use tokio::sync::watch;

use super::door::Door;
use super::history::Event;
use super::random::Random;
use super::recorder::Recorder;
use crate::dialect::{id_of, text_of};
use crate::socket::{Broken, Socket};

/// The newest message of each room, once nothing more is sent.
pub(super) type Goals = BTreeMap<String, i64>;

/// One subscriber.
#[derive(Debug)]
pub(super) struct Subscriber {
    pub(super) name: String,
    pub(super) room: String,
    pub(super) dialect: &'static str,
    pub(super) random: Random,
    pub(super) recorder: Recorder,
    pub(super) door: Door,
    pub(super) goals: watch::Receiver<Option<Goals>>,
    /// The newest message that it has heard; 0 before the first.
    pub(super) newest: i64,
    /// After one in so many messages it hangs up.
    pub(super) hangs_up: u64,
}

impl Subscriber {
    /// Listens until it has heard the newest message of its room.
    pub(super) async fn run(mut self) {
        loop {
            let since = self.newest;
            self.recorder.record(Event::Connected {
                subscriber: self.name.clone(),
                room: self.room.clone(),
                since,
            });
            let path = self.path();
            let Some(mut socket) = self.door.enter(&path).await else { return };
            if self.listen(&mut socket).await == Ok(()) {
                return;
            }
        }
    }

    fn path(&self) -> String {
        let Self { name, room, dialect, newest, .. } = self;
        match *dialect {
            "remetente" => format!("/ws/chat/{room}?user={name}&dialect={dialect}&since={newest}"),
            _ => format!("/ws/chat/{room}/?username={name}&dialect={dialect}&since={newest}"),
        }
    }

    /// Listens on one connection. Returns well when everything is heard.
    async fn listen(&mut self, socket: &mut Socket) -> Result<(), Broken> {
        while !self.has_heard_all() {
            tokio::select! {
                frame = socket.try_receive() => self.hear(&frame?)?,
                // Looked at again, whatever it is.
                _ = self.goals.changed() => {}
            }
        }
        Ok(())
    }

    fn has_heard_all(&self) -> bool {
        let goals = self.goals.borrow();
        goals.as_ref().is_some_and(|goals| goals.get(&self.room).is_none_or(|goal| self.newest >= *goal))
    }

    /// Notes what it is told, and hangs up now and then.
    fn hear(&mut self, frame: &Value) -> Result<(), Broken> {
        let Some(text) = text_of(self.dialect, frame) else { return Ok(()) };
        let message_id = id_of(frame);
        self.newest = self.newest.max(message_id);
        self.recorder.record(Event::Heard {
            subscriber: self.name.clone(),
            message_id,
            client_id: frame["client_id"].as_str().map(str::to_owned),
            text: text.to_owned(),
        });
        if self.random.one_in(self.hangs_up) { Err(Broken) } else { Ok(()) }
    }
}
