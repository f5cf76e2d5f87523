//! Who hears a message, in which order, and how often it is encoded.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use chat_core::{Arrival, Format, Identity, Target};
use chat_protocol::{Behavior, Event, RoomName};

use crate::{ALL_ROOMS, Encoding, Node, say};

#[tokio::test]
async fn everybody_hears_the_same_order() {
    let node = Node::start();
    let mut guests = Vec::new();
    for name in ["amy", "ben", "cleo"] {
        guests.push(node.guest(name, "hall").await);
    }
    let sends = (0..60).map(|number| {
        let guest = &guests[number % 3];
        async move { guest.say(&number.to_string()).await }
    });
    futures::future::join_all(sends).await;
    let mut orders = Vec::new();
    for guest in &guests {
        let mut order = Vec::new();
        for _ in 0..60 {
            order.push(guest.hear_message().await);
        }
        orders.push(order);
    }
    assert_eq!(orders[0], orders[1]);
    assert_eq!(orders[0], orders[2]);
}

#[tokio::test]
async fn an_event_is_encoded_once_for_each_format_in_the_room() {
    let node = Node::start();
    let (encodings, deliveries) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let mut sessions = Vec::new();
    for number in 0..100 {
        let transport = Encoding {
            format: Format(number % 5),
            encodings: Arc::clone(&encodings),
            deliveries: Arc::clone(&deliveries),
        };
        let arrival = Arrival {
            identity: Identity::Guest { name: None },
            target: Target::Room(RoomName::new("hall").unwrap().into()),
            behavior: Some(Behavior::ONE_ROOM),
            transport: Arc::new(transport),
        };
        sessions.push(node.service.connect(arrival).await.unwrap());
    }
    sessions[0].handle(say(None, "hello", None)).await.unwrap();
    // One of the hundred also had its confirmation, encoded for itself.
    assert_eq!(deliveries.load(Ordering::Relaxed), 101);
    assert_eq!(encodings.load(Ordering::Relaxed), 6);
}

#[tokio::test]
async fn the_confirmation_follows_the_echo() {
    let node = Node::start();
    let amy = node.guest("amy", "hall").await;
    amy.say("hello").await;
    let heard = amy.heard();
    let [Event::MessagePosted(posted), Event::MessageAccepted(accepted)] = &heard[..] else {
        panic!("{heard:?}")
    };
    assert_eq!(posted.message, *accepted);
}

#[tokio::test]
async fn a_connection_that_draws_its_own_messages_does_not_hear_them() {
    let node = Node::start();
    let amy = node.guest_with("amy", "hall", Some(ALL_ROOMS)).await;
    let tab = node.guest_with("amy", "hall", Some(ALL_ROOMS)).await;
    amy.session.handle(say(Some("hall"), "hello", None)).await.unwrap();
    assert_eq!(tab.hear_message().await, "hello");
    assert!(matches!(amy.heard()[..], [Event::MessageAccepted(_)]));
}

#[tokio::test]
async fn a_repeated_send_is_answered_as_before_and_told_nobody_else() {
    let node = Node::start();
    let amy = node.guest("amy", "hall").await;
    let ben = node.guest("ben", "hall").await;
    amy.heard();
    amy.session.handle(say(None, "hello", Some("m1"))).await.unwrap();
    let first = amy.heard();
    amy.session.handle(say(None, "hello", Some("m1"))).await.unwrap();
    assert_eq!(amy.heard(), first);
    amy.say("next").await;
    assert_eq!(ben.hear_message().await, "hello");
    assert_eq!(ben.hear_message().await, "next");
}

#[tokio::test]
async fn who_has_left_hears_nothing() {
    let node = Node::start();
    let amy = node.guest("amy", "hall").await;
    let ben = node.guest("ben", "hall").await;
    let inbox = Arc::clone(&ben.inbox);
    drop(ben);
    amy.say("hello").await;
    assert!(inbox.events.lock().iter().all(|event| !matches!(event, Event::MessagePosted(_))));
}
