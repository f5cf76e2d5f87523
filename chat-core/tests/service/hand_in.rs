//! Senders that do not wait for one message to be confirmed before they hand in the next.

use std::sync::Arc;

use chat_core::memory::{LocalChannelLayer, MemoryStorage};
use chat_core::{ServiceConfig, Unconfirmed};
use chat_protocol::{ClientId, Command, Event, SendMessage};

use crate::{Guest, Node, say};

fn message(text: &str) -> SendMessage {
    match say(None, text, Some(text)) {
        Command::SendMessage(send) => send,
        other => panic!("no message: {other:?}"),
    }
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
