//! Senders that do not wait for one message to be confirmed before they hand in the next.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Wake, Waker};
use std::time::Duration;

use chat_core::memory::{LocalChannelLayer, MemoryStorage};
use chat_core::{ServiceConfig, Unconfirmed};
use chat_protocol::{ClientId, Command, Event, SendMessage};
use tokio::time::Instant;

use crate::{ALL_ROOMS, Guest, Node, say};

pub(crate) fn message(text: &str) -> SendMessage {
    match say(None, text, Some(text)) {
        Command::SendMessage(send) => send,
        other => panic!("no message: {other:?}"),
    }
}

/// One that is confirmed by nothing but being heard.
async fn hand_in_unnamed<'a>(guest: &'a Guest, text: &str) -> Unconfirmed<'a> {
    let Command::SendMessage(send) = say(None, text, None) else { panic!("no message") };
    guest.session.hand_in(send).await.unwrap()
}

async fn hand_in<'a>(guest: &'a Guest, text: &str) -> Unconfirmed<'a> {
    guest.session.hand_in(message(text)).await.unwrap()
}

#[tokio::test]
async fn what_is_handed_in_together_is_stored_in_one_transaction_and_confirmed_in_order() {
    let (node, faults) = crate::slow::start();
    let amy = node.guest("amy", "hall").await;
    let ben = node.guest("ben", "hall").await;
    amy.heard();
    let texts = ["a", "b", "c", "d"];
    let mut sends = Vec::new();
    for text in texts {
        sends.push(hand_in(&amy, text).await);
    }
    assert!(faults.appended.lock().is_empty(), "nobody waits for it yet");
    for send in sends {
        send.await.unwrap();
    }
    assert_eq!(*faults.appended.lock(), [4]);
    for text in texts {
        assert_eq!(ben.hear_message().await, text);
    }
    let confirmed: Vec<_> = amy
        .heard()
        .into_iter()
        .filter_map(|event| match event {
            Event::MessageAccepted(message) => message.client_id,
            _ => None,
        })
        .collect();
    assert_eq!(confirmed.iter().map(ClientId::as_str).collect::<Vec<_>>(), texts);
}

#[tokio::test]
async fn what_is_stored_together_is_delivered_together_save_to_who_does_not_hear_itself() {
    let (node, faults) = crate::slow::start();
    let amy = node.guest_with("amy", "hall", Some(ALL_ROOMS)).await;
    let ben = node.guest("ben", "hall").await;
    let cat = node.guest("cat", "yard").await;
    let both = [&amy, &ben, &cat];
    let mut sends = Vec::new();
    for (number, text) in ["a", "b", "c", "d", "e", "f"].into_iter().enumerate() {
        sends.push(hand_in(both[number % 3], text).await);
    }
    for guest in both {
        guest.heard();
        guest.inbox.deliveries.lock().clear();
    }
    for send in sends {
        send.await.unwrap();
    }
    assert_eq!(*faults.appended.lock(), [6]);
    for (guest, texts, deliveries) in
        [(&amy, "be", vec![1, 1]), (&ben, "abde", vec![4]), (&cat, "cf", vec![2])]
    {
        assert_eq!(messages(guest), texts);
        // One each for the confirmations of the guest's own.
        let delivered: Vec<usize> = guest.inbox.deliveries.lock().drain(..).collect();
        assert_eq!(delivered, [deliveries, vec![1, 1]].concat());
    }
}

#[tokio::test]
async fn what_is_long_is_delivered_in_parts() {
    let (node, _) = crate::slow::start();
    let amy = node.guest("amy", "hall").await;
    let ben = node.guest("ben", "hall").await;
    let texts = ["a", "b", "c", "d", "e"].map(|letter| letter.repeat(4_000));
    let mut sends = Vec::new();
    for text in &texts {
        sends.push(hand_in_unnamed(&amy, text).await);
    }
    ben.heard();
    ben.inbox.deliveries.lock().clear();
    for send in sends {
        send.await.unwrap();
    }
    assert_eq!(messages(&ben), texts.concat());
    assert_eq!(*ben.inbox.deliveries.lock(), [4, 1]);
}

/// The texts that a guest has heard, one behind the other.
fn messages(guest: &Guest) -> String {
    let events = guest.heard().into_iter();
    let texts = events.filter_map(|event| match event {
        Event::MessagePosted(posted) => Some(posted.message.text.to_string()),
        _ => None,
    });
    texts.collect()
}

#[derive(Default)]
struct Wakes(AtomicUsize);

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

#[tokio::test]
async fn who_stores_its_own_message_does_not_wake_itself() {
    let node = Node::start();
    let amy = node.guest("amy", "hall").await;
    let sender = Arc::new(Wakes::default());
    let waker = Waker::from(Arc::clone(&sender));
    let send = pin!(hand_in(&amy, "alone").await);
    assert!(send.poll(&mut Context::from_waker(&waker)).is_ready());
    assert_eq!(sender.0.load(Ordering::Relaxed), 0);
}

