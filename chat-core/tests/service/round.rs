//! Messages on their way round a room that is too big to be served at a stretch.

use std::sync::Arc;

use chat_core::storage::NewMessage;
use chat_core::{CommandError, Relayed, Session, Unconfirmed};
use chat_protocol::{Event, RoomName, Timestamp};
use tokio::time::timeout;

use crate::beside::{Long, connect};
use crate::hand_in::message;
use crate::{Guest, Node, PATIENCE};

/// More than are served at a stretch.
const MANY: usize = 40;

/// A room in which a message does not come to everybody at once.
struct Hall {
    node: Node,
    /// Is served first, and for long.
    long: Session,
    /// In the order in which they came, and are served.
    guests: Vec<Guest>,
}

impl Hall {
    async fn full() -> Self {
        let node = Node::start();
        let long = connect(&node, "long", "hall", Arc::new(Long)).await;
        let mut guests = Vec::new();
        for number in 0..MANY {
            guests.push(node.guest(&format!("guest-{number}"), "hall").await);
        }
        Self { node, long, guests }
    }

    fn first(&self) -> &Guest {
        &self.guests[0]
    }

    fn last(&self) -> &Guest {
        self.guests.last().unwrap()
    }

    /// Says something that the first have heard, and the last have not.
    async fn begin(&self, text: &str) -> Sending<'_> {
        self.guests.iter().for_each(|guest| drop(guest.heard()));
        let mut sending = Box::pin(self.long.hand_in(message(text)).await.unwrap());
        assert!(futures::poll!(&mut sending).is_pending());
        assert_eq!((texts(self.first()), texts(self.last())), (vec![text.into()], vec![]));
        sending
    }
}

type Sending<'a> = std::pin::Pin<Box<Unconfirmed<'a>>>;

/// What somebody has heard by now.
fn texts(guest: &Guest) -> Vec<String> {
    guest.heard().into_iter().map(text).collect()
}

/// What a message says; other events are in brackets.
fn text(event: Event) -> String {
    match event {
        Event::MessagePosted(posted) => posted.message.text.to_string(),
        Event::PresenceChanged(presence) => format!("[{}]", presence.user.name.unwrap()),
        other => panic!("{other:?}"),
    }
}

async fn in_time<T>(future: impl Future<Output = T>) -> T {
    timeout(PATIENCE, future).await.unwrap()
}

#[tokio::test]
async fn what_is_said_meanwhile_joins_on_the_way() {
    let hall = Hall::full().await;
    let first = hall.begin("one").await;
    let mut second = Box::pin(hall.guests[1].session.hand_in(message("two")).await.unwrap());
    assert!(futures::poll!(&mut second).is_pending());
    in_time(first).await.unwrap();
    in_time(second).await.unwrap();
    for (guest, together) in [(hall.first(), [1, 1].as_slice()), (hall.last(), &[2])] {
        assert!(guest.inbox.deliveries.lock().ends_with(together));
    }
    assert_eq!(
        (texts(hall.first()), texts(hall.last())),
        (vec!["two".into()], vec!["one".into(), "two".into()])
    );
}

#[tokio::test]
async fn what_a_client_says_next_is_stored_before_the_first_is_confirmed() {
    let hall = Hall::full().await;
    let first = hall.begin("one").await;
    let mut second = hall.long.hand_in(message("two")).await.unwrap();
    second.start();
    // The driver stores it.
    tokio::task::yield_now().await;
    in_time(first).await.unwrap();
    in_time(second).await.unwrap();
    assert!(hall.last().inbox.deliveries.lock().ends_with(&[2]));
}

#[tokio::test]
async fn relays_are_told_of_messages_in_their_order() {
    let hall = Hall::full().await;
    let (_inlet, mut outlet) = hall.node.service.relay(16);
    let first = hall.begin("one").await;
    let storage = hall.node.service.storage();
    let room = storage.room_named(&RoomName::new("hall").unwrap()).await.unwrap().unwrap();
    let elsewhere = NewMessage {
        room: room.id,
        sender: hall.last().session.user().unwrap().clone(),
        text: "two".into(),
        sent_at: Timestamp::from_micros(1).unwrap(),
        client_id: None,
    };
    storage.append(&[elsewhere]).await.unwrap();
    let mut third = Box::pin(hall.last().session.hand_in(message("three")).await.unwrap());
    assert!(futures::poll!(&mut third).is_pending());
    in_time(first).await.unwrap();
    in_time(third).await.unwrap();
    let mut told = Vec::new();
    while told.len() < 2 {
        if let Some(Relayed::MessagePosted { message, .. }) = in_time(outlet.next()).await {
            told.push(message.text.to_string());
        }
    }
    assert_eq!(told, ["one", "three"], "though the second is not heard of yet");
    for text in ["one", "two", "three"] {
        assert_eq!(hall.guests[1].hear_message().await, text);
    }
}

