//! Storage that fails, and services that end.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use async_trait::async_trait;
use chat_core::memory::{LocalChannelLayer, MemoryStorage};
use chat_core::storage::{
    Appended, FurthestReaders, Joining, Keep, Leaving, MessageStorage, NewMessage, NewRoom,
    NotificationStorage, Profile, ProfileStorage, Purpose, Room, RoomStorage, StoredMessage,
    StoredNotification, UpkeepStorage, User, UserStorage,
};
use chat_core::{CommandError, ConnectError, ServiceConfig, StorageError};
use chat_protocol::{
    Command, ErrorCode, Event, FetchHistory, MessageId, NotificationId, RoomId, RoomName, Seq, Timestamp,
    UserId, Username,
};
use parking_lot::Mutex;
use tokio::sync::Semaphore;

use crate::{Node, say};

/// How late storage stores that is told to store late: later than anybody waits for.
const LATE: Duration = Duration::from_secs(12);

/// What is wrong with a storage, from the outside.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    /// It stores no messages.
    pub(crate) is_down: AtomicBool,
    /// It stores messages, and says that it does not.
    pub(crate) fails_after_storing: AtomicBool,
    /// Its messages cannot be read forwards.
    pub(crate) is_unreadable: AtomicBool,
    /// It stores messages long after it was asked, whatever has become of who asked.
    pub(crate) stores_late: AtomicBool,
    /// No room can be read by its name.
    pub(crate) hides_names: AtomicBool,
    /// The rooms of a user cannot be read.
    pub(crate) hides_rooms: AtomicBool,
    /// Held, it does not say which message is the newest until it is let go.
    pub(crate) newest_held: tokio::sync::Mutex<()>,
    /// Held, it stores messages, and does not say so until it is let go.
    pub(crate) held: tokio::sync::Mutex<()>,
    /// So many users may be recorded as seen, and others wait; where it is not set, all.
    pub(crate) may_be_recorded: OnceLock<Semaphore>,
    /// It knows no sender of this text: `bad`.
    pub(crate) refuses_bad: AtomicBool,
    /// It finds no user by their id.
    pub(crate) hides_users: AtomicBool,
    /// It makes nobody a member of an open room.
    pub(crate) lets_nobody_join: AtomicBool,
    /// It says that another process has changed something.
    pub(crate) was_changed: AtomicBool,
    /// Held, it reads the members of a room, and does not say who they are until it is let go.
    pub(crate) members_held: tokio::sync::Mutex<()>,
    /// How long it takes to read the members of a room.
    pub(crate) members_take: OnceLock<Duration>,
    /// It removes nothing.
    pub(crate) removes_nothing: AtomicBool,
    /// How many messages it was handed in each transaction.
    pub(crate) appended: Mutex<Vec<usize>>,
}

impl Faults {
    pub(crate) fn set(flag: &AtomicBool, value: bool) {
        flag.store(value, Ordering::Relaxed);
    }
}

fn check(fails: &AtomicBool) -> Result<(), StorageError> {
    if fails.load(Ordering::Relaxed) { Err(StorageError::database("input/output error")) } else { Ok(()) }
}

/// A storage that fails as it is told.
#[derive(Debug, Default)]
pub(crate) struct Frail {
    pub(crate) storage: Arc<MemoryStorage>,
    pub(crate) faults: Arc<Faults>,
}

#[async_trait]
impl MessageStorage for Frail {
    async fn append(&self, messages: &[NewMessage]) -> Result<Vec<Appended>, StorageError> {
        self.faults.appended.lock().push(messages.len());
        if self.faults.is_down.load(Ordering::Relaxed) {
            return Err(StorageError::database("no space left on device"));
        }
        let is_bad = |message: &NewMessage| &*message.text == "bad";
        if self.faults.refuses_bad.load(Ordering::Relaxed) && messages.iter().any(is_bad) {
            return Err(StorageError::Missing { what: "user" });
        }
        if self.faults.stores_late.load(Ordering::Relaxed) {
            let (storage, messages) = (Arc::clone(&self.storage), messages.to_vec());
            let storing = async move {
                tokio::time::sleep(LATE).await;
                storage.append(&messages).await
            };
            return tokio::spawn(storing).await.unwrap();
        }
        let stored = self.storage.append(messages).await;
        drop(self.faults.held.lock().await);
        if self.faults.fails_after_storing.load(Ordering::Relaxed) {
            return Err(StorageError::database("the connection broke during the commit"));
        }
        stored
    }

    async fn seq_of(&self, room: RoomId, message: MessageId) -> Result<Option<Seq>, StorageError> {
        self.storage.seq_of(room, message).await
    }

    async fn newest(&self, room: RoomId) -> Result<Option<StoredMessage>, StorageError> {
        drop(self.faults.newest_held.lock().await);
        self.storage.newest(room).await
    }

    async fn newest_places(&self, rooms: &[RoomId]) -> Result<Vec<(RoomId, Seq)>, StorageError> {
        self.storage.newest_places(rooms).await
    }

