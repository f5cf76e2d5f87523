//! Notifications, profiles and listings.

use std::sync::Arc;

use chat_protocol::NotificationId;

use super::{at, user};
use crate::Storage;
use crate::storage::{NOTIFICATIONS_PER_USER, Profile, StoredNotification};

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

/// Of very many notifications the newest stay, also where they come at once. Those of others are not touched.
pub async fn a_further_notification_removes_the_oldest(storage: &impl Storage) {
    const AT_ONCE: u32 = 50;
    let (amy, ben) = (user(storage, "amy").await, user(storage, "ben").await);
    let of_amy = storage.notify(&ben, amy.id, Arc::from("for amy"), at(1)).await.unwrap();
    let oldest = storage.notify(&amy, ben.id, Arc::from("oldest"), at(1)).await.unwrap();
    let mut later: Vec<StoredNotification> = Vec::new();
    for _ in 0..NOTIFICATIONS_PER_USER / AT_ONCE {
        assert!(storage.notifications(ben.id).await.unwrap().contains(&oldest));
        let stored = (0..AT_ONCE).map(|_| storage.notify(&amy, ben.id, Arc::from("later"), at(2)));
        let stored = futures::future::join_all(stored).await;
        later.extend(stored.into_iter().map(Result::unwrap));
    }
    later.sort_unstable_by_key(|stored| stored.id);
    assert_eq!(storage.notifications(ben.id).await.unwrap(), later);
    assert_eq!(storage.notifications(amy.id).await.unwrap(), [of_amy]);

    // Whatever the listing leaves out is gone, too: it is not there again when there is room for it.
    let all: Vec<NotificationId> = later.iter().map(|stored| stored.id).collect();
    storage.clear_notifications(ben.id, &all).await.unwrap();
    assert_eq!(storage.notifications(ben.id).await.unwrap(), []);
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
