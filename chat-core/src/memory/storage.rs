//! Keeps everything in memory, and forgets it at the end of the process.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;

use async_trait::async_trait;
use chat_protocol::{IdError, MessageId, NotificationId, RoomId, RoomName, Seq, Timestamp, UserId, Username};
use parking_lot::Mutex;

use super::room::RoomRecord;
use crate::StorageError;
use crate::storage::{
    Access, Appended, FurthestReaders, Joining, Keep, Leaving, MessageStorage, NOTIFICATIONS_PER_USER,
    NewMessage, NewRoom, NotificationStorage, Profile, ProfileStorage, Purpose, Room, RoomStorage,
    StoredMessage, StoredNotification, UpkeepStorage, User, UserStorage,
};

/// A [`Storage`](crate::Storage) in memory.
#[derive(Debug, Default)]
pub struct MemoryStorage(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    users: BTreeMap<UserId, UserRecord>,
    users_by_name: HashMap<Username, UserId>,
    reserved_user_ids: Option<UserId>,
    rooms: Vec<RoomRecord>,
    rooms_by_name: HashMap<RoomName, RoomId>,
    rooms_by_purpose: HashMap<Purpose, RoomId>,
    last_message: i64,
    notifications: HashMap<UserId, VecDeque<StoredNotification>>,
    last_notification: i64,
    profiles: HashMap<UserId, Profile>,
    listings: HashMap<i64, UserId>,
}

#[derive(Debug)]
struct UserRecord {
    user: User,
    last_seen: Option<Timestamp>,
}

impl MemoryStorage {
    /// An empty storage.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}

impl State {
    fn known_user(&self, id: UserId) -> Result<&UserRecord, StorageError> {
        self.users.get(&id).ok_or(StorageError::Missing { what: "user" })
    }

    fn add_room(&mut self, room: &NewRoom) -> Result<Room, StorageError> {
        let NewRoom { name, display_name, access, owner, members } = room.clone();
        let room = Room { id: next_id(self.rooms.len())?, name, display_name, access, owner };
        self.rooms_by_name.insert(room.name.clone(), room.id);
        self.rooms.push(RoomRecord {
            room: room.clone(),
            members,
            messages: VecDeque::new(),
            marks: HashMap::new(),
            read_marks: HashMap::new(),
            last_pruned: None,
        });
        Ok(room)
    }

    /// Adds a user, or renames them.
    fn put_user(&mut self, user: User) {
        let record =
            self.users.entry(user.id).or_insert_with(|| UserRecord { user: user.clone(), last_seen: None });
        self.users_by_name.remove(&record.user.name);
        self.users_by_name.insert(user.name.clone(), user.id);
        record.user = user;
    }

    fn room(&self, id: RoomId) -> Option<&RoomRecord> {
        place(id.value()).and_then(|place| self.rooms.get(place))
    }

    fn known_room(&mut self, id: RoomId) -> Result<&mut RoomRecord, StorageError> {
        place(id.value())
            .and_then(|place| self.rooms.get_mut(place))
            .ok_or(StorageError::Missing { what: "room" })
    }