    async fn messages_before(
        &self,
        room: RoomId,
        before: Option<Seq>,
        limit: u32,
    ) -> Result<Vec<StoredMessage>, StorageError> {
        self.storage.messages_before(room, before, limit).await
    }

    async fn messages_after(
        &self,
        room: RoomId,
        after: Option<Seq>,
        limit: u32,
    ) -> Result<Vec<StoredMessage>, StorageError> {
        check(&self.faults.is_unreadable)?;
        self.storage.messages_after(room, after, limit).await
    }

    async fn mark_read(&self, room: RoomId, user: UserId, up_to: Seq) -> Result<(), StorageError> {
        self.storage.mark_read(room, user, up_to).await
    }

    async fn furthest_readers(&self, room: RoomId) -> Result<FurthestReaders, StorageError> {
        self.storage.furthest_readers(room).await
    }
}

#[async_trait]
impl UserStorage for Frail {
    async fn ensure_user(&self, name: &Username) -> Result<User, StorageError> {
        self.storage.ensure_user(name).await
    }

    async fn adopt_user(&self, id: UserId, name: &Username) -> Result<User, StorageError> {
        self.storage.adopt_user(id, name).await
    }

    async fn reserve_user_ids(&self, up_to: UserId) -> Result<(), StorageError> {
        self.storage.reserve_user_ids(up_to).await
    }

    async fn user_named(&self, name: &Username) -> Result<Option<User>, StorageError> {
        self.storage.user_named(name).await
    }

    async fn user(&self, id: UserId) -> Result<Option<User>, StorageError> {
        check(&self.faults.hides_users)?;
        self.storage.user(id).await
    }

    async fn users(&self, limit: u32) -> Result<Vec<User>, StorageError> {
        self.storage.users(limit).await
    }

    async fn record_last_seen(&self, user: UserId, at: Timestamp) -> Result<(), StorageError> {
        if let Some(may_be_recorded) = self.faults.may_be_recorded.get() {
            may_be_recorded.acquire().await.unwrap().forget();
        }
        self.storage.record_last_seen(user, at).await
    }

    async fn last_seen(&self, user: UserId) -> Result<Option<Timestamp>, StorageError> {
        self.storage.last_seen(user).await
    }
}

#[async_trait]
impl RoomStorage for Frail {
    async fn ensure_room(&self, name: &RoomName) -> Result<Room, StorageError> {
        check(&self.faults.hides_names)?;
        self.storage.ensure_room(name).await
    }

    async fn room_named(&self, name: &RoomName) -> Result<Option<Room>, StorageError> {
        check(&self.faults.hides_names)?;
        self.storage.room_named(name).await
    }

    async fn room(&self, id: RoomId) -> Result<Option<Room>, StorageError> {
        self.storage.room(id).await
    }

    async fn create_room(&self, room: &NewRoom) -> Result<Option<Room>, StorageError> {
        self.storage.create_room(room).await
    }

    async fn room_for(&self, purpose: Purpose, room: &NewRoom) -> Result<Room, StorageError> {
        self.storage.room_for(purpose, room).await
    }

    async fn rooms(&self) -> Result<Vec<Room>, StorageError> {
        self.storage.rooms().await
    }

    async fn leave(&self, room: RoomId, user: UserId) -> Result<Leaving, StorageError> {
        self.storage.leave(room, user).await
    }

    async fn join(&self, room: RoomId, user: UserId) -> Result<Joining, StorageError> {
        check(&self.faults.lets_nobody_join)?;
        self.storage.join(room, user).await
    }

    async fn changed_elsewhere(&self) -> Result<bool, StorageError> {
        Ok(self.faults.was_changed.load(Ordering::Relaxed) || self.storage.changed_elsewhere().await?)
    }

    async fn is_member(&self, room: RoomId, user: UserId) -> Result<bool, StorageError> {
        self.storage.is_member(room, user).await
    }

    async fn members(&self, room: RoomId) -> Result<Vec<User>, StorageError> {
        let members = self.storage.members(room).await;
        drop(self.faults.members_held.lock().await);
        if let Some(take) = self.faults.members_take.get() {
            tokio::time::sleep(*take).await;
        }
        members
    }

    async fn rooms_of(&self, user: UserId, limit: Option<u32>) -> Result<Vec<Room>, StorageError> {
        check(&self.faults.hides_rooms)?;
        self.storage.rooms_of(user, limit).await
    }
}

#[async_trait]
impl NotificationStorage for Frail {
    async fn notify(
        &self,
        sender: &User,
        recipient: UserId,
        text: Arc<str>,
        sent_at: Timestamp,
    ) -> Result<StoredNotification, StorageError> {
        self.storage.notify(sender, recipient, text, sent_at).await
    }

    async fn notifications(&self, recipient: UserId) -> Result<Vec<StoredNotification>, StorageError> {
        self.storage.notifications(recipient).await
    }

    async fn clear_notifications(
        &self,
        recipient: UserId,
        ids: &[NotificationId],
    ) -> Result<(), StorageError> {
        self.storage.clear_notifications(recipient, ids).await
    }
}

