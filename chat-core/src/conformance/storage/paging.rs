//! Pages of messages, forwards and backwards.

use chat_protocol::{MessageId, Seq};

use super::{append, history, message, room, seq, texts, user};
use crate::Storage;

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

/// Pages lead forwards, too, from the oldest on.
pub async fn messages_are_paged_from_the_oldest(storage: &impl Storage) {
    let lobby = room(storage, "lobby").await;
    let amy = user(storage, "amy").await;
    let page =
        async |after: Option<Seq>, limit| storage.messages_after(lobby.id, after, limit).await.unwrap();
    assert_eq!(page(None, 10).await, []);
    for number in 1..=5 {
        append(storage, message(&lobby, &amy, &number.to_string())).await;
    }
    assert_eq!(texts(&page(None, 2).await), ["1", "2"]);
    assert_eq!(texts(&page(Some(seq(2)), 2).await), ["3", "4"]);
    assert_eq!(texts(&page(Some(seq(4)), 2).await), ["5"]);
    assert_eq!(page(Some(seq(5)), 2).await, []);
    assert_eq!(page(Some(seq(99)), 2).await, []);
    assert_eq!(page(None, 0).await, []);
}

/// Both ways lead through the same messages, of this room only.
pub async fn pages_from_both_ends_are_the_same(storage: &impl Storage) {
    let (lobby, other) = (room(storage, "lobby").await, room(storage, "other").await);
    let amy = user(storage, "amy").await;
    for number in 1..=7 {
        append(storage, message(&lobby, &amy, &format!("王 {number}"))).await;
        append(storage, message(&other, &amy, "elsewhere")).await;
    }
    let mut forwards = Vec::new();
    loop {
        let last = forwards.last().map(|stored: &crate::storage::StoredMessage| stored.seq);
        let page = storage.messages_after(lobby.id, last, 3).await.unwrap();
        if page.is_empty() {
            break;
        }
        forwards.extend(page);
    }
    let mut backwards = history(storage, &lobby).await;
    backwards.reverse();
    assert_eq!((forwards.len(), forwards), (7, backwards));
}
