//! What a [`Storage`] must do. Every case gets an empty one.

use std::sync::Arc;

use chat_protocol::{
    ClientId, MessageId, NotificationId, RoomId, RoomName, Seq, Timestamp, UserId, Username,
};

use crate::Storage;
use crate::storage::{
    Access, Appended, FurthestReaders, Joining, Leaving, NewMessage, NewRoom, Profile, Purpose, Room,
    StoredMessage, User,
};

/// Tests an implementation of [`Storage`]: give it a future that makes an empty one.
///
/// What keeps the storage alive (a folder, a server) may come with it: a pair of the storage and anything else.
///
/// ```
/// chat_core::storage_conformance!(async { chat_core::memory::MemoryStorage::new() });
/// # fn main() {}
/// ```
#[macro_export]
macro_rules! storage_conformance {
    ($make:expr) => {
        $crate::storage_conformance! { @cases $make,
            users_are_made_once,
            users_are_found_by_name_exactly,
            adopted_users_keep_their_ids,
            last_seen_never_goes_back,
            rooms_are_made_once,
            rooms_made_at_once_are_one,
            rooms_are_found_by_name_and_id,
            rooms_are_created_with_their_members,
            a_purpose_has_one_room,
            who_leaves_is_no_member,
            users_are_listed,
            members_keep_the_order_of_joining,
            appended_messages_are_numbered_without_gaps,
            messages_are_kept_as_they_were,
            ids_grow_with_the_sequence,
            appends_at_once_leave_no_gap,
            a_repeated_client_id_is_stored_once,
            a_client_id_repeated_within_a_batch_is_stored_once,
            client_ids_of_others_do_not_clash,
            a_batch_for_an_unknown_room_stores_nothing,
            history_is_paged_from_the_newest,
            messages_of_other_rooms_are_not_found,
            read_marks_never_go_back,
            the_two_furthest_readers_are_told,
            notifications_stay_until_their_owner_clears_them,
            profiles_and_listings_are_replaced,
        }
    };
    (@cases $make:expr, $($case:ident,)*) => {
        $(
            #[tokio::test]
            async fn $case() {
                let made = $make.await;
                $crate::conformance::storage::$case($crate::conformance::storage::Made::storage(&made)).await;
            }
        )*
    };
}

/// A storage, alone or with what keeps it alive.
pub trait Made {
    /// The storage itself.
    type Storage: Storage;

    /// The storage itself.
    fn storage(&self) -> &Self::Storage;
}

impl<S: Storage> Made for S {
    type Storage = S;

    fn storage(&self) -> &S {
        self
    }
}

/// A storage, and what must live as long.
#[derive(Debug)]
pub struct With<S, K>(
    /// The storage.
    pub S,
    /// What must live as long.
    pub K,
);

impl<S: Storage, K> Made for With<S, K> {
    type Storage = S;

    fn storage(&self) -> &S {
        &self.0
    }
}

fn at(micros: i64) -> Timestamp {
    Timestamp::from_micros(micros).unwrap()
}

fn seq(number: i64) -> Seq {
    Seq::new(number).unwrap()
}

fn username(name: &str) -> Username {
    Username::new(name).unwrap()
}

async fn user(storage: &impl Storage, name: &str) -> User {
    storage.ensure_user(&username(name)).await.unwrap()
}

async fn room(storage: &impl Storage, name: &str) -> Room {
    storage.ensure_room(&RoomName::new(name).unwrap()).await.unwrap()
}

fn message(room: &Room, sender: &User, text: &str) -> NewMessage {
    NewMessage { room: room.id, sender: sender.clone(), text: text.into(), sent_at: at(1), client_id: None }
}

fn marked(room: &Room, sender: &User, text: &str, client_id: &str) -> NewMessage {
    NewMessage { client_id: Some(ClientId::new(client_id).unwrap()), ..message(room, sender, text) }
}

async fn append(storage: &impl Storage, message: NewMessage) -> StoredMessage {
    match storage.append(&[message]).await.unwrap().pop().unwrap() {
        Appended::New(stored) | Appended::Repeated(stored) => stored,
    }
}

fn texts(messages: &[StoredMessage]) -> Vec<&str> {
    messages.iter().map(|stored| &*stored.text).collect()
}

