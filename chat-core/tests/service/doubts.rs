//! Transactions of which nobody knows what became of them, and messages that cannot be stored.

use std::sync::Arc;

use chat_core::memory::LocalChannelLayer;
use chat_core::storage::{MessageStorage, RoomStorage};
use chat_core::{CommandError, ServiceConfig};
use chat_protocol::{ErrorCode, Event, RoomName};

use crate::faults::{Faults, Frail};
use crate::{Guest, Node, say};

fn frail() -> (Node, Arc<Frail>) {
    let frail = Arc::new(Frail::default());
    (Node::with(frail.clone(), LocalChannelLayer::new(), ServiceConfig::default()), frail)
}

async fn send(guest: &Guest, text: &str, client_id: &str) -> Result<(), CommandError> {
    guest.session.handle(say(None, text, Some(client_id))).await
}

/// The texts that were heard, without waiting.
fn heard(guest: &Guest) -> Vec<String> {
    let text = |event| match event {
        Event::MessagePosted(posted) => Some(posted.message.text.to_string()),
        _ => None,
    };
    guest.heard().into_iter().filter_map(text).collect()
}

#[tokio::test(start_paused = true)]
async fn what_was_stored_after_all_is_heard_without_anybody_sending() {
    let (node, frail) = frail();
    let (amy, ben) = (node.guest("amy", "hall").await, node.guest("ben", "hall").await);
    Faults::set(&frail.faults.fails_after_storing, true);
    let refused = send(&amy, "in doubt", "m1").await.unwrap_err();
    assert_eq!(refused.code(), ErrorCode::Unavailable);
    assert_eq!(ben.hear_message().await, "in doubt");
    assert_eq!(amy.hear_message().await, "in doubt");
}

#[tokio::test]
async fn what_was_stored_after_all_is_heard_before_what_follows() {
    let (node, frail) = frail();
    let (amy, ben) = (node.guest("amy", "hall").await, node.guest("ben", "hall").await);
    Faults::set(&frail.faults.fails_after_storing, true);
    for text in ["one", "two"] {
        amy.try_say(text).await.unwrap_err();
    }
    Faults::set(&frail.faults.fails_after_storing, false);
    ben.say("three").await;
    for guest in [&amy, &ben] {
        for text in ["one", "two", "three"] {
            assert_eq!(guest.hear_message().await, text);
        }
    }
}

#[tokio::test]
async fn a_send_in_doubt_that_is_repeated_is_stored_and_heard_once() {
    let (node, frail) = frail();
    let (amy, ben) = (node.guest("amy", "hall").await, node.guest("ben", "hall").await);
    amy.say("before").await;
    Faults::set(&frail.faults.fails_after_storing, true);
    send(&amy, "in doubt", "m1").await.unwrap_err();
    Faults::set(&frail.faults.fails_after_storing, false);
    send(&amy, "in doubt", "m1").await.unwrap();
    ben.say("after").await;
    for guest in [&amy, &ben] {
        let mut texts = Vec::new();
        while texts.last().is_none_or(|last| last != "after") {
            texts.push(guest.hear_message().await);
        }
        if guest.session.id() == amy.session.id() {
            // Who sends again may be answered again.
            texts.dedup();
        }
        assert_eq!(texts, ["before", "in doubt", "after"]);
    }
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_read_yet_is_confirmed_and_delivered_later() {
    let (node, frail) = frail();
    let (amy, ben) = (node.guest("amy", "hall").await, node.guest("ben", "hall").await);
    Faults::set(&frail.faults.is_unreadable, true);
    Faults::set(&frail.faults.fails_after_storing, true);
    amy.try_say("one").await.unwrap_err();
    Faults::set(&frail.faults.fails_after_storing, false);
    amy.say("two").await;
    assert_eq!(heard(&ben), [""; 0], "not before the first");
    Faults::set(&frail.faults.is_unreadable, false);
    for text in ["one", "two"] {
        assert_eq!(ben.hear_message().await, text);
    }
}

#[tokio::test]
async fn what_another_process_stored_is_heard_before_what_follows() {
    let (node, frail) = frail();
    let (amy, ben) = (node.guest("amy", "hall").await, node.guest("ben", "hall").await);
    let room = frail.storage.room_named(&RoomName::new("hall").unwrap()).await.unwrap().unwrap();
    let elsewhere = chat_core::storage::NewMessage {
        room: room.id,
        sender: amy.session.user().unwrap().clone(),
        text: "elsewhere".into(),
        sent_at: chat_protocol::Timestamp::from_micros(1).unwrap(),
        client_id: None,
    };
    frail.storage.append(&[elsewhere]).await.unwrap();
    amy.say("here").await;
    for text in ["elsewhere", "here"] {
        assert_eq!(ben.hear_message().await, text);
    }
}

#[tokio::test]
async fn a_message_that_cannot_be_stored_does_no_harm_to_the_others_of_its_transaction() {
    let (node, frail) = frail();
    let (amy, ben) = (node.guest("amy", "hall").await, node.guest("ben", "hall").await);
    Faults::set(&frail.faults.refuses_bad, true);
    // Handed in at once, they go into one transaction.
    let outcomes = futures::join!(amy.try_say("one"), ben.try_say("bad"), amy.try_say("two"));
    assert!(matches!(outcomes, (Ok(()), Err(CommandError::Storage(_)), Ok(()))), "{outcomes:?}");
    assert_eq!(heard(&ben), ["one", "two"]);
}