#[tokio::test]
async fn a_service_that_closes_meanwhile_tells_everybody() {
    let hall = Hall::full().await;
    let listener = hall.node.listener(None).await;
    let sending = hall.begin("one").await;
    hall.node.service.close();
    in_time(sending).await.unwrap();
    in_time(hall.node.driving).await.unwrap();
    assert_eq!(texts(hall.guests.last().unwrap()), ["one"]);
    assert!(matches!(listener.hear().await, Event::RoomActive(_)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn on_many_threads_everybody_hears_the_same() {
    const EACH: usize = 25;
    let hall = Hall::full().await;
    let couriers: Vec<_> = (0..3).map(|_| tokio::spawn(hall.node.service.courier().run())).collect();
    let hall = Arc::new(hall);
    let talking = (0..4).map(|sender| {
        let hall = Arc::clone(&hall);
        tokio::spawn(async move {
            for number in 0..EACH {
                hall.guests[sender].say(&format!("{sender} {number}")).await;
            }
        })
    });
    for talked in futures::future::join_all(talking).await {
        talked.unwrap();
    }
    hall.node.service.close();
    for courier in couriers {
        in_time(courier).await.unwrap();
    }
    let mut all = Vec::new();
    for guest in &hall.guests {
        let mut heard = Vec::new();
        while heard.len() < 4 * EACH {
            heard.push(in_time(guest.hear_message()).await);
        }
        all.push(heard);
    }
    assert!(all.iter().all(|heard| *heard == all[0]));
    for sender in 0..4 {
        let of_one = all[0].iter().filter_map(|text| text.strip_prefix(&format!("{sender} ")));
        assert!(of_one.map(|number| number.parse::<usize>().unwrap()).eq(0..EACH));
    }
}

#[tokio::test]
async fn who_has_sent_a_message_is_not_kept_by_those_behind_it() {
    let hall = Hall::full().await;
    let mut first = hall.begin("one").await;
    // While somebody goes on talking, there is always something under way.
    let mut sendings = Vec::new();
    let confirmed: Result<(), CommandError> = loop {
        let mut next =
            Box::pin(hall.last().session.hand_in(message(&sendings.len().to_string())).await.unwrap());
        assert!(futures::poll!(&mut next).is_pending());
        sendings.push(next);
        if let std::task::Poll::Ready(confirmed) = futures::poll!(&mut first) {
            break confirmed;
        }
        assert!(sendings.len() < MANY, "it is confirmed after one round");
    };
    confirmed.unwrap();
    for sending in sendings {
        in_time(sending).await.unwrap();
    }
}

#[tokio::test]
async fn who_comes_or_goes_meanwhile_does_so_after_what_was_said() {
    let mut hall = Hall::full().await;
    let mut sending = hall.begin("one").await;
    let late = hall.node.guest("late", "hall").await;
    assert_eq!(texts(hall.last()), ["one", "[late]"]);
    assert!(texts(&late).is_empty());
    in_time(&mut sending).await.unwrap();
    drop(sending);

    let gone = hall.guests.remove(MANY / 2);
    let sending = hall.begin("two").await;
    drop(gone.session);
    in_time(sending).await.unwrap();
    let heard = [hall.last().hear().await, hall.last().hear().await].map(text);
    assert_eq!(heard, ["two", "[guest-20]"]);
}

#[tokio::test]
async fn a_courier_delivers_what_nobody_else_does() {
    let hall = Hall::full().await;
    let sending = hall.begin("one").await;
    hall.node.driving.abort();
    drop(sending);
    let courier = tokio::spawn(hall.node.service.courier().run());
    assert_eq!(hall.last().hear_message().await, "one");
    hall.node.service.close();
    in_time(courier).await.unwrap();
}
