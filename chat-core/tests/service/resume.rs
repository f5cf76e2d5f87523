//! Clients that come back, and want what they have missed.

use std::sync::Arc;

use async_trait::async_trait;
use chat_core::memory::{LocalChannelLayer, MemoryStorage};
use chat_core::storage::{Keep, StoredMessage};
use chat_core::{Arrival, Delivery, Identity, ServiceConfig, Session, Target, Transport};
use chat_protocol::{Behavior, ErrorCode, Event, MessageId, RoomId, RoomName, Since, Username};
use parking_lot::Mutex;
use tokio::sync::Semaphore;

use crate::faults::{Faults, Frail};
use crate::{ALL_ROOMS, Guest, Inbox, Node, READER, say};

pub(crate) fn since(message: Option<MessageId>) -> Vec<Since> {
    vec![Since { room: None, message }]
}

fn since_in(room: &str, message: MessageId) -> Since {
    Since { room: Some(RoomName::new(room).unwrap().into()), message: Some(message) }
}

impl Node {
    /// A guest who comes back to a room. What they have missed is read in a task of its own.
    pub(crate) async fn comes_back(
        &self,
        name: &str,
        room: &str,
        behavior: Behavior,
        since: Vec<Since>,
    ) -> Guest {
        let inbox = Arc::new(Inbox::default());
        let session = self.comes_back_on(name, room, behavior, since, inbox.clone()).await;
        Guest { session, inbox }
    }

    pub(crate) async fn comes_back_on(
        &self,
        name: &str,
        room: &str,
        behavior: Behavior,
        since: Vec<Since>,
        transport: Arc<dyn Transport>,
    ) -> Session {
        let arrival = Arrival {
            identity: Identity::Guest { name: Some(Username::new(name).unwrap()) },
            target: Target::Room(RoomName::new(room).unwrap().into()),
            behavior: Some(behavior),
            transport,
        };
        let (session, catch_up) = self.service.resume(arrival, since).await.unwrap();
        tokio::spawn(catch_up.run());
        session
    }

    pub(crate) async fn room(&self, name: &str) -> RoomId {
        let found = self.service.storage().room_named(&RoomName::new(name).unwrap()).await.unwrap();
        found.unwrap().id
    }

    /// Everything that is stored of a room, oldest first.
    pub(crate) async fn stored(&self, room: &str) -> Vec<StoredMessage> {
        self.service.storage().messages_after(self.room(room).await, None, u32::MAX).await.unwrap()
    }
}

impl Guest {
    pub(crate) async fn hear_messages(&self, count: usize) -> Vec<String> {
        let mut texts = Vec::new();
        for _ in 0..count {
            texts.push(self.hear_message().await);
        }
        texts
    }

    pub(crate) async fn hear_refusal(&self) -> ErrorCode {
        loop {
            if let Event::Refused(refusal) = self.hear().await {
                return refusal.code;
            }
        }
    }
}

#[tokio::test]
async fn what_was_missed_comes_first_and_then_what_is_posted() {
    let node = Node::start();
    let amy = node.guest("amy", "hall").await;
    for text in ["one", "two", "three"] {
        amy.say(text).await;
    }
    let first = node.stored("hall").await[0].id;
    let ben = node.comes_back("ben", "hall", Behavior::ONE_ROOM, since(Some(first))).await;
    assert_eq!(ben.hear_messages(2).await, ["two", "three"]);
    amy.say("four").await;
    assert_eq!(ben.hear_message().await, "four");
}

