//! What becomes of calls when PostgreSQL is slow, silent, gone, or refuses; and that they succeed again afterwards.

#![allow(clippy::expect_used, clippy::panic, reason = "helpers of tests fail as tests do")]

use std::future::Future;
use std::time::Duration;

use chat_core::StorageError;
use chat_core::storage::{
    Appended, MessageStorage, NewMessage, Room, RoomStorage, StoredMessage, UpkeepStorage, User, UserStorage,
};
use chat_protocol::{ClientId, Timestamp};
use chat_server::storage::{PostgresOptions, PostgresStorage, ServerStorage};
use chat_tests::PATIENCE;
use chat_tests::postgres::{PASSWORD, Postgres};
use chat_tests::proxy::Proxy;
use futures::future::join_all;
use tokio::time::timeout;

/// How long a call may take where it is to fail.
const SOON: Duration = Duration::from_secs(1);

/// So many connections at once.
const CONNECTIONS: u32 = 2;

/// A storage with a room and somebody in it, in a database of its own.
struct Chat {
    storage: PostgresStorage,
    room: Room,
    amy: User,
    database: String,
}

impl Chat {
    async fn open(postgres: &Postgres, port: u16) -> Self {
        Self::open_within(postgres, port, SOON).await
    }

    async fn open_within(postgres: &Postgres, port: u16, answer_within: Duration) -> Self {
        let database = postgres.fresh_database();
        let url = format!("postgres://postgres:{PASSWORD}@127.0.0.1:{port}/{database}");
        let mut options = PostgresOptions::new(url.parse().expect("a URL"));
        // Connecting and filling must not fail on a busy machine.
        PostgresStorage::open(&options).await.expect("the database opens").close().await;
        options.answer_within = answer_within;
        options.connections = CONNECTIONS;
        let storage = eventually(async || PostgresStorage::open(&options).await).await;
        let room = eventually(async || storage.ensure_room(&"hall".parse().expect("a name")).await).await;
        let amy = eventually(async || storage.ensure_user(&"amy".parse().expect("a name")).await).await;
        Self { storage, room, amy, database }
    }

    fn message(&self, text: &str) -> [NewMessage; 1] {
        let sent_at = Timestamp::from_micros(1).expect("a time");
        let client_id = Some(ClientId::new(text).expect("a mark"));
        [NewMessage { room: self.room.id, sender: self.amy.clone(), text: text.into(), sent_at, client_id }]
    }

    /// Sends a message until it is confirmed, as a client does.
    async fn send(&self, text: &str) -> StoredMessage {
        let message = self.message(text);
        match eventually(async || self.storage.append(&message).await).await.pop() {
            Some(Appended::New(stored) | Appended::Repeated(stored)) => stored,
            None => panic!("every message has an outcome"),
        }
    }

    async fn history(&self) -> Vec<String> {
        let read = async || self.storage.messages_after(self.room.id, None, 100).await;
        let stored = eventually(read).await;
        let numbers: Vec<i64> = stored.iter().map(|message| message.seq.value()).collect();
        assert_eq!(numbers, (1..).take(stored.len()).collect::<Vec<_>>(), "no gap");
        stored.into_iter().map(|message| message.text.to_string()).collect()
    }
}