async fn history(storage: &impl Storage, room: &Room) -> Vec<StoredMessage> {
    storage.messages_before(room.id, None, u32::MAX).await.unwrap()
}

/// A name has one user, however often it is asked for, also at once.
pub async fn users_are_made_once(storage: &impl Storage) {
    let names = [username("amy"), username("ben"), username("amy"), username("王小明"), username("amy")];
    let users = futures::future::join_all(names.iter().map(|name| storage.ensure_user(name))).await;
    let users: Vec<User> = users.into_iter().collect::<Result<_, _>>().unwrap();
    assert_eq!(users[0], users[2]);
    assert_eq!(users[0], users[4]);
    assert_ne!(users[0].id, users[1].id);
    assert_eq!(users[3].name.as_str(), "王小明");
}

/// Names differ by every character and by case.
pub async fn users_are_found_by_name_exactly(storage: &impl Storage) {
    let amy = user(storage, "amy").await;
    assert_eq!(storage.user_named(&amy.name).await.unwrap(), Some(amy));
    for other in ["Amy", "am", "amyy", "%", "amу"] {
        assert_eq!(storage.user_named(&username(other)).await.unwrap(), None, "{other}");
    }
}

/// Another system's ids are kept; its names may change, and pass from one to another.
pub async fn adopted_users_keep_their_ids(storage: &impl Storage) {
    let id = |number| UserId::new(number).unwrap();
    let guest = user(storage, "amy").await;
    let amy = storage.adopt_user(id(70), &username("amy")).await.unwrap();
    assert_eq!(amy, User { id: id(70), name: username("amy") });
    assert_eq!(storage.user_named(&amy.name).await.unwrap(), Some(amy.clone()));
    let displaced = guest.displaced_name().unwrap();
    assert_eq!(storage.user_named(&displaced).await.unwrap().map(|user| user.id), Some(guest.id));

    let renamed = storage.adopt_user(id(70), &username("amelie")).await.unwrap();
    assert_eq!(storage.user_named(&username("amelie")).await.unwrap(), Some(renamed));
    assert_eq!(storage.user_named(&username("amy")).await.unwrap(), None);
    assert_eq!(storage.adopt_user(id(71), &username("amy")).await.unwrap().id, id(71));
    assert!(user(storage, "ben").await.id > id(71), "ids of one's own do not clash with them");
}

/// The latest time counts, whatever comes after.
pub async fn last_seen_never_goes_back(storage: &impl Storage) {
    let amy = user(storage, "amy").await;
    assert_eq!(storage.last_seen(amy.id).await.unwrap(), None);
    for (seen, latest) in [(5, 5), (9, 9), (7, 9)] {
        storage.record_last_seen(amy.id, at(seen)).await.unwrap();
        assert_eq!(storage.last_seen(amy.id).await.unwrap(), Some(at(latest)));
    }
}

/// A name has one room, open at first, with its name as the only name.
pub async fn rooms_are_made_once(storage: &impl Storage) {
    let lobby = room(storage, "lobby").await;
    assert_eq!((lobby.access, lobby.display_name.clone()), (Access::Open, None));
    assert_eq!(room(storage, "lobby").await, lobby);
    assert_ne!(room(storage, "Lobby").await.id, lobby.id);
}

/// A room that many ask for at once is made once.
pub async fn rooms_made_at_once_are_one(storage: &impl Storage) {
    let name = RoomName::new("聊天室").unwrap();
    let rooms = futures::future::join_all((0..20).map(|_| storage.ensure_room(&name))).await;
    let rooms: Vec<Room> = rooms.into_iter().collect::<Result<_, _>>().unwrap();
    assert!(rooms.iter().all(|room| *room == rooms[0]));
}

/// A room is found under its name and its id, and under nothing else.
pub async fn rooms_are_found_by_name_and_id(storage: &impl Storage) {
    let lobby = room(storage, "lobby").await;
    assert_eq!(storage.room_named(&lobby.name).await.unwrap(), Some(lobby.clone()));
    assert_eq!(storage.room(lobby.id).await.unwrap(), Some(lobby));
    assert_eq!(storage.room_named(&RoomName::new("1").unwrap()).await.unwrap(), None);
    assert_eq!(storage.room(RoomId::new(i64::MAX).unwrap()).await.unwrap(), None);
}

