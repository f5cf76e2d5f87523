//! Sends that come twice.

use super::{append, history, marked, message, room, seq, texts, user};
use crate::Storage;
use crate::storage::Appended;

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

/// Also when it comes from several connections at once: one is stored, and all are answered with it.
pub async fn a_client_id_sent_at_once_is_stored_once(storage: &impl Storage) {
    let lobby = room(storage, "lobby").await;
    let amy = user(storage, "amy").await;
    let sends: Vec<_> = (0..10).map(|number| [marked(&lobby, &amy, &number.to_string(), "m1")]).collect();
    let outcomes = futures::future::join_all(sends.iter().map(|send| storage.append(send))).await;
    let stored = history(storage, &lobby).await;
    assert_eq!(stored.len(), 1);
    let mut new = 0;
    for outcome in outcomes {
        match outcome.unwrap().pop() {
            Some(Appended::New(message)) => {
                new += 1;
                assert_eq!(message, stored[0]);
            }
            Some(Appended::Repeated(message)) => assert_eq!(message, stored[0]),
            None => unreachable!("every message has an outcome"),
        }
    }
    assert_eq!(new, 1);
}