#[async_trait]
impl ProfileStorage for Frail {
    async fn profile(&self, user: UserId) -> Result<Profile, StorageError> {
        self.storage.profile(user).await
    }

    async fn set_profile(&self, user: UserId, profile: &Profile) -> Result<(), StorageError> {
        self.storage.set_profile(user, profile).await
    }

    async fn listing_owner(&self, listing: i64) -> Result<Option<User>, StorageError> {
        self.storage.listing_owner(listing).await
    }

    async fn set_listing(&self, listing: i64, owner: UserId) -> Result<(), StorageError> {
        self.storage.set_listing(listing, owner).await
    }
}

#[async_trait]
impl UpkeepStorage for Frail {
    async fn check(&self) -> Result<(), StorageError> {
        self.storage.check().await
    }

    async fn prune(&self, room: RoomId, keep: &Keep, at_most: u32) -> Result<u64, StorageError> {
        if self.faults.removes_nothing.load(Ordering::Relaxed) {
            return Err(StorageError::database("no space left on device"));
        }
        self.storage.prune(room, keep, at_most).await
    }
}

#[tokio::test]
async fn what_is_not_stored_is_not_confirmed_and_not_heard() {
    let frail = Frail::default();
    let faults = Arc::clone(&frail.faults);
    let node = Node::with(Arc::new(frail), LocalChannelLayer::new(), ServiceConfig::default());
    let amy = node.guest("amy", "hall").await;
    let ben = node.guest("ben", "hall").await;
    amy.heard();
    ben.heard();

    Faults::set(&faults.is_down, true);
    let refused = amy.try_say("lost").await.unwrap_err();
    assert!(matches!(refused, CommandError::Storage(_)));
    assert_eq!(refused.code(), ErrorCode::Unavailable);
    assert_eq!((amy.heard(), ben.heard()), (vec![], vec![]));
    let fetch = FetchHistory { room: None, before: None, limit: None };
    ben.session.handle(Command::FetchHistory(fetch)).await.unwrap();
    assert!(matches!(&ben.heard()[..], [Event::HistoryFetched(history)] if history.messages.is_empty()));

    Faults::set(&faults.is_down, false);
    amy.say("kept").await;
    assert_eq!(ben.hear_message().await, "kept");
}

#[tokio::test]
async fn a_closed_service_does_what_it_has_taken_and_takes_no_more() {
    let (node, faults) = crate::slow::start();
    let amy = node.guest("amy", "hall").await;
    let ben = node.guest("ben", "hall").await;
    let held = faults.held.lock().await;
    let storing = amy.session.handle(say(None, "being stored", None));
    let waiting = ben.session.handle(say(None, "waiting", None));
    tokio::pin!(storing, waiting);
    assert!(futures::poll!(storing.as_mut()).is_pending());
    assert!(futures::poll!(waiting.as_mut()).is_pending());
    node.service.close();
    drop(held);
    storing.await.unwrap();
    waiting.await.unwrap();
    assert_eq!(ben.hear_message().await, "being stored");
    assert_eq!(ben.hear_message().await, "waiting");
    node.driving.await.unwrap();
    assert!(matches!(amy.try_say("late").await, Err(CommandError::Closed)));
    let late = node.service.connect(chat_core::Arrival {
        identity: chat_core::Identity::Guest { name: None },
        target: chat_core::Target::Listener,
        behavior: None,
        transport: amy.inbox.clone(),
    });
    assert!(matches!(late.await, Err(ConnectError::Closed)));
}

#[tokio::test]
async fn a_sender_who_gives_up_leaves_no_message_unheard() {
    let (node, faults) = crate::slow::start();
    let amy = node.guest("amy", "hall").await;
    let ben = node.guest("ben", "hall").await;
    let held = faults.held.lock().await;
    {
        let storing = amy.session.handle(say(None, "being stored", None));
        let waiting = amy.session.handle(say(None, "waiting", None));
        tokio::pin!(storing, waiting);
        assert!(futures::poll!(storing.as_mut()).is_pending());
        assert!(futures::poll!(waiting.as_mut()).is_pending());
    }
    drop(held);
    amy.say("next").await;
    for text in ["being stored", "waiting", "next"] {
        assert_eq!(ben.hear_message().await, text);
    }
}

#[tokio::test]
async fn a_service_closed_while_a_sender_gives_up_delivers_their_message() {
    let (node, faults) = crate::slow::start();
    let amy = node.guest("amy", "hall").await;
    let ben = node.guest("ben", "hall").await;
    let held = faults.held.lock().await;
    let storing = Box::pin(amy.session.handle(say(None, "being stored", None)));
    let mut storing = storing;
    assert!(futures::poll!(storing.as_mut()).is_pending());
    node.service.close();
    tokio::task::yield_now().await;
    drop(storing);
    drop(held);
    node.driving.await.unwrap();
    assert_eq!(ben.hear_message().await, "being stored");
}
