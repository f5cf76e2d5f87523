//! People.

use chat_protocol::UserId;

use super::{at, user, username};
use crate::Storage;
use crate::storage::User;

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

/// Ids that were left to another system are not given out, in an empty storage or in one that has users; and who has one
/// of them from there is nobody who was here.
pub async fn reserved_ids_are_left_to_others(storage: &impl Storage) {
    let id = |number| UserId::new(number).unwrap();
    storage.reserve_user_ids(id(9)).await.unwrap();
    let amy = user(storage, "amy").await;
    assert!(amy.id > id(9));
    let reserved = id(1 << 52);
    for up_to in [reserved, id(20)] {
        storage.reserve_user_ids(up_to).await.unwrap();
    }
    let ben = user(storage, "ben").await;
    assert!(ben.id > reserved);
    let admin = storage.adopt_user(id(1), &username("admin")).await.unwrap();
    let last = storage.adopt_user(reserved, &username("last")).await.unwrap();
    let cleo = user(storage, "cleo").await;
    assert!(cleo.id > ben.id);
    assert_eq!(storage.users(10).await.unwrap(), [admin, amy, last, ben, cleo]);
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

/// Users are found by id, and listed by id, no more than are asked for.
pub async fn users_are_listed(storage: &impl Storage) {
    assert_eq!(storage.users(u32::MAX).await.unwrap(), []);
    let (amy, ben) = (user(storage, "amy").await, user(storage, "ben").await);
    assert_eq!(storage.users(u32::MAX).await.unwrap(), [amy.clone(), ben]);
    assert_eq!(storage.users(1).await.unwrap(), std::slice::from_ref(&amy));
    assert_eq!(storage.user(amy.id).await.unwrap(), Some(amy));
    assert_eq!(storage.user(UserId::new(999).unwrap()).await.unwrap(), None);
}
