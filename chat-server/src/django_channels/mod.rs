//! A bridge to a deployment of Django Channels: its groups are rooms here.
//!
//! What somebody posts to a room goes to the group of that room, over the project's own channel layer in Redis; what Django
//! code sends to the group is stored here as a message of the room, and heard by everybody in it. Both layers of
//! `channels_redis` are spoken.
//!
//! ```no_run
//! use chat_server::django_channels::{Bridge, BridgeConfig};
//! use tokio_util::sync::CancellationToken;
//!
//! # async fn with(service: chat_core::ChatService) -> Result<(), Box<dyn std::error::Error>> {
//! let config = BridgeConfig::new(vec!["redis://localhost:6379".parse()?]);
//! let stopping = CancellationToken::new();
//! let bridge = Bridge::new(&service, &config, stopping.clone());
//! tokio::spawn(bridge.run());
//! # Ok(())
//! # }
//! ```
//!
//! What holds:
//!
//! * Nobody here waits for Redis or for Django. What cannot be sent waits, within bounds.
//! * What Django sends once is stored once, however many nodes there are: one of them takes it in (`lease`).
//! * What is posted here does not come back from the group, and what comes from Django is not sent to it again.
//! * Nothing that a client sends decides the `type` of what goes to Django.
//! * No bytes in a group make this panic, or take more than a small multiple of their length.

mod config;
mod core_layer;
mod event;
mod group;
mod hosts;
mod incoming;
mod intake;
mod layer;
mod lease;
mod msgpack;
mod outgoing;
mod pubsub_layer;

use std::sync::Arc;

use chat_core::ChatService;
use tokio_util::sync::CancellationToken;

pub use config::{BridgeConfig, LayerKind, UnknownLayer};
pub use group::{GroupPattern, UnknownGroupPattern};

use core_layer::CoreLayer;
use hosts::Hosts;
use incoming::Receiver;
use intake::Intake;
use layer::Layer;
use lease::Terms;
use outgoing::{Pending, Sender};
use pubsub_layer::PubSubLayer;

/// The two ways over the bridge.
#[derive(Debug)]
pub struct Bridge {
    sender: Sender,
    receiver: Receiver,
    stopping: CancellationToken,
}

impl Bridge {
    /// A bridge to the layer that the config tells of. What is posted from now on goes over it, once it [runs](Self::run).
    ///
    /// `stopping` is to say that the service is about to be closed: then nothing more is taken in from Django.
    #[must_use]
    pub fn new(service: &ChatService, config: &BridgeConfig, stopping: CancellationToken) -> Self {
        let (inlet, outlet) = service.relay(config.queued);
        let layer: Arc<dyn Layer> = match config.layer {
            LayerKind::Core => Arc::new(CoreLayer::new(config)),
            LayerKind::PubSub => Arc::new(PubSubLayer::new(config)),
        };
        let storage = service.storage();
        let terms = Terms {
            key: format!("{}:chat-bridge:{}", config.prefix, config.name),
            holder: random_name(),
            lasting: config.takeover,
        };
        Self {
            sender: Sender {
                hosts: Hosts::new(&config.hosts),
                layer: Arc::clone(&layer),
                storage: Arc::clone(storage),
                outlet,
                drops: config.metrics.bridge(),
                pending: Pending::default(),
            },
            receiver: Receiver {
                hosts: Hosts::new(&config.hosts),
                layer,
                intake: Intake::new(inlet, Arc::clone(storage), config, stopping.clone()),
                terms,
                stopping: stopping.clone(),
            },
            stopping,
        }
    }

    /// Carries messages both ways, until the service is closed. What is posted before that still goes to Django, where it
    /// can be reached.
    pub async fn run(self) {
        let Self { sender, receiver, stopping } = self;
        futures::join!(sender.run(stopping), receiver.run());
    }
}

/// Random bytes.
fn salt<const LENGTH: usize>() -> [u8; LENGTH] {
    let mut bytes = [0; LENGTH];
    if let Err(error) = getrandom::fill(&mut bytes) {
        tracing::error!(error = &error as &dyn std::error::Error, "the system gives no randomness");
    }
    bytes
}

/// A name that nobody else has.
fn random_name() -> String {
    format!("{:032x}", u128::from_be_bytes(salt()))
}
