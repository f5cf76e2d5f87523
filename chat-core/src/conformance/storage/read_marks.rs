//! How far members have read.

use chat_protocol::UserId;

use super::{room, seq, user};
use crate::Storage;
use crate::storage::FurthestReaders;

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

/// Also when they are set from several connections at once.
pub async fn read_marks_set_at_once_keep_the_furthest(storage: &impl Storage) {
    let lobby = room(storage, "lobby").await;
    let amy = user(storage, "amy").await;
    let marks = [3, 9, 1, 7, 9, 2].map(|mark| storage.mark_read(lobby.id, amy.id, seq(mark)));
    assert!(futures::future::join_all(marks).await.iter().all(Result::is_ok));
    let readers = storage.furthest_readers(lobby.id).await.unwrap();
    assert_eq!(readers, FurthestReaders([Some((amy.id, seq(9))), None]));
}
