//! What is appended, and how it is numbered.

use chat_protocol::{RoomId, UserId};

use super::{append, at, history, message, room, seq, texts, user, username};
use crate::storage::{Appended, NewMessage, User};
use crate::{Storage, StorageError};

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

/// Of many rooms at once it can be asked how far they have come.
pub async fn the_newest_places_of_many_rooms_are_told_at_once(storage: &impl Storage) {
    let [lobby, other, empty] =
        [room(storage, "lobby").await, room(storage, "other").await, room(storage, "empty").await];
    let amy = user(storage, "amy").await;
    append(storage, message(&lobby, &amy, "one")).await;
    append(storage, message(&other, &amy, "un")).await;
    append(storage, message(&other, &amy, "deux")).await;
    let none = RoomId::new(i64::MAX).unwrap();
    let mut places = storage.newest_places(&[other.id, none, empty.id, lobby.id]).await.unwrap();
    places.sort_unstable();
    assert_eq!(places, [(lobby.id, seq(1)), (other.id, seq(2))]);
    assert_eq!(storage.newest_places(&[]).await.unwrap(), []);
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

/// A batch is stored as a whole or not at all.
pub async fn a_batch_for_an_unknown_room_stores_nothing(storage: &impl Storage) {
    let lobby = room(storage, "lobby").await;
    let amy = user(storage, "amy").await;
    let nowhere = NewMessage { room: RoomId::new(999).unwrap(), ..message(&lobby, &amy, "lost") };
    let outcome = storage.append(&[message(&lobby, &amy, "kept?"), nowhere]).await;
    assert!(matches!(outcome, Err(StorageError::Missing { .. })), "{outcome:?}");
    assert_eq!(history(storage, &lobby).await, []);
    assert_eq!(append(storage, message(&lobby, &amy, "first")).await.seq, seq(1));
}

/// Also where it is the sender who does not exist.
pub async fn a_batch_of_an_unknown_sender_stores_nothing(storage: &impl Storage) {
    let lobby = room(storage, "lobby").await;
    let amy = user(storage, "amy").await;
    let nobody = User { id: UserId::new(999).unwrap(), name: username("nobody") };
    let outcome = storage.append(&[message(&lobby, &amy, "kept?"), message(&lobby, &nobody, "lost")]).await;
    assert!(matches!(outcome, Err(StorageError::Missing { .. })), "{outcome:?}");
    assert_eq!(history(storage, &lobby).await, []);
    assert_eq!(append(storage, message(&lobby, &amy, "first")).await.seq, seq(1));
}

/// However long a batch is, it is one.
pub async fn a_long_batch_is_stored_whole(storage: &impl Storage) {
    let rooms = [room(storage, "lobby").await, room(storage, "other").await];
    let amy = user(storage, "amy").await;
    let batch: Vec<NewMessage> =
        (0..5_001).map(|number| message(&rooms[number % 2], &amy, &number.to_string())).collect();
    assert_eq!(storage.append(&batch).await.unwrap().len(), batch.len());
    for (room, count) in rooms.iter().zip([2_501, 2_500]) {
        let stored = history(storage, room).await;
        assert_eq!(stored.len(), count);
        assert!(stored.is_sorted_by(|newer, older| newer.id > older.id && older.seq.next() == newer.seq));
    }
    assert_eq!(&*history(storage, &rooms[0]).await[0].text, "5000");
}

/// Whichever rooms the batches have in common, and in whichever order they name them.
pub async fn batches_for_many_rooms_at_once_leave_no_gap(storage: &impl Storage) {
    let rooms = [room(storage, "a").await, room(storage, "b").await, room(storage, "c").await];
    let amy = user(storage, "amy").await;
    let batches: Vec<[NewMessage; 3]> = (0..12)
        .map(|first| [0, 1, 2].map(|step| message(&rooms[(first + step * (1 + first % 2)) % 3], &amy, "x")))
        .collect();
    let outcomes = futures::future::join_all(batches.iter().map(|batch| storage.append(batch))).await;
    assert!(outcomes.iter().all(Result::is_ok), "{outcomes:?}");
    for room in &rooms {
        let stored = history(storage, room).await;
        let count = batches.iter().flatten().filter(|message| message.room == room.id).count();
        assert_eq!(stored.len(), count);
        assert!(stored.is_sorted_by(|newer, older| newer.id > older.id && older.seq.next() == newer.seq));
    }
}