fn private(name: &str, members: &[&User]) -> NewRoom {
    NewRoom {
        name: RoomName::new(name).unwrap(),
        display_name: Some("Ours".into()),
        access: Access::MembersOnly,
        owner: members.first().map(|owner| owner.id),
        members: members.iter().map(|member| member.id).collect(),
    }
}

/// A room is made with everything that belongs to it, and once only.
pub async fn rooms_are_created_with_their_members(storage: &impl Storage) {
    let (amy, ben) = (user(storage, "amy").await, user(storage, "ben").await);
    let made = storage.create_room(&private("den", &[&amy, &ben])).await.unwrap().unwrap();
    assert_eq!(
        (made.access, made.display_name.as_deref(), made.owner),
        (Access::MembersOnly, Some("Ours"), Some(amy.id))
    );
    assert_eq!(storage.members(made.id).await.unwrap(), [amy.clone(), ben]);
    assert_eq!(storage.room_named(&made.name).await.unwrap(), Some(made.clone()));
    assert_eq!(storage.create_room(&private("den", &[&amy])).await.unwrap(), None);
    assert_eq!(
        storage.ensure_room(&made.name).await.unwrap(),
        made,
        "it is not made open by who comes along"
    );
    let hall = room(storage, "hall").await;
    assert_eq!(storage.rooms().await.unwrap(), [made, hall]);
}

/// A purpose has one room, whoever asks, also at once.
pub async fn a_purpose_has_one_room(storage: &impl Storage) {
    let (amy, ben) = (user(storage, "amy").await, user(storage, "ben").await);
    let rooms = [private("a", &[&amy, &ben]), private("b", &[&ben, &amy])];
    let purposes = [Purpose::OneToOne(amy.id, ben.id), Purpose::OneToOne(ben.id, amy.id)];
    let asked = (0..10).map(|number| storage.room_for(purposes[number % 2], &rooms[number % 2]));
    let found: Vec<Room> =
        futures::future::join_all(asked).await.into_iter().collect::<Result<_, _>>().unwrap();
    assert!(found.iter().all(|room| *room == found[0]));
    assert_eq!(storage.members(found[0].id).await.unwrap().len(), 2);

    let listing = |listing, caller: &User| Purpose::Listing { listing, caller: caller.id };
    let first = storage.room_for(listing(1, &amy), &private("c", &[&amy, &ben])).await.unwrap();
    assert_eq!(storage.room_for(listing(1, &amy), &private("d", &[])).await.unwrap(), first);
    assert_ne!(storage.room_for(listing(2, &amy), &private("e", &[])).await.unwrap(), first);
    assert_ne!(storage.room_for(listing(1, &ben), &private("f", &[])).await.unwrap(), first);
    assert!(storage.room_for(listing(9, &ben), &private("c", &[])).await.is_err(), "names stay unique");
}

/// Who leaves is gone, and may come back.
pub async fn who_leaves_is_no_member(storage: &impl Storage) {
    let lobby = room(storage, "lobby").await;
    let amy = user(storage, "amy").await;
    assert_eq!(storage.leave(lobby.id, amy.id).await.unwrap(), Leaving::NotAMember);
    storage.join(lobby.id, amy.id).await.unwrap();
    assert_eq!(storage.leave(lobby.id, amy.id).await.unwrap(), Leaving::Left);
    assert!(!storage.is_member(lobby.id, amy.id).await.unwrap());
    assert_eq!(storage.rooms_of(amy.id).await.unwrap(), []);
    assert_eq!(storage.join(lobby.id, amy.id).await.unwrap(), Joining::Joined);
}

/// Users are found by id, and listed by id.
pub async fn users_are_listed(storage: &impl Storage) {
    assert_eq!(storage.users().await.unwrap(), []);
    let (amy, ben) = (user(storage, "amy").await, user(storage, "ben").await);
    assert_eq!(storage.users().await.unwrap(), [amy.clone(), ben]);
    assert_eq!(storage.user(amy.id).await.unwrap(), Some(amy));
    assert_eq!(storage.user(UserId::new(999).unwrap()).await.unwrap(), None);
}

