//! What a [`Storage`] must do. Every case gets an empty one.

mod client_ids;
mod messages;
mod notices;
mod paging;
mod read_marks;
mod rooms;
mod upkeep;
mod users;

use chat_protocol::{ClientId, RoomName, Seq, Timestamp, Username};

pub use client_ids::*;
pub use messages::*;
pub use notices::*;
pub use paging::*;
pub use read_marks::*;
pub use rooms::*;
pub use upkeep::*;
pub use users::*;

use crate::Storage;
use crate::storage::{Appended, NewMessage, Room, StoredMessage, User};

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
            reserved_ids_are_left_to_others,
            last_seen_never_goes_back,
            rooms_are_made_once,
            rooms_made_at_once_are_one,
            rooms_are_found_by_name_and_id,
            rooms_are_created_with_their_members,
            a_purpose_has_one_room,
            who_leaves_is_no_member,
            users_are_listed,
            joining_at_once_is_joining_once,
            who_does_not_exist_joins_nothing,
            members_keep_the_order_of_joining,
            appended_messages_are_numbered_without_gaps,
            the_newest_places_of_many_rooms_are_told_at_once,
            messages_are_kept_as_they_were,
            ids_grow_with_the_sequence,
            appends_at_once_leave_no_gap,
            a_repeated_client_id_is_stored_once,
            a_client_id_repeated_within_a_batch_is_stored_once,
            client_ids_of_others_do_not_clash,
            a_batch_for_an_unknown_room_stores_nothing,
            a_batch_of_an_unknown_sender_stores_nothing,
            a_long_batch_is_stored_whole,
            batches_for_many_rooms_at_once_leave_no_gap,
            a_client_id_sent_at_once_is_stored_once,
            history_is_paged_from_the_newest,
            messages_are_paged_from_the_oldest,
            pages_from_both_ends_are_the_same,
            messages_of_other_rooms_are_not_found,
            read_marks_never_go_back,
            read_marks_set_at_once_keep_the_furthest,
            the_two_furthest_readers_are_told,
            notifications_stay_until_their_owner_clears_them,
            a_further_notification_removes_the_oldest,
            profiles_and_listings_are_replaced,
            what_can_be_stored_can_be_checked,
            nothing_is_removed_unasked,
            the_newest_are_kept,
            the_young_are_kept,
            what_is_within_every_bound_is_kept,
            so_many_at_most_are_removed_at_once,
            numbers_of_removed_messages_are_not_given_out_again,
            the_newest_of_the_removed_is_still_known,
            marks_of_removed_messages_are_forgotten,
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

#[cfg(test)]
mod tests {
    crate::storage_conformance!(async { crate::memory::MemoryStorage::new() });
}
