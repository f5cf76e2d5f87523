//! What one of the crowd was told, and whether that is right.

use std::collections::{BTreeMap, BTreeSet};

use chat_client::{Dialect, MessageId};

/// What one of the crowd has said, and was told.
#[derive(Debug)]
pub struct Record {
    pub(super) room: String,
    pub(super) name: String,
    pub(super) dialect: Dialect,
    pub(super) said: Vec<String>,
    pub(super) confirmed: Vec<MessageId>,
    pub(super) heard: Vec<Heard>,
    pub(super) refusals: Vec<String>,
    /// How often it was connected.
    pub connections: usize,
}

/// A message that was heard.
#[derive(Debug)]
pub(super) struct Heard {
    pub(super) id: MessageId,
    pub(super) text: String,
}

impl Record {
    pub(super) fn new(room: &str, name: &str, dialect: Dialect) -> Self {
        Self {
            room: room.to_owned(),
            name: name.to_owned(),
            dialect,
            said: Vec::new(),
            confirmed: Vec::new(),
            heard: Vec::new(),
            refusals: Vec::new(),
            connections: 0,
        }
    }

    /// In `group`, what one says does not come back.
    pub(super) fn hears_itself(&self) -> bool {
        self.dialect != Dialect::Group
    }
}

/// Checks that everybody has heard everything that was said in their room, each message once and all in one order, and
/// that everything was confirmed once.
pub fn check(records: &[Record]) {
    let mut rooms = BTreeMap::<&str, Vec<&Record>>::new();
    for record in records {
        rooms.entry(&record.room).or_default().push(record);
    }
    for (room, records) in rooms {
        check_room(room, &records);
    }
}

fn check_room(room: &str, records: &[&Record]) {
    // Somebody who hears everything tells which id is whose.
    let all_hearing = records.iter().find(|record| record.hears_itself()).expect("somebody hears everything");
    let messages: BTreeMap<MessageId, &str> =
        all_hearing.heard.iter().map(|heard| (heard.id, heard.text.as_str())).collect();
    let said: Vec<&str> = records.iter().flat_map(|record| &record.said).map(String::as_str).collect();
    let heard: BTreeSet<&str> = messages.values().copied().collect();
    assert_eq!(messages.len(), said.len(), "{room}: each message is stored once");
    assert_eq!(heard, said.into_iter().collect(), "{room}: what is heard was said");
    for record in records {
        let Record { name, said, confirmed, heard, .. } = record;
        assert!(heard.is_sorted_by(|one, next| one.id < next.id), "{name}: each message once and in order");
        let is_heard = |text: &str| record.hears_itself() || !said.iter().any(|own| own == text);
        let expected: Vec<_> = messages.iter().filter(|(_, text)| is_heard(text)).collect();
        let heard: Vec<_> = heard.iter().map(|heard| (heard.id, heard.text.as_str())).collect();
        assert!(heard.iter().map(|(id, text)| (id, text)).eq(expected), "{name}: everything is heard");
        assert_eq!(confirmed.len(), said.len(), "{name}: each send is confirmed once");
        let confirmed: BTreeSet<&str> = confirmed.iter().filter_map(|id| messages.get(id)).copied().collect();
        assert_eq!(
            confirmed,
            said.iter().map(String::as_str).collect(),
            "{name}: the right ones are confirmed"
        );
        assert!(record.refusals.is_empty(), "{name}: {:?}", record.refusals);
    }
}