/// Members are listed as they joined, each once; rooms of a user are listed by id.
pub async fn members_keep_the_order_of_joining(storage: &impl Storage) {
    let (lobby, other) = (room(storage, "lobby").await, room(storage, "other").await);
    let (amy, ben) = (user(storage, "amy").await, user(storage, "ben").await);
    assert_eq!(storage.join(lobby.id, ben.id).await.unwrap(), Joining::Joined);
    assert_eq!(storage.join(lobby.id, amy.id).await.unwrap(), Joining::Joined);
    assert_eq!(storage.join(lobby.id, ben.id).await.unwrap(), Joining::AlreadyMember);
    storage.join(other.id, ben.id).await.unwrap();
    assert_eq!(storage.members(lobby.id).await.unwrap(), [ben.clone(), amy.clone()]);
    assert_eq!(storage.rooms_of(ben.id).await.unwrap(), [lobby.clone(), other.clone()]);
    assert!(storage.is_member(lobby.id, amy.id).await.unwrap());
    assert!(!storage.is_member(other.id, amy.id).await.unwrap());
}

/// Every room counts its own messages, from 1, without gaps, in the order given.
pub async fn appended_messages_are_numbered_without_gaps(storage: &impl Storage) {
    let (lobby, other) = (room(storage, "lobby").await, room(storage, "other").await);
    let amy = user(storage, "amy").await;
    let batch = [
        message(&lobby, &amy, "one"),
        message(&other, &amy, "un"),
        message(&lobby, &amy, "two"),
        message(&lobby, &amy, "three"),
        message(&other, &amy, "deux"),
    ];
    let outcomes = storage.append(&batch).await.unwrap();
    let numbers: Vec<i64> = outcomes
        .iter()
        .map(|outcome| match outcome {
            Appended::New(stored) => stored.seq.value(),
            Appended::Repeated(_) => unreachable!("nothing is repeated"),
        })
        .collect();
    assert_eq!(numbers, [1, 1, 2, 3, 2]);
    assert_eq!(append(storage, message(&lobby, &amy, "four")).await.seq, seq(4));
    assert_eq!(texts(&history(storage, &other).await), ["deux", "un"]);
    assert!(storage.append(&[]).await.unwrap().is_empty());
}

/// Nothing of a message changes on the way.
pub async fn messages_are_kept_as_they_were(storage: &impl Storage) {
    let lobby = room(storage, "lobby").await;
    let amy = user(storage, "amy").await;
    let long = "long ".repeat(5_000);
    let texts = [
        " padded ",
        "'); DROP TABLE messages; --",
        "سلام\u{200c}😀\u{2028}\u{202e}",
        "%s {} \\n \"q\"",
        &long,
    ];
    for (number, text) in (1_i64..).zip(texts) {
        let sent = NewMessage { sent_at: at(1_709_989_473_253_530 + number), ..message(&lobby, &amy, text) };
        let stored = append(storage, sent.clone()).await;
        assert_eq!((&*stored.text, stored.sent_at, &stored.sender), (text, sent.sent_at, &amy));
        assert_eq!(storage.newest(lobby.id).await.unwrap(), Some(stored));
    }
}

/// Ids grow with the sequence of a room.
pub async fn ids_grow_with_the_sequence(storage: &impl Storage) {
    let lobby = room(storage, "lobby").await;
    let amy = user(storage, "amy").await;
    for text in ["one", "two"] {
        append(storage, message(&lobby, &amy, text)).await;
        storage.append(&[message(&lobby, &amy, text), message(&lobby, &amy, text)]).await.unwrap();
    }
    let mut stored = history(storage, &lobby).await;
    stored.reverse();
    assert_eq!(stored.len(), 6);
    assert!(stored.is_sorted_by(|a, b| a.id < b.id && a.seq.next() == b.seq));
}

/// Batches that are appended at once are stored one after the other.
pub async fn appends_at_once_leave_no_gap(storage: &impl Storage) {
    let lobby = room(storage, "lobby").await;
    let amy = user(storage, "amy").await;
    let batches: Vec<_> = (0..20)
        .map(|number| [message(&lobby, &amy, "a"), message(&lobby, &amy, &number.to_string())])
        .collect();
    let outcomes = futures::future::join_all(batches.iter().map(|batch| storage.append(batch))).await;
    for outcome in outcomes {
        let pair = outcome.unwrap();
        let [Appended::New(a), Appended::New(b)] = &pair[..] else { unreachable!("nothing is repeated") };
        assert_eq!(a.seq.next(), b.seq, "a batch stays together");
    }
    let numbers: Vec<i64> = history(storage, &lobby).await.iter().map(|stored| stored.seq.value()).collect();
    assert_eq!(numbers, (1..=40).rev().collect::<Vec<_>>());
}

