//! Rooms that are served beside one another, on threads of their own.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::{Duration, Instant};

use chat_core::memory::{LocalChannelLayer, MemoryStorage};
use chat_core::{Arrival, Delivery, Identity, ServiceConfig, Session, Storage, Target, Transport};
use chat_protocol::{Behavior, Event, RoomName, Username};
use parking_lot::{Condvar, Mutex};
use tokio::sync::Notify;
use tokio::task::yield_now;
use tokio::time::timeout;

use crate::faults::Faults;
use crate::hand_in::message;
use crate::{ALL_ROOMS, Guest, Node, PATIENCE, say, slow};

const LONG: Duration = Duration::from_millis(1);

/// A client that keeps the thread on which it hears a message, until it is let go.
#[derive(Debug, Default)]
struct Slow {
    /// Told when it has a thread.
    keeps: Notify,
    may_go: Mutex<bool>,
    goes: Condvar,
    /// How many messages came at once, each time.
    heard: Mutex<Vec<usize>>,
}

impl Slow {
    fn let_go(&self) {
        *self.may_go.lock() = true;
        self.goes.notify_all();
    }
}

impl Transport for Slow {
    fn deliver(&self, delivery: &Delivery<'_>) {
        if !has_messages(delivery) {
            return;
        }
        self.keeps.notify_one();
        let mut may_go = self.may_go.lock();
        while !*may_go {
            let waited = self.goes.wait_for(&mut may_go, PATIENCE);
            assert!(!waited.timed_out(), "somebody lets it go");
        }
        self.heard.lock().push(delivery.events().count());
    }
}

/// A client that takes longer to hear a message than anybody may deliver at a stretch.
#[derive(Debug)]
pub(crate) struct Long;

impl Transport for Long {
    fn deliver(&self, delivery: &Delivery<'_>) {
        let begun = Instant::now();
        while has_messages(delivery) && begun.elapsed() < LONG {}
    }
}

/// A client that cannot bear a message.
#[derive(Debug)]
struct Panicking;

impl Transport for Panicking {
    fn deliver(&self, delivery: &Delivery<'_>) {
        assert!(!has_messages(delivery), "this is what it does");
    }
}

/// A message that somebody in a room is being sent, on a thread of its own.
struct Kept {
    slow: Arc<Slow>,
    sending: Option<thread::JoinHandle<Session>>,
}

impl Kept {
    /// Says something in a room where a slow client hears it; goes on when that keeps the thread.
    async fn by(node: &Node, room: &str) -> Self {
        let slow = Arc::new(Slow::default());
        let session = connect(node, "slow", room, Arc::<Slow>::clone(&slow)).await;
        let sending = thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
            runtime.block_on(session.handle(say(None, "kept", None))).unwrap();
            session
        });
        timeout(PATIENCE, slow.keeps.notified()).await.unwrap();
        Self { slow, sending: Some(sending) }
    }

    /// Lets it go, and waits until the message is confirmed; gives who sent it.
    fn let_go(&mut self) -> Session {
        self.slow.let_go();
        self.sending.take().unwrap().join().unwrap()
    }
}

pub(crate) async fn connect(node: &Node, name: &str, room: &str, transport: Arc<dyn Transport>) -> Session {
    let arrival = Arrival {
        identity: Identity::Guest { name: Some(Username::new(name).unwrap()) },
        target: Target::Room(RoomName::new(room).unwrap().into()),
        behavior: Some(Behavior::ONE_ROOM),
        transport,
    };
    node.service.connect(arrival).await.unwrap()
}

fn has_messages(delivery: &Delivery<'_>) -> bool {
    delivery.events().any(is_message)
}

fn is_message(event: &Event) -> bool {
    matches!(event, Event::MessagePosted(_))
}

/// Lets everybody on this thread go on, many times.
async fn let_others_go_on() {
    for _ in 0..1000 {
        yield_now().await;
    }
}

#[tokio::test]
async fn while_a_room_is_served_others_are_stored_and_served() {
    let node = Node::start();
    let amy = node.guest("amy", "den").await;
    let ben = node.guest("ben", "den").await;
    let mut kept = Kept::by(&node, "hall").await;
    for text in ["one", "two"] {
        timeout(PATIENCE, amy.say(text)).await.expect("it does not wait for the other room");
        assert_eq!(ben.hear_message().await, text);
    }
    kept.let_go();
    assert_eq!(*kept.slow.heard.lock(), [1]);
}

#[tokio::test]
async fn what_comes_to_a_room_while_it_is_served_follows_together() {
    let (node, faults) = slow::start();
    let amy = node.guest("amy", "hall").await;
    let ben = node.guest("ben", "hall").await;
    let mut kept = Kept::by(&node, "hall").await;
    let sends = ["one", "two"].map(|text| Box::pin(amy.try_say(text)));
    let mut sends = futures::future::join_all(sends);
    while faults.appended.lock().iter().sum::<usize>() < 3 {
        assert!(futures::poll!(&mut sends).is_pending(), "they are not confirmed before they are heard");
        yield_now().await;
    }
    assert!(futures::poll!(&mut sends).is_pending());
    let _still_there = kept.let_go();
    assert!(timeout(PATIENCE, sends).await.unwrap().iter().all(Result::is_ok));
    assert_eq!(*kept.slow.heard.lock(), [1, 2]);
    for text in ["kept", "one", "two"] {
        assert_eq!(ben.hear_message().await, text);
    }
}

