//! Two nodes with one storage and one channel layer.

use std::sync::Arc;

use chat_core::memory::{LocalChannelLayer, MemoryStorage};
use chat_core::{ServiceConfig, Storage};
use chat_protocol::{Command, Event};

use crate::{ALL_ROOMS, Node};

fn two_nodes() -> (Node, Node) {
    let storage: Arc<dyn Storage> = Arc::new(MemoryStorage::new());
    let layer = LocalChannelLayer::new();
    let other = layer.join();
    let node = |layer| Node::with(Arc::clone(&storage), layer, ServiceConfig::default());
    (node(layer), node(other))
}

#[tokio::test]
async fn what_happens_on_one_node_is_heard_on_the_other() {
    let (first, second) = two_nodes();
    let amy = first.guest("amy", "hall").await;
    let ben = second.guest("ben", "hall").await;
    assert!(matches!(amy.hear().await, Event::PresenceChanged(presence) if presence.is_online));
    amy.say("hello").await;
    assert_eq!(ben.hear_message().await, "hello");
    ben.session.handle(Command::SetTyping { is_typing: true }).await.unwrap();
    ben.session.handle(Command::MarkRead).await.unwrap();
    assert!(matches!(amy.hear().await, Event::MessagePosted(_)));
    assert!(matches!(amy.hear().await, Event::MessageAccepted(_)));
    assert!(matches!(amy.hear().await, Event::TypingChanged(_)));
    assert!(matches!(amy.hear().await, Event::MessagesRead(_)));
}

#[tokio::test]
async fn listeners_and_notifications_reach_across_nodes() {
    let (first, second) = two_nodes();
    let listener = second.listener(None).await;
    let ben = second.guest_with("ben", "kitchen", Some(ALL_ROOMS)).await;
    let amy = first.guest("amy", "hall").await;
    amy.say("hello").await;
    assert!(matches!(listener.hear().await, Event::RoomActive(_)));
    let text = chat_protocol::MessageText::new("mail", &chat_protocol::Limits::default()).unwrap();
    let recipient = chat_protocol::Username::new("ben").unwrap();
    let notify = chat_protocol::SendNotification { recipient, text };
    amy.session.handle(Command::SendNotification(notify)).await.unwrap();
    assert!(matches!(ben.hear().await, Event::NotificationReceived(_)));
}
