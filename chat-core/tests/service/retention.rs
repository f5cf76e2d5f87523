//! Messages that are not kept for ever. Time stands still but for what the tests let pass.

use std::sync::Arc;
use std::time::Duration;

use chat_core::ServiceConfig;
use chat_core::memory::{LocalChannelLayer, MemoryStorage};
use chat_core::storage::{MessageStorage, RoomStorage};
use chat_protocol::{RoomName, Timestamp};
use tokio::time::{Instant, sleep};

use crate::Node;
use crate::faults::{Faults, Frail};

const MINUTE: Duration = Duration::from_mins(1);

/// A node whose time of day goes with the runtime's.
struct Aging {
    node: Node,
    storage: Arc<MemoryStorage>,
}

impl Aging {
    /// A node that runs since a second ago, so that no test looks in the moment in which something is removed.
    async fn start(set: impl FnOnce(&mut ServiceConfig)) -> Self {
        let storage = Arc::new(MemoryStorage::new());
        let mut config = ServiceConfig::default();
        set(&mut config);
        let began = Instant::now();
        let clock = move || {
            let micros = i64::try_from(began.elapsed().as_micros()).unwrap();
            Timestamp::from_micros(1_759_460_400_000_000 + micros).unwrap()
        };
        let node = Node::with_clock(storage.clone(), LocalChannelLayer::new(), clock, config);
        sleep(Duration::from_secs(1)).await;
        Self { node, storage }
    }

    async fn say(&self, room: &str, texts: &[&str]) {
        let amy = self.node.guest("amy", room).await;
        for text in texts {
            amy.say(text).await;
        }
    }

    async fn kept(&self, room: &str) -> Vec<String> {
        let room = self.storage.room_named(&RoomName::new(room).unwrap()).await.unwrap().unwrap();
        let kept = self.storage.messages_after(room.id, None, u32::MAX).await.unwrap();
        kept.iter().map(|stored| stored.text.to_string()).collect()
    }
}

#[tokio::test(start_paused = true)]
async fn unasked_everything_is_kept() {
    let aging = Aging::start(|_| {}).await;
    aging.say("hall", &["one", "two"]).await;
    sleep(60 * MINUTE).await;
    assert_eq!(aging.kept("hall").await, ["one", "two"]);
}

#[tokio::test(start_paused = true)]
async fn so_many_of_the_newest_are_kept_in_every_room() {
    let aging = Aging::start(|config| config.keep_newest = Some(2)).await;
    aging.say("hall", &["one", "two", "three"]).await;
    aging.say("den", &["alone"]).await;
    sleep(MINUTE).await;
    assert_eq!(aging.kept("hall").await, ["two", "three"]);
    assert_eq!(aging.kept("den").await, ["alone"]);
    aging.say("hall", &["four"]).await;
    sleep(MINUTE).await;
    assert_eq!(aging.kept("hall").await, ["three", "four"]);
}

#[tokio::test(start_paused = true)]
async fn the_old_are_removed_when_their_time_has_come() {
    let aging = Aging::start(|config| config.keep_for = Some(10 * MINUTE)).await;
    aging.say("hall", &["first"]).await;
    sleep(5 * MINUTE).await;
    aging.say("hall", &["second"]).await;
    sleep(5 * MINUTE).await;
    assert_eq!(aging.kept("hall").await, ["first", "second"], "ten minutes old is not too old");
    sleep(MINUTE).await;
    assert_eq!(aging.kept("hall").await, ["second"]);
    sleep(5 * MINUTE).await;
    assert!(aging.kept("hall").await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn for_longer_than_there_is_time_is_for_ever() {
    let aging = Aging::start(|config| config.keep_for = Some(Duration::MAX)).await;
    aging.say("hall", &["one"]).await;
    sleep(MINUTE).await;
    assert_eq!(aging.kept("hall").await, ["one"]);
}

#[tokio::test(start_paused = true)]
async fn a_backlog_is_removed_in_one_pass_and_senders_come_in_between() {
    let aging = Aging::start(|config| config.keep_newest = Some(1)).await;
    let amy = aging.node.guest("amy", "hall").await;
    for _ in 0..1_300 {
        amy.say("old").await;
    }
    sleep(MINUTE).await;
    assert_eq!(aging.kept("hall").await, ["old"]);
    amy.say("new").await;
    assert_eq!(aging.kept("hall").await, ["old", "new"]);
}

#[tokio::test(start_paused = true)]
async fn a_closed_service_removes_nothing_more() {
    let aging = Aging::start(|config| config.keep_newest = Some(1)).await;
    aging.say("hall", &["one", "two"]).await;
    aging.node.service.close();
    sleep(MINUTE).await;
    assert_eq!(aging.kept("hall").await, ["one", "two"]);
    assert!(aging.node.driving.is_finished());
}

#[tokio::test(start_paused = true)]
async fn what_could_not_be_removed_is_tried_again() {
    let frail = Arc::new(Frail::default());
    let config = {
        let mut config = ServiceConfig::default();
        config.keep_newest = Some(1);
        config
    };
    let node = Node::with(frail.clone(), LocalChannelLayer::new(), config);
    let amy = node.guest("amy", "hall").await;
    Faults::set(&frail.faults.removes_nothing, true);
    amy.say("one").await;
    amy.say("two").await;
    sleep(3 * MINUTE + Duration::from_secs(1)).await;
    let room = amy.session.room().unwrap().id;
    let kept = async || frail.storage.messages_after(room, None, 10).await.unwrap().len();
    assert_eq!(kept().await, 2);
    Faults::set(&frail.faults.removes_nothing, false);
    sleep(MINUTE).await;
    assert_eq!(kept().await, 1);
}