/// Asks again while the answer is an error, as long as it is worth it.
async fn eventually<T>(mut ask: impl AsyncFnMut() -> Result<T, StorageError>) -> T {
    let asking = async {
        loop {
            if let Ok(answer) = ask().await {
                return answer;
            }
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, asking).await.expect("it works in the end")
}

/// A call must come to an end, and this one cannot end well.
async fn fails<T>(call: impl Future<Output = Result<T, StorageError>>) {
    match timeout(PATIENCE, call).await.expect("every call ends") {
        Ok(_) => panic!("it cannot have gone well"),
        Err(error) => assert!(matches!(error, StorageError::Database(_)), "{error:?}"),
    }
}

#[tokio::test]
async fn calls_end_when_the_way_to_the_database_does() {
    let postgres = Postgres::shared();
    let proxy = Proxy::to(postgres.port()).await;
    let chat = Chat::open(postgres, proxy.port()).await;
    chat.send("before").await;

    proxy.pause();
    // More than there are connections: each call takes one with it, and none is missing afterwards.
    let lost = chat.message("lost");
    join_all((0..4 * CONNECTIONS).map(|_| fails(chat.storage.append(&lost)))).await;
    fails(chat.storage.newest(chat.room.id)).await;
    fails(chat.storage.check()).await;

    proxy.resume();
    let after = chat.send("after").await;
    assert_eq!(after.seq.value(), 2, "what could not be sent was not stored");
    assert_eq!(chat.history().await, ["before", "after"]);
}

#[tokio::test]
async fn a_connection_that_has_gone_silent_is_replaced_within_the_call() {
    let postgres = Postgres::shared();
    let proxy = Proxy::to(postgres.port()).await;
    let chat = Chat::open_within(postgres, proxy.port(), PATIENCE / 5).await;
    chat.send("before").await;

    proxy.pause();
    let before = proxy.accepted();
    let call = async { chat.storage.newest(chat.room.id).await };
    let through = async {
        // What was idle is found silent before long; what is connected instead waits here.
        proxy.accepted_more_than(before).await;
        proxy.resume();
    };
    let (newest, ()) = tokio::join!(call, through);
    assert_eq!(newest.expect("it works").map(|message| message.seq.value()), Some(1));
}

#[tokio::test]
async fn a_batch_in_flight_when_the_way_ends_is_stored_whole_or_not_at_all() {
    let postgres = Postgres::shared();
    let proxy = Proxy::to(postgres.port()).await;
    let chat = Chat::open(postgres, proxy.port()).await;
    chat.send("first").await;
    for round in 0..5 {
        let text = format!("round-{round}");
        let message = chat.message(&text);
        let (outcome, ()) = tokio::join!(chat.storage.append(&message), async {
            // Let it get some way.
            for _ in 0..round * 4 {
                tokio::task::yield_now().await;
            }
            proxy.pause();
        });
        proxy.resume();
        if outcome.is_ok() {
            assert_eq!(chat.history().await.last(), Some(&text), "confirmed is stored");
        }
        // The same mark: stored once, whatever became of the first try.
        chat.send(&text).await;
    }
    let expected = ["first", "round-0", "round-1", "round-2", "round-3", "round-4"];
    assert_eq!(chat.history().await, expected);
}

#[tokio::test]
async fn the_database_crashes_and_comes_back() {
    let postgres = Postgres::start();
    let chat = Chat::open_within(&postgres, postgres.port(), PATIENCE).await;
    chat.send("before").await;
    for round in ["one", "two"] {
        postgres.crash();
        fails(chat.storage.append(&chat.message("lost"))).await;
        fails(chat.storage.newest(chat.room.id)).await;
        fails(chat.storage.check()).await;
        postgres.restart();
        chat.storage.append(&chat.message(round)).await.expect("it works again, at once");
    }
    assert_eq!(chat.history().await, ["before", "one", "two"]);
}

#[tokio::test]
async fn a_slow_database_is_an_error_for_who_sends_and_none_for_who_reads() {
    let postgres = Postgres::shared();
    let chat = Chat::open(postgres, postgres.port()).await;
    chat.send("before").await;
    let held = postgres.hold(&chat.database, "LOCK TABLE messages IN EXCLUSIVE MODE");
    fails(chat.storage.append(&chat.message("lost"))).await;
    assert_eq!(chat.history().await, ["before"]);
    drop(held);
    chat.send("after").await;
    assert_eq!(chat.history().await, ["before", "after"]);
}

#[tokio::test]
async fn a_database_that_refuses_to_write_is_noticed_and_still_read() {
    let postgres = Postgres::shared();
    let chat = Chat::open_within(postgres, postgres.port(), PATIENCE).await;
    chat.send("before").await;
    let database = &chat.database;
    let set_read_only = |value: &str| {
        let sql = format!("ALTER DATABASE {database} SET default_transaction_read_only = {value}");
        postgres.execute("postgres", &sql);
    };
    set_read_only("on");
    // Connections that are open keep what they began with.
    postgres.execute(
        "postgres",
        &format!(
            "SELECT pg_terminate_backend(pid, 30000) FROM pg_stat_activity WHERE datname = '{database}'"
        ),
    );
    fails(chat.storage.check()).await;
    fails(chat.storage.append(&chat.message("lost"))).await;
    assert_eq!(chat.history().await, ["before"]);
    // As many as there may be, all of the time when nothing could be written.
    join_all((0..CONNECTIONS).map(|_| chat.storage.newest(chat.room.id))).await;
    set_read_only("off");
    fails(chat.storage.check()).await;
    chat.storage.check().await.expect("the first that was refused told of the others");
    chat.send("after").await;
}

#[tokio::test]
async fn who_gives_up_leaves_no_lock_behind() {
    let postgres = Postgres::shared();
    let chat = Chat::open_within(postgres, postgres.port(), PATIENCE).await;
    let held = postgres.hold(&chat.database, "LOCK TABLE messages IN EXCLUSIVE MODE");
    let message = chat.message("given-up");
    let waits = format!(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = '{}' AND wait_event_type = 'Lock'",
        chat.database
    );
    let waiting = async {
        while postgres.execute("postgres", &waits) != "1" {
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        outcome = chat.storage.append(&message) => panic!("it waits for the lock: {outcome:?}"),
        () = async { timeout(PATIENCE, waiting).await.expect("it comes to the lock") } => {}
    }
    drop(held);
    chat.send("next").await;
    let history = chat.history().await;
    assert!(history.len() <= 2 && history.last().is_some_and(|last| last == "next"), "{history:?}");
}