/// The same mark from the same sender in the same room is the same message.
pub async fn a_repeated_client_id_is_stored_once(storage: &impl Storage) {
    let lobby = room(storage, "lobby").await;
    let amy = user(storage, "amy").await;
    let first = append(storage, marked(&lobby, &amy, "first", "m1")).await;
    append(storage, marked(&lobby, &amy, "second", "m2")).await;
    let outcomes = storage.append(&[marked(&lobby, &amy, "again", "m1")]).await.unwrap();
    assert_eq!(outcomes, [Appended::Repeated(first)]);
    assert_eq!(
        append(storage, message(&lobby, &amy, "third")).await.seq,
        seq(3),
        "a repetition takes no number"
    );
    assert_eq!(texts(&history(storage, &lobby).await), ["third", "second", "first"]);
}

/// Also when it comes twice in one batch.
pub async fn a_client_id_repeated_within_a_batch_is_stored_once(storage: &impl Storage) {
    let lobby = room(storage, "lobby").await;
    let amy = user(storage, "amy").await;
    let batch = [
        marked(&lobby, &amy, "first", "m1"),
        marked(&lobby, &amy, "again", "m1"),
        message(&lobby, &amy, "next"),
    ];
    let outcomes = storage.append(&batch).await.unwrap();
    let [Appended::New(first), Appended::Repeated(again), Appended::New(next)] = &outcomes[..] else {
        unreachable!("the second repeats the first: {outcomes:?}")
    };
    assert_eq!((first, next.seq), (again, seq(2)));
}

/// Marks belong to their sender and room.
pub async fn client_ids_of_others_do_not_clash(storage: &impl Storage) {
    let (lobby, other) = (room(storage, "lobby").await, room(storage, "other").await);
    let (amy, ben) = (user(storage, "amy").await, user(storage, "ben").await);
    for (room, sender) in [(&lobby, &amy), (&lobby, &ben), (&other, &amy)] {
        let outcomes = storage.append(&[marked(room, sender, "x", "m1")]).await.unwrap();
        assert!(matches!(outcomes[..], [Appended::New(_)]));
    }
}

/// A batch is stored as a whole or not at all.
pub async fn a_batch_for_an_unknown_room_stores_nothing(storage: &impl Storage) {
    let lobby = room(storage, "lobby").await;
    let amy = user(storage, "amy").await;
    let nowhere = NewMessage { room: RoomId::new(999).unwrap(), ..message(&lobby, &amy, "lost") };
    assert!(storage.append(&[message(&lobby, &amy, "kept?"), nowhere]).await.is_err());
    assert_eq!(history(storage, &lobby).await, []);
    assert_eq!(append(storage, message(&lobby, &amy, "first")).await.seq, seq(1));
}

/// Pages follow each other without gap or overlap, and end.
pub async fn history_is_paged_from_the_newest(storage: &impl Storage) {
    let lobby = room(storage, "lobby").await;
    let amy = user(storage, "amy").await;
    assert_eq!(storage.newest(lobby.id).await.unwrap(), None);
    assert_eq!(history(storage, &lobby).await, []);
    for number in 1..=5 {
        append(storage, message(&lobby, &amy, &number.to_string())).await;
    }
    let page =
        async |before: Option<Seq>, limit| storage.messages_before(lobby.id, before, limit).await.unwrap();
    assert_eq!(texts(&page(None, 2).await), ["5", "4"]);
    assert_eq!(texts(&page(Some(seq(4)), 2).await), ["3", "2"]);
    assert_eq!(texts(&page(Some(seq(2)), 2).await), ["1"]);
    assert_eq!(page(Some(seq(1)), 2).await, []);
    assert_eq!(texts(&page(Some(seq(99)), 1).await), ["5"]);
    assert_eq!(page(None, 0).await, []);
}