    fn append(&mut self, message: &NewMessage) -> Result<Appended, StorageError> {
        let id = MessageId::new(self.last_message + 1).map_err(ran_out)?;
        let record = self.known_room(message.room)?;
        let mark = message.client_id.clone().map(|client_id| (message.sender.id, client_id));
        let known = mark.as_ref().and_then(|mark| record.marks.get(mark));
        if let Some(repeated) = known.and_then(|seq| record.message(*seq)) {
            return Ok(Appended::Repeated(repeated.clone()));
        }
        let stored = StoredMessage {
            id,
            room: message.room,
            seq: record.last_seq().map_or(Seq::FIRST, Seq::next),
            sender: message.sender.clone(),
            text: Arc::clone(&message.text),
            sent_at: message.sent_at,
            client_id: message.client_id.clone(),
        };
        if let Some(mark) = mark {
            record.marks.insert(mark, stored.seq);
        }
        record.messages.push_back(stored.clone());
        self.last_message = id.value();
        Ok(Appended::New(stored))
    }
}

/// Ids count from 1, places from 0.
fn place(id: i64) -> Option<usize> {
    usize::try_from(id - 1).ok()
}

pub(super) fn count(limit: u32) -> usize {
    usize::try_from(limit).unwrap_or(usize::MAX)
}

fn next_id<T: TryFrom<i64, Error = IdError>>(count: usize) -> Result<T, StorageError> {
    i64::try_from(count + 1).map_err(StorageError::database).and_then(|id| T::try_from(id).map_err(ran_out))
}

fn ran_out(error: IdError) -> StorageError {
    StorageError::database(error)
}

#[async_trait]
impl UserStorage for MemoryStorage {
    async fn ensure_user(&self, name: &Username) -> Result<User, StorageError> {
        let mut state = self.0.lock();
        if let Some(id) = state.users_by_name.get(name) {
            return state.known_user(*id).map(|record| record.user.clone());
        }
        let last = state.users.last_key_value().map(|(last, _)| *last).max(state.reserved_user_ids);
        let next = last.map_or(0, UserId::value) + 1;
        let user = User { id: UserId::new(next).map_err(ran_out)?, name: name.clone() };
        state.put_user(user.clone());
        Ok(user)
    }

    async fn adopt_user(&self, id: UserId, name: &Username) -> Result<User, StorageError> {
        let mut state = self.0.lock();
        let holder = state.users_by_name.get(name).copied().filter(|holder| *holder != id);
        if let Some(holder) = holder {
            let displaced = state.known_user(holder)?.user.displaced_name()?;
            state.put_user(User { id: holder, name: displaced });
        }
        let user = User { id, name: name.clone() };
        state.put_user(user.clone());
        Ok(user)
    }

    async fn reserve_user_ids(&self, up_to: UserId) -> Result<(), StorageError> {
        let mut state = self.0.lock();
        state.reserved_user_ids = state.reserved_user_ids.max(Some(up_to));
        Ok(())
    }

    async fn user_named(&self, name: &Username) -> Result<Option<User>, StorageError> {
        let state = self.0.lock();
        state
            .users_by_name
            .get(name)
            .map(|id| state.known_user(*id).map(|record| record.user.clone()))
            .transpose()
    }

    async fn user(&self, id: UserId) -> Result<Option<User>, StorageError> {
        Ok(self.0.lock().users.get(&id).map(|record| record.user.clone()))
    }

    async fn users(&self, limit: u32) -> Result<Vec<User>, StorageError> {
        Ok(self.0.lock().users.values().take(count(limit)).map(|record| record.user.clone()).collect())
    }

    async fn record_last_seen(&self, user: UserId, at: Timestamp) -> Result<(), StorageError> {
        let mut state = self.0.lock();
        if let Some(record) = state.users.get_mut(&user) {
            record.last_seen = record.last_seen.max(Some(at));
        }
        Ok(())
    }

    async fn last_seen(&self, user: UserId) -> Result<Option<Timestamp>, StorageError> {
        self.0.lock().known_user(user).map(|record| record.last_seen)
    }
}

#[async_trait]
impl RoomStorage for MemoryStorage {
    async fn ensure_room(&self, name: &RoomName) -> Result<Room, StorageError> {
        let mut state = self.0.lock();
        let known = state.rooms_by_name.get(name).and_then(|id| state.room(*id));
        if let Some(record) = known {
            return Ok(record.room.clone());
        }
        let access = Access::Open;
        state.add_room(&NewRoom {
            name: name.clone(),
            display_name: None,
            access,
            owner: None,
            members: vec![],
        })
    }

    async fn create_room(&self, room: &NewRoom) -> Result<Option<Room>, StorageError> {
        let mut state = self.0.lock();
        if state.rooms_by_name.contains_key(&room.name) {
            return Ok(None);
        }
        state.add_room(room).map(Some)
    }

    async fn room_for(&self, purpose: Purpose, room: &NewRoom) -> Result<Room, StorageError> {
        let purpose = purpose.canonical();
        let mut state = self.0.lock();
        let known = state.rooms_by_purpose.get(&purpose).and_then(|id| state.room(*id));
        if let Some(record) = known {
            return Ok(record.room.clone());
        }
        if state.rooms_by_name.contains_key(&room.name) {
            return Err(StorageError::Taken { what: "the name of the room" });
        }
        let room = state.add_room(room)?;
        state.rooms_by_purpose.insert(purpose, room.id);
        Ok(room)
    }

