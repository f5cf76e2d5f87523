//! Storage that takes its time.

use std::sync::Arc;

use chat_core::ServiceConfig;
use chat_core::memory::LocalChannelLayer;
use chat_protocol::{Command, Event, FetchHistory};
use futures::future::join_all;
use tokio::time::Instant;

use crate::faults::{Faults, Frail};
use crate::{Node, say};

pub(crate) fn start() -> (Node, Arc<Faults>) {
    start_with(ServiceConfig::default())
}

pub(crate) fn start_with(config: ServiceConfig) -> (Node, Arc<Faults>) {
    let frail = Frail::default();
    let faults = Arc::clone(&frail.faults);
    (Node::with(Arc::new(frail), LocalChannelLayer::new(), config), faults)
}

/// Waits until the storage has been handed so many transactions.
async fn appends(faults: &Faults, count: usize) {
    while faults.appended.lock().len() < count {
        tokio::task::yield_now().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_slow_commit_delays_its_messages_and_nothing_else() {
    let (node, faults) = start();
    let amy = node.guest("amy", "hall").await;
    let ben = node.guest("ben", "hall").await;
    amy.heard();
    ben.heard();
    let held = faults.held.lock().await;
    let sending = amy.session.handle(say(None, "slow", None));
    tokio::pin!(sending);
    assert!(futures::poll!(&mut sending).is_pending());
    appends(&faults, 1).await;

    let cat = node.guest("cat", "hall").await;
    cat.session.handle(Command::SetTyping { is_typing: true }).await.unwrap();
    let fetch = FetchHistory { room: None, before: None, limit: None };
    ben.session.handle(Command::FetchHistory(fetch)).await.unwrap();
    assert!(futures::poll!(&mut sending).is_pending(), "it is not confirmed");
    let is_message = |event: &Event| matches!(event, Event::MessagePosted(_) | Event::MessageAccepted(_));
    let heard = ben.heard();
    assert!(!heard.iter().any(is_message) && !amy.heard().iter().any(is_message), "nobody has heard it");
    assert!(heard.iter().any(|event| matches!(event, Event::HistoryFetched(_))));
    assert!(heard.iter().any(|event| matches!(event, Event::TypingChanged(_))));

    drop(held);
    sending.await.unwrap();
    assert_eq!(ben.hear_message().await, "slow");
}

#[tokio::test(start_paused = true)]
async fn what_comes_during_a_commit_goes_into_the_next_one_whatever_its_room() {
    let (node, faults) = start();
    let hall = node.guest("amy", "hall").await;
    let den = node.guest("ben", "den").await;
    let cellar = node.guest("cat", "cellar").await;
    let held = faults.held.lock().await;
    let first = hall.session.handle(say(None, "first", None));
    tokio::pin!(first);
    assert!(futures::poll!(&mut first).is_pending());
    appends(&faults, 1).await;

    let senders = [&hall, &den, &cellar].into_iter().cycle().take(60);
    let mut rest = Box::pin(join_all(senders.map(|guest| guest.session.handle(say(None, "more", None)))));
    assert!(futures::poll!(&mut rest).is_pending());
    drop(held);
    first.await.unwrap();
    assert!(rest.await.iter().all(Result::is_ok));
    assert_eq!(*faults.appended.lock(), [1, 60]);
}

#[tokio::test(start_paused = true)]
async fn a_lone_message_does_not_wait_for_others() {
    let (node, faults) = start();
    let amy = node.guest("amy", "hall").await;
    let before = Instant::now();
    for _ in 0..3 {
        amy.say("alone").await;
    }
    assert_eq!(before.elapsed(), std::time::Duration::ZERO);
    assert_eq!(*faults.appended.lock(), [1, 1, 1]);
}
