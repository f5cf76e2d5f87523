//! Rooms and their members.

use chat_protocol::{RoomId, RoomName, UserId};

use super::{room, user};
use crate::storage::{Access, Joining, Leaving, NewRoom, Purpose, Room, User};
use crate::{Storage, StorageError};

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

    let (cleo, dora) = (user(storage, "cleo").await, user(storage, "dora").await);
    let listing = |listing, owner: &User, caller: &User| Purpose::Listing {
        listing,
        owner: owner.id,
        caller: caller.id,
    };
    let first = storage.room_for(listing(1, &cleo, &amy), &private("c", &[&amy, &cleo])).await.unwrap();
    assert_eq!(storage.room_for(listing(1, &cleo, &amy), &private("d", &[])).await.unwrap(), first);
    assert_ne!(storage.room_for(listing(2, &cleo, &amy), &private("e", &[])).await.unwrap(), first);
    assert_ne!(storage.room_for(listing(1, &cleo, &ben), &private("f", &[])).await.unwrap(), first);
    let next = storage.room_for(listing(1, &dora, &amy), &private("g", &[&amy, &dora])).await.unwrap();
    assert_ne!(next, first, "another owner does not get the room of the one before");
    assert_eq!(storage.members(next.id).await.unwrap(), [amy.clone(), dora]);
    assert_eq!(storage.room_for(listing(1, &cleo, &amy), &private("h", &[])).await.unwrap(), first);
    let taken = storage.room_for(listing(9, &cleo, &ben), &private("c", &[])).await;
    assert!(matches!(taken, Err(StorageError::Taken { .. })), "names stay unique: {taken:?}");
}

/// Who leaves is gone, and may come back.
pub async fn who_leaves_is_no_member(storage: &impl Storage) {
    let lobby = room(storage, "lobby").await;
    let amy = user(storage, "amy").await;
    assert_eq!(storage.leave(lobby.id, amy.id).await.unwrap(), Leaving::NotAMember);
    storage.join(lobby.id, amy.id).await.unwrap();
    assert_eq!(storage.leave(lobby.id, amy.id).await.unwrap(), Leaving::Left);
    assert!(!storage.is_member(lobby.id, amy.id).await.unwrap());
    assert_eq!(storage.rooms_of(amy.id, None).await.unwrap(), []);
    assert_eq!(storage.join(lobby.id, amy.id).await.unwrap(), Joining::Joined);
}

/// Members are listed as they joined, each once; rooms of a user are listed by id, and no more than are asked for.
pub async fn members_keep_the_order_of_joining(storage: &impl Storage) {
    let (lobby, other) = (room(storage, "lobby").await, room(storage, "other").await);
    let (amy, ben) = (user(storage, "amy").await, user(storage, "ben").await);
    assert_eq!(storage.join(lobby.id, ben.id).await.unwrap(), Joining::Joined);
    assert_eq!(storage.join(lobby.id, amy.id).await.unwrap(), Joining::Joined);
    assert_eq!(storage.join(lobby.id, ben.id).await.unwrap(), Joining::AlreadyMember);
    storage.join(other.id, ben.id).await.unwrap();
    assert_eq!(storage.members(lobby.id).await.unwrap(), [ben.clone(), amy.clone()]);
    assert_eq!(storage.rooms_of(ben.id, None).await.unwrap(), [lobby.clone(), other.clone()]);
    assert_eq!(storage.rooms_of(ben.id, Some(2)).await.unwrap(), [lobby.clone(), other.clone()]);
    assert_eq!(storage.rooms_of(ben.id, Some(1)).await.unwrap(), std::slice::from_ref(&lobby));
    assert!(storage.is_member(lobby.id, amy.id).await.unwrap());
    assert!(!storage.is_member(other.id, amy.id).await.unwrap());
}

/// Who joins from several places at once joins once.
pub async fn joining_at_once_is_joining_once(storage: &impl Storage) {
    let (lobby, amy) = (room(storage, "lobby").await, user(storage, "amy").await);
    let joined = futures::future::join_all((0..10).map(|_| storage.join(lobby.id, amy.id))).await;
    let first = joined.into_iter().filter(|joining| *joining.as_ref().unwrap() == Joining::Joined).count();
    assert_eq!((first, storage.members(lobby.id).await.unwrap()), (1, vec![amy]));
}

/// A member is somebody, of something.
pub async fn who_does_not_exist_joins_nothing(storage: &impl Storage) {
    let (lobby, amy) = (room(storage, "lobby").await, user(storage, "amy").await);
    let nowhere = storage.join(RoomId::new(999).unwrap(), amy.id).await;
    let nobody = storage.join(lobby.id, UserId::new(999).unwrap()).await;
    for refused in [nowhere, nobody] {
        assert!(matches!(refused, Err(StorageError::Missing { .. })), "{refused:?}");
    }
    assert_eq!(storage.members(lobby.id).await.unwrap(), []);
}