    async fn rooms(&self) -> Result<Vec<Room>, StorageError> {
        Ok(self.0.lock().rooms.iter().map(|record| record.room.clone()).collect())
    }

    async fn leave(&self, room: RoomId, user: UserId) -> Result<Leaving, StorageError> {
        let mut state = self.0.lock();
        let members = &mut state.known_room(room)?.members;
        let place = members.iter().position(|member| *member == user);
        Ok(place.map_or(Leaving::NotAMember, |place| {
            members.remove(place);
            Leaving::Left
        }))
    }

    async fn room_named(&self, name: &RoomName) -> Result<Option<Room>, StorageError> {
        let state = self.0.lock();
        Ok(state.rooms_by_name.get(name).and_then(|id| state.room(*id)).map(|record| record.room.clone()))
    }

    async fn room(&self, id: RoomId) -> Result<Option<Room>, StorageError> {
        Ok(self.0.lock().room(id).map(|record| record.room.clone()))
    }

    async fn join(&self, room: RoomId, user: UserId) -> Result<Joining, StorageError> {
        let mut state = self.0.lock();
        state.known_user(user)?;
        let members = &mut state.known_room(room)?.members;
        if members.contains(&user) {
            return Ok(Joining::AlreadyMember);
        }
        members.push(user);
        Ok(Joining::Joined)
    }

    async fn changed_elsewhere(&self) -> Result<bool, StorageError> {
        Ok(false)
    }

    async fn is_member(&self, room: RoomId, user: UserId) -> Result<bool, StorageError> {
        Ok(self.0.lock().room(room).is_some_and(|record| record.members.contains(&user)))
    }

    async fn members(&self, room: RoomId) -> Result<Vec<User>, StorageError> {
        let state = self.0.lock();
        let members = state.room(room).map(|record| record.members.as_slice()).unwrap_or_default();
        members.iter().map(|id| state.known_user(*id).map(|record| record.user.clone())).collect()
    }

    async fn rooms_of(&self, user: UserId, limit: Option<u32>) -> Result<Vec<Room>, StorageError> {
        let state = self.0.lock();
        let rooms = state.rooms.iter().filter(|record| record.members.contains(&user));
        Ok(rooms.take(limit.map_or(usize::MAX, count)).map(|record| record.room.clone()).collect())
    }
}

#[async_trait]
impl MessageStorage for MemoryStorage {
    async fn append(&self, messages: &[NewMessage]) -> Result<Vec<Appended>, StorageError> {
        let mut state = self.0.lock();
        for message in messages {
            state.known_room(message.room)?;
            state.known_user(message.sender.id)?;
        }
        messages.iter().map(|message| state.append(message)).collect()
    }

    async fn seq_of(&self, room: RoomId, message: MessageId) -> Result<Option<Seq>, StorageError> {
        Ok(self.0.lock().room(room).and_then(|record| record.seq_of(message)))
    }

    async fn newest(&self, room: RoomId) -> Result<Option<StoredMessage>, StorageError> {
        Ok(self.0.lock().room(room).and_then(|record| record.messages.back().cloned()))
    }

    async fn newest_places(&self, rooms: &[RoomId]) -> Result<Vec<(RoomId, Seq)>, StorageError> {
        let state = self.0.lock();
        let newest = |room| Some((room, state.room(room)?.messages.back()?.seq));
        Ok(rooms.iter().copied().filter_map(newest).collect())
    }

    async fn messages_before(
        &self,
        room: RoomId,
        before: Option<Seq>,
        limit: u32,
    ) -> Result<Vec<StoredMessage>, StorageError> {
        let state = self.0.lock();
        let Some(RoomRecord { messages, .. }) = state.room(room) else { return Ok(Vec::new()) };
        let end = messages.partition_point(|stored| before.is_none_or(|before| stored.seq < before));
        Ok(messages.range(..end).rev().take(count(limit)).cloned().collect())
    }

