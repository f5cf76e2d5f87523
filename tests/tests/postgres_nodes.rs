//! Several servers on one PostgreSQL database.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use chat_core::storage::{Appended, MessageStorage, NewMessage, RoomStorage, UserStorage};
use chat_protocol::{ClientId, RoomName, Timestamp, UserId, Username};
use chat_server::storage::{PostgresOptions, PostgresStorage};
use chat_tests::postgres::Postgres;
use futures::future::join_all;

/// Opened at once, on an empty database.
async fn nodes() -> Vec<PostgresStorage> {
    let postgres = Postgres::shared();
    let url = postgres.url_of(&postgres.fresh_database()).parse().unwrap();
    let options = PostgresOptions::new(url);
    let opened = join_all((0..3).map(|_| PostgresStorage::open(&options))).await;
    opened.into_iter().map(Result::unwrap).collect()
}

fn name(text: &str) -> Username {
    Username::new(text).unwrap()
}

fn room_name(text: &str) -> RoomName {
    RoomName::new(text).unwrap()
}

#[tokio::test]
async fn numbers_have_no_gaps_whichever_node_gives_them_out() {
    let nodes = nodes().await;
    let names = ["a", "b", "c"].map(room_name);
    let rooms = join_all(names.iter().map(|name| nodes[0].ensure_room(name))).await;
    let rooms: Vec<_> = rooms.into_iter().map(|room| room.unwrap().id).collect();
    let amy = nodes[0].ensure_user(&name("amy")).await.unwrap();
    let message = |room| NewMessage {
        room,
        sender: amy.clone(),
        text: "x".into(),
        sent_at: Timestamp::from_micros(1).unwrap(),
        client_id: None,
    };
    // Each node goes through the rooms in an order of its own.
    let send = async |node: usize| {
        for round in 0..20 {
            let batch: Vec<_> = (0..6).map(|step| message(rooms[(round + step * (node + 1)) % 3])).collect();
            let outcomes = nodes[node].append(&batch).await.unwrap();
            assert!(outcomes.iter().all(|outcome| matches!(outcome, Appended::New(_))));
        }
    };
    tokio::join!(send(0), send(1), send(2), send(0), send(1), send(2));
    let mut count = 0;
    for room in rooms {
        let stored = nodes[1].messages_after(room, None, 1_000).await.unwrap();
        assert!((1..).zip(&stored).all(|(number, message)| message.seq.value() == number));
        assert!(stored.is_sorted_by(|older, newer| older.id < newer.id));
        count += stored.len();
    }
    assert_eq!(count, 6 * 20 * 6);
}

#[tokio::test]
async fn a_message_sent_to_several_nodes_at_once_is_stored_once() {
    let nodes = nodes().await;
    let room = nodes[0].ensure_room(&room_name("hall")).await.unwrap().id;
    let amy = nodes[0].ensure_user(&name("amy")).await.unwrap();
    for round in 0..20 {
        let message = [NewMessage {
            room,
            sender: amy.clone(),
            text: "x".into(),
            sent_at: Timestamp::from_micros(1).unwrap(),
            client_id: Some(ClientId::new(&round.to_string()).unwrap()),
        }];
        let outcomes = join_all(nodes.iter().map(|node| node.append(&message))).await;
        let outcomes: Vec<_> = outcomes.into_iter().flat_map(Result::unwrap).collect();
        let new = outcomes.iter().filter(|outcome| matches!(outcome, Appended::New(_)));
        assert_eq!((outcomes.len(), new.count()), (3, 1), "{outcomes:?}");
    }
}

#[tokio::test]
async fn users_are_adopted_by_several_nodes_at_once() {
    let nodes = nodes().await;
    let id = |number| UserId::new(number).unwrap();
    for round in 0..5 {
        // Three ids for one name, beside users whose ids are given out here, after the greatest that is known.
        let taken = name(&format!("taken-{round}"));
        nodes[0].adopt_user(id(100 * (round + 1) + 3), &taken).await.unwrap();
        let adopted = (1..=3).map(|node: i64| {
            let storage = &nodes[usize::try_from(node - 1).unwrap()];
            storage.adopt_user(id(100 * (round + 1) + node), &taken)
        });
        let own: Vec<_> = (0..6).map(|number| name(&format!("own-{round}-{number}"))).collect();
        let made = own.iter().zip(nodes.iter().cycle()).map(|(name, node)| node.ensure_user(name));
        let (adopted, made) = tokio::join!(join_all(adopted), join_all(made));
        for user in adopted.into_iter().chain(made) {
            user.unwrap();
        }
        assert!(nodes[0].user_named(&taken).await.unwrap().is_some());
        let next = nodes[0].ensure_user(&name(&format!("next-{round}"))).await.unwrap();
        assert!(next.id > id(100 * (round + 1) + 3), "ids of one's own do not clash with theirs");
    }
    let mut users = nodes[0].users(u32::MAX).await.unwrap();
    assert_eq!(users.len(), 5 * (3 + 6 + 1));
    users.dedup_by_key(|user| user.name.clone());
    assert_eq!(users.len(), 5 * (3 + 6 + 1));
}

#[tokio::test]
async fn ids_are_reserved_by_several_nodes_at_once() {
    let nodes = nodes().await;
    let up_to = UserId::new(1 << 52).unwrap();
    let names: Vec<_> = (0..12).map(|number| name(&format!("user-{number}"))).collect();
    let reserved = nodes.iter().map(|node| node.reserve_user_ids(up_to));
    let made = names.iter().zip(nodes.iter().cycle()).map(|(name, node)| node.ensure_user(name));
    let (reserved, made) = tokio::join!(join_all(reserved), join_all(made));
    for done in reserved {
        done.unwrap();
    }
    for user in made {
        user.unwrap();
    }
    assert!(nodes[0].ensure_user(&name("last")).await.unwrap().id > up_to);
}

#[tokio::test]
async fn a_node_hears_that_another_has_changed_members() {
    let nodes = nodes().await;
    let (here, there) = (&nodes[0], &nodes[1]);
    let amy = here.ensure_user(&name("amy")).await.unwrap();
    let rooms = join_all(
        (0..20).map(async |number| here.ensure_room(&room_name(&format!("room-{number}"))).await.unwrap()),
    )
    .await;
    let changed = async || here.changed_elsewhere().await.unwrap();
    changed().await;
    assert!(!changed().await, "nothing has happened");
    for room in &rooms {
        there.join(room.id, amy.id).await.unwrap();
        assert!(changed().await);
        there.leave(room.id, amy.id).await.unwrap();
        assert!(changed().await);
        assert!(!changed().await);
    }
    there.ensure_user(&name("ben")).await.unwrap();
    assert!(!changed().await, "that is no membership");
}

#[tokio::test]
async fn joins_of_all_rooms_at_once_all_succeed() {
    let nodes = nodes().await;
    let users = join_all(
        (0..4).map(async |number| nodes[0].ensure_user(&name(&format!("user-{number}"))).await.unwrap()),
    )
    .await;
    let rooms = join_all(
        (0..20)
            .map(async |number| nodes[0].ensure_room(&room_name(&format!("room-{number}"))).await.unwrap()),
    )
    .await;
    let joins = rooms.iter().flat_map(|room| users.iter().map(move |user| (room, user)));
    let joining = joins.zip(nodes.iter().cycle()).map(|((room, user), node)| node.join(room.id, user.id));
    for joined in join_all(joining).await {
        joined.unwrap();
    }
    assert_eq!(nodes[2].rooms_of(users[3].id, None).await.unwrap().len(), rooms.len());
}
