//! The service: loads, lets the room decide, stores, and delivers.

mod catch_up;
mod cluster;
mod commit;
mod config;
mod connect;
mod courier;
mod driver;
mod feed;
mod listeners;
mod members;
mod presence;
mod relay;
mod retention;
mod session;
mod subscribe;
mod task;
mod unconfirmed;

use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use chat_protocol::{Timestamp, Username};
use parking_lot::Mutex;
use tokio::sync::{Notify, OnceCell, mpsc, watch};
use tokio::time::Instant;

pub use catch_up::CatchUp;
pub use config::ServiceConfig;
pub use connect::{Arrival, Target};
pub use courier::Courier;
pub use driver::Driver;
pub use relay::{ForeignMessage, RelayInlet, RelayOutlet, Relayed};
pub use session::Session;
pub use unconfirmed::Unconfirmed;

use crate::hub::{ConnectionId, Hub};
use crate::room::presence::PresenceBoard;
use crate::room::typing::TypingBoard;
use crate::storage::User;
use crate::{Layer, Storage, StorageError, Topic};
use commit::Commits;
use feed::LateRooms;
use listeners::{Posted, Told};
use presence::{DoubtedRooms, Occasion};
use relay::Relays;
use task::Task;

/// Tells the time of day. Implemented for closures.
pub trait Clock: Send + Sync + 'static {
    /// The time of day now.
    fn now(&self) -> Timestamp;
}

impl<F: Fn() -> Timestamp + Send + Sync + 'static> Clock for F {
    fn now(&self) -> Timestamp {
        self()
    }
}

/// The chat of one node: its rooms, and the clients that are connected to it.
///
/// A handle: clones are the same service.
#[derive(Debug, Clone)]
pub struct ChatService(Arc<Inner>);

/// What the service and its sessions share.
pub(crate) struct Inner {
    storage: Arc<dyn Storage>,
    layer: Arc<dyn Layer>,
    clock: Box<dyn Clock>,
    config: ServiceConfig,
    hub: Hub,
    presence: Mutex<PresenceBoard>,
    typing: Mutex<TypingBoard>,
    /// Wakes the driver when somebody starts typing.
    typing_began: Notify,
    commits: Commits,
    to_listeners: mpsc::Sender<Posted>,
    /// Unbounded, because those who leave cannot wait; it holds a few words for each connection that comes or goes.
    tasks: mpsc::UnboundedSender<Task>,
    /// Unbounded for the same reason.
    occasions: mpsc::UnboundedSender<Occasion>,
    /// Rooms with messages that are stored and may not have been delivered.
    late_rooms: LateRooms,
    /// Wakes the driver when something of other nodes may have been lost.
    interrupted: Notify,
    /// Rooms that may not have been told who is online.
    doubted_rooms: DoubtedRooms,
    /// What this node receives from others.
    followed: Mutex<HashSet<Topic>>,
    /// What listeners here have been told lately.
    told: Mutex<Told>,
    relays: Relays,
    anonymous: OnceCell<User>,
    last_connection: AtomicU64,
    is_closing: watch::Sender<bool>,
}

impl ChatService {
    /// A service, and the [`Driver`] that does its part of the work in the background.
    ///
    /// The driver must [run](Driver::run), in a task of its own: until it does, nothing is sent, and connecting waits.
    pub fn new(
        storage: impl Storage,
        layer: impl Layer,
        clock: impl Clock,
        config: ServiceConfig,
    ) -> (Self, Driver) {
        Self::with_shared_storage(Arc::new(storage), layer, clock, config)
    }

    /// As [`new`](Self::new), with a storage that others use as well.
    pub fn with_shared_storage(
        storage: Arc<dyn Storage>,
        layer: impl Layer,
        clock: impl Clock,
        config: ServiceConfig,
    ) -> (Self, Driver) {
        let (to_listeners, posted) = mpsc::channel(listeners::QUEUED);
        let (commits, handed_over) = commit::channel(&config);
        let (tasks, queued_tasks) = mpsc::unbounded_channel();
        let (occasions, queued_occasions) = mpsc::unbounded_channel();
        let inner = Arc::new(Inner {
            storage,
            layer: Arc::new(layer),
            clock: Box::new(clock),
            config,
            hub: Hub::default(),
            presence: Mutex::default(),
            typing: Mutex::default(),
            typing_began: Notify::new(),
            commits,
            to_listeners,
            tasks,
            occasions,
            late_rooms: LateRooms::default(),
            interrupted: Notify::new(),
            doubted_rooms: DoubtedRooms::default(),
            followed: Mutex::default(),
            told: Mutex::default(),
            relays: Relays::default(),
            anonymous: OnceCell::new(),
            last_connection: AtomicU64::new(0),
            is_closing: watch::Sender::new(false),
        });
        let driver = Driver {
            inner: Arc::clone(&inner),
            handed_over,
            posted,
            tasks: queued_tasks,
            occasions: queued_occasions,
        };
        (Self(inner), driver)
    }

    /// Ends the service: messages that were handed in are still stored and delivered, then the driver's
    /// [`run`](Driver::run) returns. What is handed in from now on is refused.
    pub fn close(&self) {
        self.0.is_closing.send_replace(true);
    }

    /// One more to deliver messages that take long: on many threads, one for each but the driver's lets rooms that are busy
    /// be served beside one another.
    ///
    /// ```
    /// use chat_core::memory::{LocalChannelLayer, MemoryStorage};
    /// use chat_core::{ChatService, ServiceConfig};
    /// # use chat_protocol::Timestamp;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// # let clock = || Timestamp::from_micros(1_759_460_400_000_000).unwrap();
    /// let (service, driver) =
    ///     ChatService::new(MemoryStorage::new(), LocalChannelLayer::new(), clock, ServiceConfig::default());
    /// let driving = tokio::spawn(driver.run());
    /// let helping = tokio::spawn(service.courier().run());
    ///
    /// service.close();
    /// driving.await.unwrap();
    /// helping.await.unwrap();
    /// # }
    /// ```
    #[must_use]
    pub fn courier(&self) -> Courier {
        Courier::new(Arc::clone(&self.0))
    }

    /// The storage of this service.
    #[must_use]
    pub fn storage(&self) -> &Arc<dyn Storage> {
        &self.0.storage
    }
}

impl Inner {
    fn next_connection_id(&self) -> ConnectionId {
        ConnectionId(self.last_connection.fetch_add(1, Ordering::Relaxed) + 1)
    }

    /// The user that stands for everybody who gives no name.
    async fn anonymous(&self) -> Result<&User, StorageError> {
        if let Some(user) = self.anonymous.get() {
            return Ok(user);
        }
        let find = async || self.storage.ensure_user(&Username::anonymous()).await;
        Box::pin(self.anonymous.get_or_try_init(find)).await
    }

    /// Leaves something to the driver. After the driver has ended there is nobody left to tell.
    fn leave_to_driver(&self, task: Task) {
        if self.tasks.send(task).is_err() {
            tracing::debug!("the service is closed; a task is dropped");
        }
    }

    async fn closing(&self) {
        let mut is_closing = self.is_closing.subscribe();
        if is_closing.wait_for(|is_closing| *is_closing).await.is_err() {
            tracing::debug!("the service is gone");
        }
    }
}

/// Waits until a time; for ever where there is none.
async fn reached(time: Option<Instant>) {
    match time {
        Some(time) => tokio::time::sleep_until(time).await,
        None => std::future::pending().await,
    }
}

impl fmt::Debug for Inner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inner")
            .field("storage", &self.storage)
            .field("layer", &self.layer)
            .finish_non_exhaustive()
    }
}
