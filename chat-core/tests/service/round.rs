//! Messages on their way round a room that is too big to be served at a stretch.

use std::sync::Arc;

use chat_core::{CommandError, Session, Unconfirmed};
use chat_protocol::Event;
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
