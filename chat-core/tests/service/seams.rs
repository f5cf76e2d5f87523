//! What happens at the same time as something else: nothing is lost, doubled or heard in another order for it.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use chat_core::memory::LocalChannelLayer;
use chat_core::storage::Keep;
use chat_core::{Arrival, CommandError, Delivery, Identity, ServiceConfig, Target, Transport};
use chat_protocol::{Behavior, Command, ErrorCode, Event, RoomName, Username};
use tokio::time::{sleep, timeout};

use crate::faults::{Faults, Frail};
use crate::resume::{Slow, since};
use crate::{ALL_ROOMS, Guest, Node, PATIENCE, den, say};

fn frail() -> (Arc<Node>, Arc<Faults>) {
    let frail = Frail::default();
    let faults = Arc::clone(&frail.faults);
    (Arc::new(Node::with(Arc::new(frail), LocalChannelLayer::new(), ServiceConfig::default())), faults)
}

/// What a listener heard, without waiting.
fn activity(listener: &Guest) -> Vec<String> {
    let text = |event| match event {
        Event::RoomActive(activity) => Some(activity.message.text.to_string()),
        _ => None,
    };
    listener.heard().into_iter().filter_map(text).collect()
}

async fn send(guest: &Guest, text: &str, mark: &str) -> Result<(), CommandError> {
    guest.session.handle(say(None, text, Some(mark))).await
}