/// A message is looked for in its own room only.
pub async fn messages_of_other_rooms_are_not_found(storage: &impl Storage) {
    let (lobby, other) = (room(storage, "lobby").await, room(storage, "other").await);
    let amy = user(storage, "amy").await;
    append(storage, message(&lobby, &amy, "one")).await;
    let two = append(storage, message(&lobby, &amy, "two")).await;
    assert_eq!(storage.seq_of(lobby.id, two.id).await.unwrap(), Some(two.seq));
    assert_eq!(storage.seq_of(other.id, two.id).await.unwrap(), None);
    assert_eq!(storage.seq_of(lobby.id, MessageId::new(i64::MAX).unwrap()).await.unwrap(), None);
}

/// Marks only move forward, in any order of calls.
pub async fn read_marks_never_go_back(storage: &impl Storage) {
    let lobby = room(storage, "lobby").await;
    let amy = user(storage, "amy").await;
    for (mark, furthest) in [(2, 2), (5, 5), (3, 5), (5, 5)] {
        storage.mark_read(lobby.id, amy.id, seq(mark)).await.unwrap();
        let readers = storage.furthest_readers(lobby.id).await.unwrap();
        assert_eq!(readers, FurthestReaders([Some((amy.id, seq(furthest))), None]));
    }
}

/// The two marks that are furthest on are told, the furthest first, and each room has its own.
pub async fn the_two_furthest_readers_are_told(storage: &impl Storage) {
    let (lobby, other) = (room(storage, "lobby").await, room(storage, "other").await);
    let marks: Vec<(UserId, i64)> = vec![
        (user(storage, "amy").await.id, 4),
        (user(storage, "ben").await.id, 9),
        (user(storage, "cleo").await.id, 7),
    ];
    for (reader, mark) in &marks {
        storage.mark_read(lobby.id, *reader, seq(*mark)).await.unwrap();
    }
    let furthest = storage.furthest_readers(lobby.id).await.unwrap();
    assert_eq!(furthest, FurthestReaders([Some((marks[1].0, seq(9))), Some((marks[2].0, seq(7)))]));
    assert_eq!(storage.furthest_readers(other.id).await.unwrap(), FurthestReaders::default());
}

/// Notifications are kept for their recipient, who alone can clear them.
pub async fn notifications_stay_until_their_owner_clears_them(storage: &impl Storage) {
    let (amy, ben) = (user(storage, "amy").await, user(storage, "ben").await);
    let notify =
        async |text: &str, micros| storage.notify(&amy, ben.id, Arc::from(text), at(micros)).await.unwrap();
    let (first, second) = (notify("first", 1).await, notify("第二", 2).await);
    assert_eq!((&first.sender, &*first.text, first.sent_at, first.recipient), (&amy, "first", at(1), ben.id));
    assert_eq!(storage.notifications(ben.id).await.unwrap(), [first.clone(), second.clone()]);
    assert_eq!(storage.notifications(amy.id).await.unwrap(), []);

    storage.clear_notifications(amy.id, &[first.id]).await.unwrap();
    assert_eq!(storage.notifications(ben.id).await.unwrap().len(), 2, "others cannot clear them");
    storage.clear_notifications(ben.id, &[first.id, NotificationId::new(999).unwrap()]).await.unwrap();
    storage.clear_notifications(ben.id, &[]).await.unwrap();
    assert_eq!(storage.notifications(ben.id).await.unwrap(), [second]);
}

/// Profiles and listings are what was last said of them.
pub async fn profiles_and_listings_are_replaced(storage: &impl Storage) {
    let (amy, ben) = (user(storage, "amy").await, user(storage, "ben").await);
    assert_eq!(storage.profile(amy.id).await.unwrap(), Profile::default());
    for city in ["اصفهان", "'); DROP TABLE profiles"] {
        let profile =
            Profile { city: city.to_owned(), email: "amy@example.com".to_owned(), ..Profile::default() };
        storage.set_profile(amy.id, &profile).await.unwrap();
        assert_eq!(storage.profile(amy.id).await.unwrap(), profile);
    }
    assert_eq!(storage.profile(ben.id).await.unwrap(), Profile::default());
    assert_eq!(storage.listing_owner(7).await.unwrap(), None);
    for owner in [&amy, &ben] {
        storage.set_listing(7, owner.id).await.unwrap();
        assert_eq!(storage.listing_owner(7).await.unwrap().as_ref(), Some(owner));
    }
}

#[cfg(test)]
mod tests {
    crate::storage_conformance!(async { crate::memory::MemoryStorage::new() });
}