#[tokio::test]
async fn who_has_missed_nothing_hears_what_is_posted() {
    let node = Node::start();
    let amy = node.guest("amy", "hall").await;
    amy.say("one").await;
    let newest = node.stored("hall").await[0].id;
    let ben = node.comes_back("ben", "hall", Behavior::ONE_ROOM, since(Some(newest))).await;
    let cleo = node.comes_back("cleo", "empty", Behavior::ONE_ROOM, since(None)).await;
    amy.say("two").await;
    assert_eq!(ben.hear_message().await, "two");
    cleo.say("first").await;
    assert_eq!(cleo.hear_message().await, "first");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_seam_has_neither_gap_nor_double_while_others_send() {
    const MESSAGES: usize = 3_000;
    let node = Arc::new(Node::start());
    let amy = node.guest("amy", "hall").await;
    amy.say("0").await;
    let first = node.stored("hall").await[0].id;
    let sending = tokio::spawn(async move {
        for number in 1..=MESSAGES {
            amy.say(&number.to_string()).await;
        }
    });
    let coming_back = (0..40).map(|number| {
        let node = Arc::clone(&node);
        tokio::spawn(async move {
            // Each begins at another moment of the sending.
            while node.stored("hall").await.len() < number * MESSAGES / 50 {
                tokio::task::yield_now().await;
            }
            let name = format!("guest{number}");
            let guest = node.comes_back(&name, "hall", Behavior::ONE_ROOM, since(Some(first))).await;
            guest.hear_messages(MESSAGES).await
        })
    });
    let expected: Vec<String> = (1..=MESSAGES).map(|number| number.to_string()).collect();
    for heard in futures::future::join_all(coming_back).await {
        assert!(heard.unwrap() == expected);
    }
    sending.await.unwrap();
}

#[tokio::test]
async fn what_is_stored_and_not_yet_posted_is_heard_once() {
    let frail = Frail::default();
    let faults = Arc::clone(&frail.faults);
    let node = Node::with(Arc::new(frail), LocalChannelLayer::new(), ServiceConfig::default());
    let amy = node.guest("amy", "hall").await;
    let held = faults.held.lock().await;
    let mut saying = Box::pin(amy.say("one"));
    while node.stored("hall").await.is_empty() {
        assert!(futures::poll!(saying.as_mut()).is_pending());
        tokio::task::yield_now().await;
    }
    let ben = node.comes_back("ben", "hall", Behavior::ONE_ROOM, since(None)).await;
    assert_eq!(ben.hear_message().await, "one");
    drop(held);
    saying.await;
    amy.say("two").await;
    assert_eq!(ben.hear_message().await, "two");
}

#[tokio::test]
async fn an_unknown_message_is_answered_and_the_newest_page_follows() {
    let mut config = ServiceConfig::default();
    config.history_page = 2;
    let node = Node::with(Arc::new(MemoryStorage::new()), LocalChannelLayer::new(), config);
    let amy = node.guest("amy", "hall").await;
    let other = node.guest("amy", "other").await;
    other.say("elsewhere").await;
    for text in ["one", "two", "three"] {
        amy.say(text).await;
    }
    let elsewhere = node.stored("other").await[0].id;
    let nowhere = MessageId::new(i64::MAX).unwrap();
    for (unknown, newest, next) in
        [(nowhere, ["two", "three"], "four"), (elsewhere, ["three", "four"], "five")]
    {
        let ben = node.comes_back("ben", "hall", Behavior::ONE_ROOM, since(Some(unknown))).await;
        assert_eq!(ben.hear_refusal().await, ErrorCode::CannotResume);
        assert_eq!(ben.hear_messages(2).await, newest);
        amy.say(next).await;
        assert_eq!(ben.hear_message().await, next);
    }
}

#[tokio::test]
async fn who_was_away_for_longer_than_messages_are_kept_is_told() {
    let node = Node::start();
    let amy = node.guest("amy", "hall").await;
    for number in 1..=5 {
        amy.say(&number.to_string()).await;
    }
    let stored = node.stored("hall").await;
    let keep = Keep { newest: Some(2), since: None };
    node.service.storage().prune(node.room("hall").await, &keep, 9).await.unwrap();

    let last_removed = since(Some(stored[2].id));
    let lucky = node.comes_back("lucky", "hall", Behavior::ONE_ROOM, last_removed).await;
    assert_eq!(
        lucky.hear_messages(2).await,
        ["4", "5"],
        "nothing is missing after the last that was removed"
    );
    for removed in [Some(stored[1].id), None] {
        let late = node.comes_back("late", "hall", Behavior::ONE_ROOM, since(removed)).await;
        assert_eq!(late.hear_refusal().await, ErrorCode::CannotResume);
        assert_eq!(late.hear_messages(2).await, ["4", "5"]);
    }
}

#[tokio::test]
async fn a_connection_that_carries_many_rooms_resumes_each() {
    let node = Node::start();
    let mut last = Vec::new();
    for room in ["hall", "den", "attic"] {
        let amy = node.guest("amy", room).await;
        let ben = node.guest("ben", room).await;
        ben.say("old").await;
        amy.say("new").await;
        last.push(node.stored(room).await[0].id);
    }
    let wanted = vec![since_in("hall", last[0]), since_in("den", last[1]), since_in("cellar", last[2])];
    let ben = node.comes_back("ben", "hall", ALL_ROOMS, wanted).await;
    assert_eq!(ben.hear_refusal().await, ErrorCode::NotAMember, "there is no cellar of theirs");
    assert_eq!(ben.hear_messages(2).await, ["new", "new"], "of hall and den; of the attic nothing was asked");
    for room in ["hall", "den", "attic"] {
        node.guest("amy", room).await.say(room).await;
        assert_eq!(ben.hear_message().await, room);
    }
}

#[tokio::test]
async fn what_is_replayed_tells_who_has_read_it() {
    let node = Node::start();
    let amy = node.guest("amy", "hall").await;
    amy.say("one").await;
    amy.say("two").await;
    let _reader = node.guest_with("cleo", "hall", Some(READER)).await;
    amy.say("three").await;
    let ben = node.comes_back("ben", "hall", Behavior::ONE_ROOM, since(None)).await;
    for is_read in [true, true, false] {
        let Event::MessagePosted(posted) = ben.hear().await else { panic!("not a message") };
        assert_eq!(posted.message.is_read, Some(is_read), "{}", posted.message.text);
    }
}

#[tokio::test]
async fn a_send_repeated_after_coming_back_is_heard_once() {
    let node = Node::start();
    let send = |text, mark| say(None, text, Some(mark));
    let last = {
        let amy = node.guest("amy", "hall").await;
        amy.say("before").await;
        let last = node.stored("hall").await[0].id;
        amy.session.handle(send("lost on the way back", "m1")).await.unwrap();
        last
    };
    let amy = node.comes_back("amy", "hall", Behavior::ONE_ROOM, since(Some(last))).await;
    amy.session.handle(send("lost on the way back", "m1")).await.unwrap();
    amy.session.handle(send("after", "m2")).await.unwrap();
    assert_eq!(amy.hear_messages(2).await, ["lost on the way back", "after"]);
    assert_eq!(node.stored("hall").await.len(), 3);
}

#[tokio::test(start_paused = true)]
async fn storage_that_fails_is_asked_again() {
    let frail = Frail::default();
    let faults = Arc::clone(&frail.faults);
    let node = Node::with(Arc::new(frail), LocalChannelLayer::new(), ServiceConfig::default());
    let amy = node.guest("amy", "hall").await;
    amy.say("one").await;
    Faults::set(&faults.is_unreadable, true);
    let ben = node.comes_back("ben", "hall", Behavior::ONE_ROOM, since(None)).await;
    amy.say("two").await;
    Faults::set(&faults.is_unreadable, false);
    assert_eq!(ben.hear_messages(2).await, ["one", "two"]);
}

/// A client that takes so many messages as it has permits for.
#[derive(Debug)]
pub(crate) struct Slow {
    pub(crate) permits: Semaphore,
    pub(crate) taken: Mutex<Vec<String>>,
}

impl Slow {
    pub(crate) fn new(permits: usize) -> Arc<Self> {
        Arc::new(Self { permits: Semaphore::new(permits), taken: Mutex::default() })
    }

    /// Waits until everything is taken that there are permits for.
    pub(crate) async fn is_used_up(&self) {
        while self.permits.available_permits() > 0 {
            tokio::task::yield_now().await;
        }
    }

    fn count(&self) -> usize {
        self.taken.lock().len()
    }
}

#[async_trait]
impl Transport for Slow {
    fn deliver(&self, delivery: &Delivery<'_>) {
        for event in delivery.events() {
            if let Event::MessagePosted(posted) = event {
                self.taken.lock().push(posted.message.text.to_string());
            }
        }
    }

    async fn ready(&self) {
        self.permits.acquire().await.unwrap().forget();
    }
}

#[tokio::test]
async fn a_client_is_read_to_as_fast_as_it_takes_it_and_removed_members_no_further() {
    let node = Node::start();
    let amy = node.guest("amy", "hall").await;
    for number in 0..300 {
        amy.say(&number.to_string()).await;
    }
    let slow = Slow::new(0);
    let session = node.comes_back_on("ben", "hall", Behavior::ONE_ROOM, since(None), slow.clone()).await;
    slow.permits.add_permits(150);
    slow.is_used_up().await;
    amy.say("live").await;
    assert!(slow.count() <= 150, "what is posted does not overtake");
    let ben = session.user().unwrap().id;
    node.service.remove_member(node.room("hall").await, ben).await.unwrap();
    slow.permits.add_permits(1_000);
    while Arc::strong_count(&slow) > 1 && slow.permits.available_permits() == 1_000 {
        tokio::task::yield_now().await;
    }
    assert!(slow.count() <= 150, "who is removed hears nothing more");
    drop(session);
}
