//! A client that sends, and sends again what it does not know to be stored.

use std::collections::VecDeque;

use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::time::timeout;

use super::clients::Habits;
use super::door::Door;
use super::history::Event;
use super::random::Random;
use super::recorder::Recorder;
use crate::PATIENCE;
use crate::socket::{Broken, Socket};

/// One in so many messages of which nobody knows what came of them is not sent again.
const ABANDONED: u64 = 20;

/// One in so many messages is one that the server must refuse.
const BLANK: u64 = 50;

/// Codes of refusals after which a message may be stored or not.
const UNSETTLED: [&str; 2] = ["unavailable", "shutting_down"];

/// What texts are made of: what dialects, JSON and databases could trip over.
const WORDS: [&str; 8] =
    ["noon", "Привет", "你好", "\u{1f600}", "\"quoted\"", "<b>&amp;</b>", "line\nbreak", "back\\slash'"];

/// What senders are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    /// To send more and more.
    GoOn,
    /// To bring to an end what they have begun.
    Finish,
}

/// One sender.
#[derive(Debug)]
pub(super) struct Sender {
    pub(super) name: String,
    pub(super) room: String,
    pub(super) random: Random,
    pub(super) recorder: Recorder,
    pub(super) door: Door,
    pub(super) order: watch::Receiver<Order>,
    pub(super) drafts: Drafts,
    pub(super) habits: Habits,
}

/// What a sender has to send.
#[derive(Debug, Default)]
pub(super) struct Drafts {
    made: u64,
    /// Sent on this connection and not answered.
    in_flight: VecDeque<Draft>,
    /// To be sent again.
    again: VecDeque<Draft>,
}

/// A message that is to be sent.
#[derive(Debug)]
struct Draft {
    client_id: String,
    text: String,
}

impl Sender {
    /// Sends until it is told to finish, and everything that it has not abandoned is answered.
    pub(super) async fn run(mut self) {
        let path = format!("/ws/chat/{}/?username={}&dialect=typed", self.room, self.name);
        while let Some(mut socket) = self.door.enter(&path).await {
            match self.talk(&mut socket).await {
                Ok(()) => return,
                Err(Broken) => self.take_stock(),
            }
        }
    }

    /// Sends on one connection. Returns well when there is nothing more to say.
    async fn talk(&mut self, socket: &mut Socket) -> Result<(), Broken> {
        loop {
            while self.drafts.in_flight.len() < self.habits.window
                && let Some(draft) = self.next_draft()
            {
                let Draft { client_id, text } = &draft;
                let frame = json!({"type": "chat_message", "message": text, "client_id": client_id});
                self.recorder.record(Event::Invoked {
                    sender: self.name.clone(),
                    room: self.room.clone(),
                    client_id: client_id.clone(),
                    text: text.clone(),
                });
                self.drafts.in_flight.push_back(draft);
                socket.try_send(&frame).await?;
                if self.random.one_in(self.habits.senders_hang_up) {
                    return Err(Broken);
                }
            }
            if self.drafts.in_flight.is_empty() {
                return Ok(());
            }
            let frame = timeout(PATIENCE, socket.try_receive()).await.expect("the server answers")?;
            self.hear(&frame)?;
        }
    }

    fn next_draft(&mut self) -> Option<Draft> {
        if let Some(draft) = self.drafts.again.pop_front() {
            return Some(draft);
        }
        if *self.order.borrow() == Order::Finish {
            return None;
        }
        self.drafts.made += 1;
        let client_id = format!("{}-{}", self.name, self.drafts.made);
        let text = if self.random.one_in(BLANK) { " ".to_owned() } else { self.make_text(&client_id) };
        Some(Draft { client_id, text })
    }

    fn make_text(&mut self, client_id: &str) -> String {
        let mut text = client_id.to_owned();
        for _ in 0..self.random.below(20) {
            let word = self.random.pick(&WORDS);
            text.extend([" ", word]);
        }
        text
    }

    /// Notes what the server says. Where that leaves open what came of a message, it breaks the connection off.
    fn hear(&mut self, frame: &Value) -> Result<(), Broken> {
        match (frame["type"].as_str(), frame["code"].as_str()) {
            (Some("message_sent"), _) => {
                let message_id = frame["message_id"].as_i64().expect("a confirmation has an id");
                let client_id = frame["client_id"].as_str().expect("a confirmation has the mark").to_owned();
                self.drafts.in_flight.retain(|draft| draft.client_id != client_id);
                self.recorder.record(Event::Confirmed { client_id, message_id });
            }
            (Some("error"), Some(code)) if UNSETTLED.contains(&code) => return Err(Broken),
            (Some("error"), Some(code)) => {
                // A frame that was not understood has no mark that could come back; but answers come in order.
                let draft = self.drafts.in_flight.pop_front().expect("something was refused");
                self.recorder.record(Event::Refused { client_id: draft.client_id, code: code.to_owned() });
            }
            _ => {}
        }
        Ok(())
    }

    /// After a connection: nobody knows what came of what was in flight.
    fn take_stock(&mut self) {
        // Oldest first, before what was waiting to be sent again already.
        while let Some(draft) = self.drafts.in_flight.pop_back() {
            self.recorder.record(Event::Unknown { client_id: draft.client_id.clone() });
            if !self.random.one_in(ABANDONED) {
                self.drafts.again.push_front(draft);
            }
        }
    }
}