#[tokio::test]
async fn nobody_misses_a_message_because_somebody_else_is_coming_in() {
    let (node, faults) = frail();
    drop(node.guest("amy", "hall").await);
    let newest_held = faults.newest_held.lock().await;
    let mut arriving = Vec::new();
    for name in ["amy", "ben"] {
        let node = Arc::clone(&node);
        arriving.push(tokio::spawn(async move { node.guest(name, "hall").await }));
        tokio::task::yield_now().await;
    }
    drop(newest_held);
    let [amy, ben] = [arriving.remove(0).await.unwrap(), arriving.remove(0).await.unwrap()];
    // Stored, and not yet posted, while a third one asks where the room stands.
    let held = faults.held.lock().await;
    let mut saying = Box::pin(ben.say("one"));
    while node.stored("hall").await.is_empty() {
        assert!(futures::poll!(saying.as_mut()).is_pending());
        tokio::task::yield_now().await;
    }
    let cleo = node.guest("cleo", "hall").await;
    drop(held);
    saying.await;
    for guest in [&amy, &ben, &cleo] {
        assert_eq!(guest.hear_message().await, "one");
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_stored_long_after_its_sender_was_told_is_heard() {
    let (node, faults) = frail();
    let (amy, ben) = (node.guest("amy", "hall").await, node.guest("ben", "hall").await);
    Faults::set(&faults.stores_late, true);
    assert_eq!(amy.try_say("late").await.unwrap_err().code(), ErrorCode::Unavailable);
    for guest in [&amy, &ben] {
        assert_eq!(guest.hear_message().await, "late");
    }
}

#[tokio::test(start_paused = true)]
async fn who_resumes_an_emptied_room_is_told_and_hears_what_follows() {
    let node = Node::start();
    let amy = node.guest("amy", "hall").await;
    for text in ["one", "two"] {
        amy.say(text).await;
    }
    let first = node.stored("hall").await[0].id;
    let nothing = Keep { newest: Some(0), since: None };
    node.service.storage().prune(node.room("hall").await, &nothing, 9).await.unwrap();
    for message in [None, Some(first)] {
        let late = node.comes_back("late", "hall", Behavior::ONE_ROOM, since(message)).await;
        assert_eq!(late.hear_refusal().await, ErrorCode::CannotResume);
        amy.say("three").await;
        assert_eq!(late.hear_message().await, "three");
        assert_eq!(late.heard(), [], "it is said once");
        node.service.storage().prune(node.room("hall").await, &nothing, 9).await.unwrap();
    }
}

#[tokio::test]
async fn who_is_removed_and_added_again_while_catching_up_hears_nothing_twice() {
    let node = Node::start();
    let amy = node.guest("amy", "hall").await;
    for number in 0..20 {
        amy.say(&number.to_string()).await;
    }
    let slow = Slow::new(5);
    let ben = node.comes_back_on("ben", "hall", ALL_ROOMS, since(None), slow.clone()).await;
    slow.is_used_up().await;
    let (user, room) = (ben.user().unwrap().clone(), ben.room().unwrap().clone());
    node.service.remove_member(room.id, user.id).await.unwrap();
    node.service.add_member(&room, &user).await.unwrap();
    amy.say("live").await;
    slow.permits.add_permits(1_000);
    for _ in 0..1_000 {
        tokio::task::yield_now().await;
    }
    assert_eq!(*slow.taken.lock(), ["0", "1", "2", "3", "4", "live"]);
}

/// A client that never takes what it has missed.
#[derive(Debug)]
struct Stuck;

#[async_trait]
impl Transport for Stuck {
    fn deliver(&self, _: &Delivery<'_>) {}

    async fn ready(&self) {
        std::future::pending::<()>().await;
    }
}

#[tokio::test]
async fn reading_ends_with_the_session() {
    let node = Node::start();
    node.guest("amy", "hall").await.say("one").await;
    let arrival = Arrival {
        identity: Identity::Guest { name: None },
        target: Target::Room(RoomName::new("hall").unwrap().into()),
        behavior: Some(Behavior::ONE_ROOM),
        transport: Arc::new(Stuck),
    };
    let (session, catch_up) = node.service.resume(arrival, since(None)).await.unwrap();
    let mut reading = Box::pin(catch_up.run());
    assert!(futures::poll!(reading.as_mut()).is_pending());
    drop(session);
    timeout(PATIENCE, reading).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn listeners_hear_of_late_messages_once_and_in_order() {
    let (node, faults) = frail();
    let amy = node.guest("amy", "hall").await;
    let listener = node.listener(Some("amy")).await;
    Faults::set(&faults.is_unreadable, true);
    Faults::set(&faults.fails_after_storing, true);
    send(&amy, "one", "m1").await.unwrap_err();
    Faults::set(&faults.fails_after_storing, false);
    amy.say("two").await;
    send(&amy, "one", "m1").await.unwrap();
    Faults::set(&faults.is_unreadable, false);
    sleep(Duration::from_mins(1)).await;
    assert_eq!(activity(&listener), ["one", "two"]);
}

#[tokio::test(start_paused = true)]
async fn other_nodes_hear_what_was_stored_after_all() {
    let frail = Arc::new(Frail::default());
    let layer = LocalChannelLayer::new();
    let other_layer = layer.join();
    let here = Node::with(frail.clone(), layer, ServiceConfig::default());
    let there = Node::with(frail.clone(), other_layer, ServiceConfig::default());
    let (amy, ben) = (here.guest("amy", "hall").await, there.guest("ben", "hall").await);
    Faults::set(&frail.faults.fails_after_storing, true);
    send(&amy, "in doubt", "m1").await.unwrap_err();
    Faults::set(&frail.faults.fails_after_storing, false);
    assert_eq!(ben.hear_message().await, "in doubt");
    amy.say("after").await;
    assert_eq!(ben.hear_message().await, "after");
}

#[tokio::test]
async fn what_storage_did_not_let_a_connection_do_is_done_with_its_next_frame() {
    let (node, faults) = frail();
    let den = node.guest("amy", "den").await;
    drop(node.guest("ben", "den").await);
    let ben = node.guest_with("ben", "hall", None).await;
    Faults::set(&faults.hides_rooms, true);
    ben.session.adopt(ALL_ROOMS).await.unwrap_err();
    Faults::set(&faults.hides_rooms, false);
    ben.session.handle(say(Some("den"), "hello", None)).await.unwrap();
    den.say("hello, ben").await;
    assert_eq!(ben.hear_message().await, "hello, ben");
}

#[tokio::test]
async fn who_could_not_join_at_first_joins_with_the_next_frame() {
    let (node, faults) = frail();
    let hall = || Target::Room(RoomName::new("hall").unwrap().into());
    let guest = node.arrive(None, hall(), Some(Behavior::ONE_ROOM)).await;
    let claim = || {
        let Command::SendMessage(mut send) = say(None, "hello", None) else { panic!("no message") };
        send.claimed_sender = Some(Username::new("ben").unwrap());
        Command::SendMessage(send)
    };
    Faults::set(&faults.lets_nobody_join, true);
    guest.session.handle(claim()).await.unwrap_err();
    Faults::set(&faults.lets_nobody_join, false);
    guest.session.handle(claim()).await.unwrap();
    let storage = node.service.storage();
    let room = storage.room_named(&RoomName::new("hall").unwrap()).await.unwrap().unwrap();
    let ben = storage.user_named(&Username::new("ben").unwrap()).await.unwrap().unwrap();
    assert!(storage.is_member(room.id, ben.id).await.unwrap());
}

#[tokio::test(start_paused = true)]
async fn who_is_added_while_the_members_are_checked_stays() {
    let (node, faults) = frail();
    let storage = node.service.storage();
    let mut users = Vec::new();
    for name in ["amy", "ben"] {
        users.push(storage.ensure_user(&Username::new(name).unwrap()).await.unwrap());
    }
    let den = den(storage, &[&users[0]]).await;
    storage.ensure_room(&RoomName::new("hall").unwrap()).await.unwrap();
    let amy = node.user(&users[0], "den", ALL_ROOMS).await.unwrap();
    let ben = node.user(&users[1], "hall", ALL_ROOMS).await.unwrap();
    let held = faults.members_held.lock().await;
    Faults::set(&faults.was_changed, true);
    // Until the members are read, which takes until they are let go.
    sleep(2 * ServiceConfig::default().members_checked_every).await;
    node.service.add_member(&den, &users[1]).await.unwrap();
    Faults::set(&faults.was_changed, false);
    drop(held);
    sleep(2 * ServiceConfig::default().members_checked_every).await;
    amy.session.handle(say(Some("den"), "welcome", None)).await.unwrap();
    assert_eq!(ben.hear_message().await, "welcome");
}

#[tokio::test]
async fn the_marks_of_those_who_give_no_name_do_not_meet() {
    let node = Node::start();
    let hall = || Target::Room(RoomName::new("hall").unwrap().into());
    let one = node.arrive(None, hall(), Some(Behavior::ONE_ROOM)).await;
    let other = node.arrive(None, hall(), Some(Behavior::ONE_ROOM)).await;
    send(&one, "mine", "1").await.unwrap();
    send(&other, "mine, too", "1").await.unwrap();
    assert_eq!(node.stored("hall").await.len(), 2);
    let marks = other.heard().into_iter().filter_map(|event| match event {
        Event::MessageAccepted(message) => message.client_id,
        _ => None,
    });
    assert_eq!(marks.map(|mark| mark.as_str().to_owned()).collect::<Vec<_>>(), ["1"]);
}
