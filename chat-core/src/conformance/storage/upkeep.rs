//! What is checked, and what is removed.

use chat_protocol::Seq;

use super::{append, at, history, marked, message, room, seq, texts, user};
use crate::Storage;
use crate::storage::{Appended, Keep, NewMessage, Room, StoredMessage};

const MANY: u32 = 1_000;

const fn newest(count: u32) -> Keep {
    Keep { newest: Some(count), since: None }
}

fn since(micros: i64) -> Keep {
    Keep { newest: None, since: Some(at(micros)) }
}

/// Messages named by their numbers, taken in at these times.
async fn fill(storage: &impl Storage, times: &[i64]) -> (Room, Vec<StoredMessage>) {
    let lobby = room(storage, "lobby").await;
    let amy = user(storage, "amy").await;
    let mut stored = Vec::new();
    for (number, time) in (1..).zip(times) {
        let sent = NewMessage { sent_at: at(*time), ..message(&lobby, &amy, &number.to_string()) };
        stored.push(append(storage, sent).await);
    }
    (lobby, stored)
}

/// A storage that works says so, as often as it is asked.
pub async fn what_can_be_stored_can_be_checked(storage: &impl Storage) {
    for _ in 0..3 {
        storage.check().await.unwrap();
    }
}

/// Without a bound, everything stays.
pub async fn nothing_is_removed_unasked(storage: &impl Storage) {
    let (lobby, stored) = fill(storage, &[1, 2, 3]).await;
    for keep in [Keep::default(), newest(3), newest(u32::MAX), since(1), since(0)] {
        assert_eq!(storage.prune(lobby.id, &keep, MANY).await.unwrap(), 0, "{keep:?}");
    }
    assert_eq!(history(storage, &lobby).await.len(), stored.len());
}

/// So many of the newest stay; none is a number, too.
pub async fn the_newest_are_kept(storage: &impl Storage) {
    let (lobby, _) = fill(storage, &[1, 2, 3, 4, 5]).await;
    assert_eq!(storage.prune(lobby.id, &newest(2), MANY).await.unwrap(), 3);
    assert_eq!(texts(&history(storage, &lobby).await), ["5", "4"]);
    assert_eq!(storage.prune(lobby.id, &newest(2), MANY).await.unwrap(), 0);
    assert_eq!(storage.prune(lobby.id, &newest(0), MANY).await.unwrap(), 2);
    assert_eq!(history(storage, &lobby).await, []);
}

/// What was taken in after a young one stays with it, whatever its own time says: clocks are set back.
pub async fn the_young_are_kept(storage: &impl Storage) {
    let (lobby, _) = fill(storage, &[10, 20, 30, 15, 40]).await;
    assert_eq!(storage.prune(lobby.id, &since(10), MANY).await.unwrap(), 0);
    assert_eq!(storage.prune(lobby.id, &since(25), MANY).await.unwrap(), 2);
    assert_eq!(texts(&history(storage, &lobby).await), ["5", "4", "3"]);
    assert_eq!(storage.prune(lobby.id, &since(41), MANY).await.unwrap(), 3);
    assert_eq!(storage.prune(lobby.id, &since(41), MANY).await.unwrap(), 0);
}

/// Where there are two bounds, the narrower one counts.
pub async fn what_is_within_every_bound_is_kept(storage: &impl Storage) {
    let (lobby, _) = fill(storage, &[10, 20, 30, 40]).await;
    let both = |count, micros| Keep { newest: Some(count), since: Some(at(micros)) };
    assert_eq!(storage.prune(lobby.id, &both(3, 0), MANY).await.unwrap(), 1);
    assert_eq!(storage.prune(lobby.id, &both(3, 40), MANY).await.unwrap(), 2);
    assert_eq!(texts(&history(storage, &lobby).await), ["4"]);
}

/// The oldest go first, a bounded number of them.
pub async fn so_many_at_most_are_removed_at_once(storage: &impl Storage) {
    let (lobby, _) = fill(storage, &[1, 2, 3, 4, 5]).await;
    assert_eq!(storage.prune(lobby.id, &newest(1), 3).await.unwrap(), 3);
    assert_eq!(texts(&history(storage, &lobby).await), ["5", "4"]);
    assert_eq!(storage.prune(lobby.id, &newest(1), 3).await.unwrap(), 1);
    let other = room(storage, "other").await;
    assert_eq!(storage.prune(other.id, &newest(0), 3).await.unwrap(), 0);
}

/// Also where nothing is left.
pub async fn numbers_of_removed_messages_are_not_given_out_again(storage: &impl Storage) {
    let (lobby, stored) = fill(storage, &[1, 2, 3]).await;
    storage.prune(lobby.id, &newest(0), MANY).await.unwrap();
    let amy = user(storage, "amy").await;
    let next = append(storage, message(&lobby, &amy, "next")).await;
    assert_eq!(next.seq, seq(4));
    assert!(next.id > stored[2].id);
}

/// Whoever has it misses nothing, and can go on from there.
pub async fn the_newest_of_the_removed_is_still_known(storage: &impl Storage) {
    let (lobby, stored) = fill(storage, &[1, 2, 3, 4]).await;
    storage.prune(lobby.id, &newest(2), MANY).await.unwrap();
    let place = async |number: usize| storage.seq_of(lobby.id, stored[number - 1].id).await.unwrap();
    assert_eq!([place(1).await, place(2).await, place(3).await], [None, Some(seq(2)), Some(seq(3))],);
    let after = async |place: Option<Seq>| storage.messages_after(lobby.id, place, MANY).await.unwrap();
    assert_eq!(texts(&after(Some(seq(2))).await), ["3", "4"]);
    assert_eq!(texts(&after(None).await), ["3", "4"]);
    let other = room(storage, "other").await;
    assert_eq!(storage.seq_of(other.id, stored[1].id).await.unwrap(), None);
    storage.prune(lobby.id, &newest(0), MANY).await.unwrap();
    assert_eq!([place(2).await, place(4).await], [None, Some(seq(4))]);
}

/// What is no longer there cannot be repeated.
pub async fn marks_of_removed_messages_are_forgotten(storage: &impl Storage) {
    let lobby = room(storage, "lobby").await;
    let amy = user(storage, "amy").await;
    append(storage, marked(&lobby, &amy, "first", "m1")).await;
    append(storage, marked(&lobby, &amy, "second", "m2")).await;
    storage.prune(lobby.id, &newest(1), MANY).await.unwrap();
    let outcomes =
        storage.append(&[marked(&lobby, &amy, "x", "m1"), marked(&lobby, &amy, "x", "m2")]).await.unwrap();
    assert!(matches!(outcomes[..], [Appended::New(_), Appended::Repeated(_)]));
}