    async fn messages_after(
        &self,
        room: RoomId,
        after: Option<Seq>,
        limit: u32,
    ) -> Result<Vec<StoredMessage>, StorageError> {
        let state = self.0.lock();
        let Some(RoomRecord { messages, .. }) = state.room(room) else { return Ok(Vec::new()) };
        let start = messages.partition_point(|stored| after.is_some_and(|after| stored.seq <= after));
        Ok(messages.range(start..).take(count(limit)).cloned().collect())
    }

    async fn mark_read(&self, room: RoomId, user: UserId, up_to: Seq) -> Result<(), StorageError> {
        let mut state = self.0.lock();
        let mark = state.known_room(room)?.read_marks.entry(user).or_insert(up_to);
        *mark = up_to.max(*mark);
        Ok(())
    }

    async fn furthest_readers(&self, room: RoomId) -> Result<FurthestReaders, StorageError> {
        let state = self.0.lock();
        let mut marks: Vec<_> = state
            .room(room)
            .into_iter()
            .flat_map(|record| &record.read_marks)
            .map(|(user, seq)| (*user, *seq))
            .collect();
        marks.sort_unstable_by_key(|(user, seq)| (std::cmp::Reverse(*seq), *user));
        let mut furthest = marks.into_iter();
        Ok(FurthestReaders([furthest.next(), furthest.next()]))
    }
}

#[async_trait]
impl NotificationStorage for MemoryStorage {
    async fn notify(
        &self,
        sender: &User,
        recipient: UserId,
        text: Arc<str>,
        sent_at: Timestamp,
    ) -> Result<StoredNotification, StorageError> {
        let mut state = self.0.lock();
        let id = NotificationId::new(state.last_notification + 1).map_err(ran_out)?;
        let stored = StoredNotification { id, sender: sender.clone(), recipient, text, sent_at };
        state.last_notification = id.value();
        let own = state.notifications.entry(recipient).or_default();
        own.push_back(stored.clone());
        if own.len() > count(NOTIFICATIONS_PER_USER) {
            own.pop_front();
        }
        Ok(stored)
    }

    async fn notifications(&self, recipient: UserId) -> Result<Vec<StoredNotification>, StorageError> {
        let state = self.0.lock();
        Ok(state.notifications.get(&recipient).into_iter().flatten().cloned().collect())
    }

    async fn clear_notifications(
        &self,
        recipient: UserId,
        ids: &[NotificationId],
    ) -> Result<(), StorageError> {
        let mut state = self.0.lock();
        if let Some(own) = state.notifications.get_mut(&recipient) {
            own.retain(|stored| !ids.contains(&stored.id));
        }
        Ok(())
    }
}

#[async_trait]
impl ProfileStorage for MemoryStorage {
    async fn profile(&self, user: UserId) -> Result<Profile, StorageError> {
        Ok(self.0.lock().profiles.get(&user).cloned().unwrap_or_default())
    }

    async fn set_profile(&self, user: UserId, profile: &Profile) -> Result<(), StorageError> {
        self.0.lock().profiles.insert(user, profile.clone());
        Ok(())
    }

    async fn listing_owner(&self, listing: i64) -> Result<Option<User>, StorageError> {
        let state = self.0.lock();
        state
            .listings
            .get(&listing)
            .map(|owner| state.known_user(*owner).map(|record| record.user.clone()))
            .transpose()
    }

    async fn set_listing(&self, listing: i64, owner: UserId) -> Result<(), StorageError> {
        self.0.lock().listings.insert(listing, owner);
        Ok(())
    }
}

#[async_trait]
impl UpkeepStorage for MemoryStorage {
    async fn check(&self) -> Result<(), StorageError> {
        Ok(())
    }

    async fn prune(&self, room: RoomId, keep: &Keep, at_most: u32) -> Result<u64, StorageError> {
        let mut state = self.0.lock();
        let record = state.known_room(room)?;
        let surplus = record.surplus(keep).min(count(at_most));
        (0..surplus).for_each(|_| record.forget_oldest());
        u64::try_from(surplus).map_err(StorageError::database)
    }
}
