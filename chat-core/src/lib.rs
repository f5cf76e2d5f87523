//! Rooms, history, presence, typing and notifications, behind storage and transport traits.
//!
//! [`ChatService`] is the whole of it: a client [connects](ChatService::connect) with an [`Identity`] and a
//! [`Transport`], its [`Session`] handles [`Command`](chat_protocol::Command)s, and what happens reaches every
//! transport concerned as an [`Event`](chat_protocol::Event). Nothing here knows sockets, HTTP, JSON or dialects.
//!
//! ```
//! use std::sync::{Arc, Mutex};
//!
//! use chat_core::memory::{LocalChannelLayer, MemoryStorage};
//! use chat_core::{Arrival, ChatService, Delivery, Identity, ServiceConfig, Target, Transport};
//! use chat_protocol::{Behavior, Command, Event, Limits, MessageText, RoomName, SendMessage, Timestamp, Username};
//!
//! /// Keeps what it is told, as a client in the same process.
//! #[derive(Debug, Default)]
//! struct Inbox(Mutex<Vec<Event>>);
//!
//! impl Transport for Inbox {
//!     fn deliver(&self, delivery: &Delivery<'_>) {
//!         self.0.lock().unwrap().extend(delivery.events().cloned());
//!     }
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let clock = || Timestamp::from_micros(1_759_460_400_000_000).unwrap();
//! let (service, driver) =
//!     ChatService::new(MemoryStorage::new(), LocalChannelLayer::new(), clock, ServiceConfig::default());
//! tokio::spawn(driver.run());
//!
//! let inbox = Arc::new(Inbox::default());
//! let session = service
//!     .connect(Arrival {
//!         identity: Identity::Guest { name: Some(Username::new("amy")?) },
//!         target: Target::Room(RoomName::new("lobby")?.into()),
//!         behavior: Some(Behavior::ONE_ROOM),
//!         transport: inbox.clone(),
//!     })
//!     .await?;
//!
//! let text = MessageText::new("hello", &Limits::default())?;
//! let send = SendMessage { room: None, text, claimed_sender: None, client_id: None };
//! session.handle(Command::SendMessage(send)).await?;
//!
//! let heard = inbox.0.lock().unwrap();
//! assert!(matches!(&heard[0], Event::MessagePosted(posted) if &*posted.message.text == "hello"));
//! # Ok(())
//! # }
//! ```
//!
//! # Where to look
//!
//! * [`storage`]: what a database must do; [`memory::MemoryStorage`] does it in memory.
//! * [`ChannelLayer`]: how the nodes of a cluster hear of each other's events; [`Roster`]: who is connected to which of them.
//! * [`Transport`]: how an event reaches one connected client.
//! * [`Observer`]: hears how long things take.
//! * [`Authenticator`]: from a handshake to an [`Identity`].
//! * `conformance` (feature of that name): the tests that every implementation of a trait must pass.

#![deny(missing_docs)]

pub mod auth;
mod channel_layer;
#[cfg(feature = "conformance")]
pub mod conformance;
mod error;
mod hub;
pub mod memory;
mod observer;
mod room;
mod roster;
mod service;
pub mod storage;
mod transport;

pub use auth::{Admission, Authenticator, Credential, Handshake, Identity, Refused};
pub use channel_layer::{Activity, Audience, ChannelLayer, Content, Envelope, Layer, Received, Topic};
pub use error::{CommandError, ConnectError};
pub use observer::{Observer, Outcome};
pub use roster::{Moment, Novelty, Pulse, Roster, RosterAway, Standing};
pub use service::{
    Arrival, CatchUp, ChatService, Clock, Courier, Driver, ForeignMessage, RelayInlet, RelayOutlet, Relayed,
    ServiceConfig, Session, Target, Unconfirmed,
};
pub use storage::{Storage, StorageError};
pub use transport::{CloseReason, Delivery, Encoded, Format, Transport};