#[tokio::test]
async fn what_nobody_waits_for_is_stored_all_the_same() {
    let node = Node::start();
    let amy = node.guest("amy", "hall").await;
    let ben = node.guest("ben", "hall").await;
    drop(hand_in(&amy, "dropped").await);
    assert_eq!(ben.hear_message().await, "dropped");
}

#[tokio::test]
async fn a_full_queue_is_emptied_by_whoever_waits_for_the_first() {
    let mut config = ServiceConfig::default();
    config.queued_messages = 1;
    let node = Node::with(Arc::new(MemoryStorage::new()), LocalChannelLayer::new(), config);
    let amy = node.guest("amy", "hall").await;
    let first = hand_in(&amy, "first").await;
    let mut second = Box::pin(amy.session.hand_in(message("second")));
    assert!(futures::poll!(second.as_mut()).is_pending());
    first.await.unwrap();
    second.await.unwrap().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn while_many_talk_transactions_begin_at_intervals_and_who_talks_alone_does_not_wait() {
    let interval = Duration::from_millis(50);
    let mut config = ServiceConfig::default();
    config.commit_interval = interval;
    let (node, faults) = crate::slow::start_with(config);
    let amy = node.guest("amy", "hall").await;
    let start = Instant::now();
    // How many messages at once, and how long after the start they are confirmed.
    for (together, intervals) in [(1, 0), (1, 0), (2, 0), (3, 1), (2, 2), (1, 3), (1, 3), (1, 3)] {
        hand_in_all(&amy, together).await;
        assert_eq!(start.elapsed(), intervals * interval);
    }
    assert_eq!(*faults.appended.lock(), [1, 1, 2, 3, 2, 1, 1, 1]);
}

#[tokio::test(start_paused = true)]
async fn what_timers_cannot_measure_is_not_waited_for() {
    let mut config = ServiceConfig::default();
    config.commit_interval = Duration::from_millis(50);
    let (node, _) = crate::slow::start_with(config);
    let amy = node.guest("amy", "hall").await;
    let start = Instant::now();
    hand_in_all(&amy, 2).await;
    let nearly = Duration::from_micros(49_600);
    tokio::time::advance(nearly).await;
    hand_in_all(&amy, 2).await;
    assert_eq!(start.elapsed(), nearly);
}

#[tokio::test(start_paused = true)]
async fn who_gives_up_while_it_waits_for_the_next_transaction_leaves_that_to_the_driver() {
    let mut config = ServiceConfig::default();
    config.commit_interval = Duration::from_millis(50);
    let (node, faults) = crate::slow::start_with(config);
    let amy = node.guest("amy", "hall").await;
    let ben = node.guest("ben", "hall").await;
    let (first, second) = (hand_in(&amy, "first").await, hand_in(&amy, "second").await);
    first.await.unwrap();
    second.await.unwrap();
    let mut waiting = Box::pin(hand_in(&amy, "dropped").await);
    assert!(futures::poll!(waiting.as_mut()).is_pending());
    assert_eq!(*faults.appended.lock(), [2]);
    drop(waiting);
    for text in ["first", "second", "dropped"] {
        assert_eq!(ben.hear_message().await, text);
    }
}

#[tokio::test(start_paused = true)]
async fn where_there_is_enough_for_a_transaction_nobody_waits() {
    let start = Instant::now();
    let mut config = ServiceConfig::default();
    config.commit_interval = Duration::MAX;
    config.messages_per_commit = 2;
    let (node, faults) = crate::slow::start_with(config.clone());
    let amy = node.guest("amy", "hall").await;
    for _ in 0..2 {
        hand_in_all(&amy, 4).await;
    }
    assert_eq!(*faults.appended.lock(), [2, 2, 2, 2]);
    config.commit_interval = Duration::from_hours(1);
    let (node, faults) = crate::slow::start_with(config);
    let amy = node.guest("amy", "hall").await;
    hand_in_all(&amy, 6).await;
    assert_eq!(*faults.appended.lock(), [2, 2, 2]);
    assert_eq!(start.elapsed(), Duration::ZERO);
}

#[tokio::test]
async fn what_is_said_while_everybody_is_served_goes_into_the_next_transaction() {
    let mut config = ServiceConfig::default();
    config.messages_per_commit = 2;
    let (node, faults) = crate::slow::start_with(config);
    let amy = node.guest("amy", "hall").await;
    let ben = node.guest("ben", "hall").await;
    let talk = hand_in_all(&amy, 3);
    let answer = async {
        assert_eq!(ben.hear_message().await, "0");
        hand_in_all(&ben, 1).await;
    };
    futures::join!(talk, answer);
    assert_eq!(*faults.appended.lock(), [2, 2]);
}

/// Hands in so many messages, and waits until they are confirmed.
async fn hand_in_all(guest: &Guest, count: usize) {
    let mut sends = Vec::new();
    for number in 0..count {
        sends.push(hand_in_unnamed(guest, &number.to_string()).await);
    }
    for send in sends {
        send.await.unwrap();
    }
}
