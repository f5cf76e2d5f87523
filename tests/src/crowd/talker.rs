//! One of the crowd.

use std::time::Duration;

use chat_client::{
    Client, Dialect, Event, MessageId, Reconnect, ReconnectingClient, Since, Update, Username,
};
use futures::StreamExt;
use tokio::sync::watch;

use super::Goals;
use super::record::{Heard, Record};

/// Most messages that one has said and not heard of.
const WINDOW: usize = 2;

/// They come back soon, so that tests do not wait.
const FIRST_DELAY: Duration = Duration::from_millis(50);
const MAX_DELAY: Duration = Duration::from_secs(1);

/// Says a number of things, and listens until it has heard what the others have said.
#[derive(Debug)]
pub(super) struct Talker {
    pub(super) url: String,
    pub(super) room: String,
    pub(super) name: String,
    pub(super) dialect: Dialect,
    pub(super) sends: usize,
    pub(super) confirmed: watch::Sender<usize>,
    pub(super) newest: watch::Sender<Goals>,
    pub(super) goals: watch::Receiver<Option<Goals>>,
}

impl Talker {
    pub(super) async fn run(mut self) -> Record {
        let mut client = Client::connect(self.url.as_str())
            .dialect(self.dialect)
            .user(Username::new(&self.name).expect("a name"))
            .since(Since::beginning())
            .reconnect(Reconnect::default().first_delay(FIRST_DELAY).max_delay(MAX_DELAY))
            .expect("a URL");
        let mut record = Record::new(&self.room, &self.name, self.dialect);
        loop {
            self.talk(&client, &mut record);
            if self.has_heard_all(&record) {
                client.close().await.expect("a good end");
                return record;
            }
            tokio::select! {
                update = client.next() => self.note(update.expect("it stays").expect("it stays"), &mut record),
                // Looked at again, whatever it is.
                _ = self.goals.changed() => {}
            }
        }
    }

    fn talk(&self, client: &ReconnectingClient, record: &mut Record) {
        while record.said.len() < self.sends && record.said.len() < record.confirmed.len() + WINDOW {
            let text = format!("{} says {}", self.name, record.said.len());
            client.sender().try_send_text(&text).expect("there is room in the outbox");
            record.said.push(text);
        }
    }

    fn note(&self, update: Update, record: &mut Record) {
        match update {
            Update::Event(Event::MessagePosted(posted)) => {
                let id = posted.message.id.expect("messages have ids");
                record.heard.push(Heard { id, text: posted.message.text.to_string() });
            }
            Update::Event(Event::Refused(refusal)) => record.refusals.push(refusal.code.to_string()),
            Update::Confirmed(confirmed) => {
                let id = confirmed.message_id.expect("confirmations have ids");
                record.confirmed.push(id);
                self.newest.send_modify(|newest| {
                    let newest = newest.entry(self.room.clone()).or_default().entry(self.name.clone());
                    newest.and_modify(|newest| *newest = id.max(*newest)).or_insert(id);
                });
                self.confirmed.send_modify(|confirmed| *confirmed += 1);
            }
            Update::Connected => record.connections += 1,
            _ => {}
        }
    }

    /// Whether it has heard the newest message that it is to hear: in `group`, one's own are not.
    fn has_heard_all(&self, record: &Record) -> bool {
        let goals = self.goals.borrow();
        let Some(of_room) = goals.as_ref().and_then(|goals| goals.get(&self.room)) else { return false };
        let is_heard = |name: &String| record.hears_itself() || *name != self.name;
        let newest = of_room.iter().filter(|(name, _)| is_heard(name)).map(|(_, id)| *id).max();
        record.heard.last().map(|heard| heard.id) >= newest.or_else(|| MessageId::new(1).ok())
    }
}