#[tokio::test]
async fn what_is_stored_and_not_delivered_is_bounded() {
    let mut config = ServiceConfig::default();
    config.messages_per_commit = 1;
    let (node, faults) = slow::start_with(config);
    let amy = node.guest("amy", "den").await;
    let dan = node.guest("dan", "hall").await;
    let mut kept = Kept::by(&node, "hall").await;
    timeout(PATIENCE, amy.say("one more")).await.expect("there is a place for the next transaction");
    let mut follows = Box::pin(dan.try_say("follows"));
    assert!(futures::poll!(&mut follows).is_pending());
    let mut sending = Box::pin(amy.try_say("one too many"));
    assert!(futures::poll!(&mut sending).is_pending());
    let_others_go_on().await;
    assert_eq!(*faults.appended.lock(), [1, 1, 1]);
    kept.let_go();
    for sending in [follows, sending] {
        timeout(PATIENCE, sending).await.unwrap().unwrap();
    }
    assert_eq!(*faults.appended.lock(), [1, 1, 1, 1]);
}

#[tokio::test]
async fn what_is_refused_takes_no_place() {
    let mut config = ServiceConfig::default();
    config.messages_per_commit = 1;
    let (node, faults) = slow::start_with(config);
    let amy = node.guest("amy", "den").await;
    Faults::set(&faults.is_down, true);
    for _ in 0..3 {
        timeout(PATIENCE, amy.try_say("refused")).await.unwrap().unwrap_err();
    }
    Faults::set(&faults.is_down, false);
    timeout(PATIENCE, amy.say("stored")).await.unwrap();
}

#[tokio::test]
async fn the_driver_ends_when_all_that_is_stored_has_been_delivered() {
    let node = Node::start();
    let mut kept = Kept::by(&node, "hall").await;
    node.service.close();
    let_others_go_on().await;
    assert!(!node.driving.is_finished());
    kept.let_go();
    timeout(PATIENCE, node.driving).await.unwrap().unwrap();
}

#[tokio::test]
async fn who_has_delivered_for_long_lets_others_go_on_and_may_give_up() {
    let node = Node::start();
    let long = connect(&node, "amy", "hall", Arc::new(Long)).await;
    let ben = node.guest("ben", "den").await;
    let first = long.hand_in(message("first")).await.unwrap();
    let second = ben.session.hand_in(message("second")).await.unwrap();
    let mut first = Box::pin(first);
    ben.heard();
    assert!(futures::poll!(&mut first).is_pending());
    assert!(ben.heard().is_empty(), "both are stored, and one is delivered");
    drop(first);
    assert_eq!(ben.hear_message().await, "second");
    second.await.unwrap();
}

#[tokio::test]
async fn a_client_that_panics_takes_none_of_another_room_with_it() {
    let node = Node::start();
    let panicking = connect(&node, "amy", "hall", Arc::new(Panicking)).await;
    let ben = node.guest("ben", "den").await;
    let second = ben.session.hand_in(message("second")).await.unwrap();
    let storing = tokio::spawn(async move { panicking.hand_in(message("first")).await.unwrap().await });
    assert!(storing.await.unwrap_err().is_panic());
    timeout(PATIENCE, second).await.unwrap().unwrap();
    assert_eq!(ben.hear_message().await, "second");
    node.service.close();
    timeout(PATIENCE, node.driving).await.unwrap().unwrap();
}

#[tokio::test]
async fn what_comes_too_early_from_another_node_lets_what_is_stored_here_go_first() {
    let storage: Arc<dyn Storage> = Arc::new(MemoryStorage::new());
    let layer = LocalChannelLayer::new();
    let there = layer.join();
    let [here, there] =
        [layer, there].map(|layer| Node::with(Arc::clone(&storage), layer, ServiceConfig::default()));
    let long = connect(&here, "long", "hall", Arc::new(Long)).await;
    let amy = here.guest_with("amy", "den", Some(ALL_ROOMS)).await;
    let ben = here.guest("ben", "den").await;
    let cat = there.guest("cat", "den").await;
    let mut first = Box::pin(long.hand_in(message("first")).await.unwrap());
    let own = amy.session.hand_in(message("own")).await.unwrap();
    assert!(futures::poll!(&mut first).is_pending());
    cat.say("early").await;
    let_others_go_on().await;
    assert!(!ben.heard().iter().any(is_message), "what came early waits");
    first.await.unwrap();
    for text in ["own", "early"] {
        assert_eq!(ben.hear_message().await, text);
    }
    assert_eq!(amy.hear_message().await, "early", "she does not hear herself");
    own.await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn on_many_threads_everybody_in_a_room_hears_the_same_in_the_order_of_each_sender() {
    const EACH: usize = 100;
    let (node, faults) = slow::start();
    // What comes late, or too early, would not come at all.
    faults.is_unreadable.store(true, Ordering::Relaxed);
    let mut guests: Vec<Guest> = Vec::new();
    for room in ["hall", "den", "attic"] {
        for name in ["amy", "ben", "cat"] {
            guests.push(node.guest(&format!("{name}-{room}"), room).await);
        }
    }
    let talking = guests.into_iter().enumerate().map(|(sender, guest)| {
        tokio::spawn(async move {
            for number in 0..EACH {
                guest.say(&format!("{sender} {number}")).await;
            }
            guest
        })
    });
    let guests: Vec<Guest> =
        futures::future::join_all(talking).await.into_iter().map(Result::unwrap).collect();
    for room in guests.chunks(3) {
        let mut heard = Vec::new();
        for guest in room {
            let mut texts = Vec::new();
            while texts.len() < 3 * EACH {
                texts.push(guest.hear_message().await);
            }
            heard.push(texts);
        }
        assert!(heard.iter().all(|texts| *texts == heard[0]));
        let of_one = heard[0].iter().filter(|text| text.split(' ').next() == heard[0][0].split(' ').next());
        let numbers: Vec<usize> =
            of_one.map(|text| text.split(' ').nth(1).unwrap().parse().unwrap()).collect();
        assert_eq!(numbers, (0..EACH).collect::<Vec<_>>());
    }
}
