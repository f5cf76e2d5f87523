//! The service from outside: clients in the same process, a clock that is turned by hand.

#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests fail so"
)]

mod beside;
mod cluster;
mod delivery;
mod doubts;
mod faults;
mod hand_in;
mod lossy;
mod relay;
mod resume;
mod retention;
mod rooms;
mod round;
mod seams;
mod slow;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use chat_core::memory::{LocalChannelLayer, MemoryStorage};
use chat_core::storage::{Access, NewRoom, Room, User};
use chat_core::{
    Arrival, ChatService, Clock, CloseReason, CommandError, ConnectError, Delivery, Format, Identity, Layer,
    ServiceConfig, Session, Storage, Target, Transport,
};
use chat_protocol::{
    Arrival as OnArrival, Behavior, ClientId, Command, Echo, Event, Limits, MessageText, RoomName, RoomRef,
    Scope, SendMessage, Timestamp, Username,
};
use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// How long to wait for what should come at once.
const PATIENCE: Duration = Duration::from_secs(30);

/// A service that runs, with everything in memory unless it is told otherwise.
struct Node {
    service: ChatService,
    driving: JoinHandle<()>,
}

impl Node {
    fn start() -> Self {
        Self::with(Arc::new(MemoryStorage::new()), LocalChannelLayer::new(), ServiceConfig::default())
    }

    fn with(storage: Arc<dyn Storage>, layer: impl Layer, config: ServiceConfig) -> Self {
        Self::with_clock(storage, layer, || Timestamp::from_micros(1_759_460_400_000_000).unwrap(), config)
    }

    fn with_clock(
        storage: Arc<dyn Storage>,
        layer: impl Layer,
        clock: impl Clock,
        config: ServiceConfig,
    ) -> Self {
        let (service, driver) = ChatService::with_shared_storage(storage, layer, clock, config);
        Self { service, driving: tokio::spawn(driver.run()) }
    }

    /// A guest in a room, treated as most dialects want it.
    async fn guest(&self, name: &str, room: &str) -> Guest {
        self.guest_with(name, room, Some(Behavior::ONE_ROOM)).await
    }

    async fn guest_with(&self, name: &str, room: &str, behavior: Option<Behavior>) -> Guest {
        let room = Target::Room(RoomName::new(room).unwrap().into());
        self.arrive(Some(name), room, behavior).await
    }

    /// Somebody who has proven who they are.
    async fn user(&self, user: &User, room: &str, behavior: Behavior) -> Result<Guest, ConnectError> {
        let inbox = Arc::new(Inbox::default());
        let arrival = Arrival {
            identity: Identity::User(user.clone()),
            target: Target::Room(RoomName::new(room).unwrap().into()),
            behavior: Some(behavior),
            transport: inbox.clone(),
        };
        self.service.connect(arrival).await.map(|session| Guest { session, inbox })
    }

    async fn listener(&self, name: Option<&str>) -> Guest {
        self.arrive(name, Target::Listener, Some(Behavior::ONE_ROOM)).await
    }

    async fn arrive(&self, name: Option<&str>, target: Target, behavior: Option<Behavior>) -> Guest {
        let inbox = Arc::new(Inbox::default());
        let identity = Identity::Guest { name: name.map(|name| Username::new(name).unwrap()) };
        let arrival = Arrival { identity, target, behavior, transport: inbox.clone() };
        Guest { session: self.service.connect(arrival).await.unwrap(), inbox }
    }
}

/// A room `den` for these members only.
async fn den(storage: &Arc<dyn Storage>, members: &[&User]) -> Room {
    let den = NewRoom {
        name: RoomName::new("den").unwrap(),
        display_name: None,
        access: Access::MembersOnly,
        owner: members.first().map(|owner| owner.id),
        members: members.iter().map(|user| user.id).collect(),
    };
    storage.create_room(&den).await.unwrap().unwrap()
}

/// The behaviour of the `group` dialect.
const ALL_ROOMS: Behavior =
    Behavior { scope: Scope::User, echo: Echo::ToOtherConnections, ..Behavior::ONE_ROOM };

/// The behaviour of the `typed` dialect.
const READER: Behavior = Behavior { arrival: OnArrival::ReadsAll, ..Behavior::ONE_ROOM };

/// A connected client.
struct Guest {
    session: Session,
    inbox: Arc<Inbox>,
}

impl Guest {
    async fn say(&self, text: &str) {
        self.try_say(text).await.unwrap();
    }

    async fn try_say(&self, text: &str) -> Result<(), CommandError> {
        self.session.handle(say(None, text, None)).await
    }

    /// The next event; waits for it.
    async fn hear(&self) -> Event {
        self.inbox.next().await
    }

    /// The text of the next message; other events on the way are dropped.
    async fn hear_message(&self) -> String {
        loop {
            if let Event::MessagePosted(posted) = self.hear().await {
                return posted.message.text.to_string();
            }
        }
    }

    /// What was heard by now and not yet taken.
    fn heard(&self) -> Vec<Event> {
        self.inbox.events.lock().drain(..).collect()
    }
}

fn say(room: Option<&str>, text: &str, client_id: Option<&str>) -> Command {
    Command::SendMessage(SendMessage {
        room: room.map(|name| RoomRef::Name(RoomName::new(name).unwrap())),
        text: MessageText::new(text, &Limits::default()).unwrap(),
        claimed_sender: None,
        client_id: client_id.map(|id| ClientId::new(id).unwrap()),
    })
}

/// A client in the same process: keeps the events it is told, and has heard them once they are flushed.
#[derive(Debug, Default)]
struct Inbox {
    delivered: Mutex<Vec<Event>>,
    events: Mutex<Vec<Event>>,
    /// How many events came at once, each time.
    deliveries: Mutex<Vec<usize>>,
    arrived: Notify,
    closed: AtomicBool,
}

impl Inbox {
    fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Relaxed)
    }

    async fn next(&self) -> Event {
        loop {
            let arrived = self.arrived.notified();
            {
                let mut events = self.events.lock();
                if !events.is_empty() {
                    return events.remove(0);
                }
            }
            timeout(PATIENCE, arrived).await.expect("something is told");
        }
    }
}

impl Transport for Inbox {
    fn deliver(&self, delivery: &Delivery<'_>) {
        self.delivered.lock().extend(delivery.events().cloned());
        self.deliveries.lock().push(delivery.events().count());
    }

    fn flush(&self) {
        // Locked one in the other: two threads may flush, and their events keep their order.
        let mut delivered = self.delivered.lock();
        self.events.lock().append(&mut delivered);
        self.arrived.notify_one();
    }

    fn close(&self, _: CloseReason) {
        self.closed.store(true, Ordering::Relaxed);
    }
}

/// A client that wants its events encoded, and counts how often that is done for all of its kind.
#[derive(Debug)]
struct Encoding {
    format: Format,
    encodings: Arc<AtomicUsize>,
    deliveries: Arc<AtomicUsize>,
}

impl Transport for Encoding {
    fn deliver(&self, delivery: &Delivery<'_>) {
        let encoded = delivery.encoded(self.format, |_| {
            self.encodings.fetch_add(1, Ordering::Relaxed);
            Some("bytes".into())
        });
        self.deliveries.fetch_add(encoded.map_or(0, |encoded| encoded.count), Ordering::Relaxed);
    }
}
