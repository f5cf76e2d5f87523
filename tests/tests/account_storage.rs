//! What every database must do for accounts, on each of them.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use chat_core::storage::User;
use chat_protocol::{Timestamp, Username};
use chat_server::accounts::{
    Account, AccountChange, AccountStorage, Claim, NewSession, PasswordHash, Session, SessionHash,
};
use chat_server::storage::Stores;
use futures::future::join_all;

/// Makes a test of each case, on a fresh storage.
macro_rules! cases {
    ($make:expr, $($case:ident)*) => {
        $(
            #[tokio::test]
            async fn $case() {
                super::$case(&$make.await).await;
            }
        )*
    };
    ($make:expr) => {
        cases! { $make,
            an_account_is_made_once
            names_taken_at_once_are_taken_once
            a_name_without_an_account_is_claimed_if_that_is_meant
            accounts_are_listed_by_the_bytes_of_their_names
            sessions_hold_until_they_end
            sessions_end_with_the_password_and_with_the_account
            a_session_takes_the_place_of_another
            sessions_begun_at_once_all_hold
            the_oldest_of_very_many_sessions_ends
            a_new_hash_of_the_same_password_ends_nothing
        }
    };
}

mod memory {
    use chat_server::storage::Stores;

    cases!(async { Stores::in_memory() });
}

mod sqlite {
    use std::sync::Arc;

    use chat_server::storage::{SqliteStorage, Stores};

    cases!(async { Stores::within(Arc::new(SqliteStorage::in_memory().await.unwrap())) });
}

mod postgres {
    use std::sync::Arc;

    use chat_server::storage::{PostgresOptions, PostgresStorage, Stores};
    use chat_tests::postgres::Postgres;

    cases!(async {
        let postgres = Postgres::shared();
        let url = postgres.url_of(&postgres.fresh_database()).parse().unwrap();
        Stores::within(Arc::new(PostgresStorage::open(&PostgresOptions::new(url)).await.unwrap()))
    });
}

const DAY: i64 = 24 * 60 * 60 * 1_000_000;

fn at(micros: i64) -> Timestamp {
    Timestamp::from_micros(micros).unwrap()
}

fn name(text: &str) -> Username {
    Username::new(text).unwrap()
}

fn password(text: &str) -> PasswordHash {
    PasswordHash::new(text.to_owned())
}

async fn create(storage: &dyn AccountStorage, text: &str, claim: Claim) -> Option<Account> {
    storage.create_account(&name(text), &password("hash"), claim, at(1)).await.unwrap()
}

async fn account(storage: &dyn AccountStorage, text: &str) -> Account {
    storage.account_named(&name(text)).await.unwrap().unwrap()
}

fn hash(number: u8) -> SessionHash {
    SessionHash([number; 32])
}

async fn begin(storage: &dyn AccountStorage, number: u8, account: &Account, begins: i64) -> Session {
    let session = new_session(number, account, begins);
    storage.begin_session(&session, None).await.unwrap();
    Session { hash: session.hash, user: account.user.clone(), expires_at: session.expires_at }
}

fn new_session(number: u8, account: &Account, begins: i64) -> NewSession {
    NewSession {
        hash: hash(number),
        user: account.user.id,
        generation: account.generation,
        created_at: at(begins),
        expires_at: at(begins + DAY),
    }
}

/// Which of the first sessions hold.
async fn holding(storage: &dyn AccountStorage, count: u8, now: i64) -> Vec<SessionHash> {
    let asked: Vec<_> = (0..count).map(hash).collect();
    let mut holding: Vec<_> =
        storage.sessions(&asked, at(now)).await.unwrap().into_iter().map(|session| session.hash).collect();
    holding.sort_by_key(|hash| hash.0);
    holding
}

async fn an_account_is_made_once(stores: &Stores) {
    let storage = &*stores.accounts;
    let made = create(storage, "amy", Claim::New).await.unwrap();
    assert!(made.is_active);
    assert_eq!(made.created_at, at(1));
    assert_eq!(account(storage, "amy").await, made);
    assert_eq!(stores.chat.user_named(&name("amy")).await.unwrap().as_ref(), Some(&made.user));
    for claim in [Claim::New, Claim::Ownerless] {
        assert_eq!(create(storage, "amy", claim).await, None);
    }
    assert_eq!(storage.account_named(&name("Amy")).await.unwrap(), None);
}

async fn names_taken_at_once_are_taken_once(stores: &Stores) {
    let storage = &*stores.accounts;
    for claim in [Claim::New, Claim::Ownerless] {
        let taken = format!("{claim:?}");
        let made = join_all((0..8).map(|_| create(storage, &taken, claim))).await;
        assert_eq!(made.into_iter().flatten().count(), 1, "{claim:?}");
    }
}

async fn a_name_without_an_account_is_claimed_if_that_is_meant(stores: &Stores) {
    let storage = &*stores.accounts;
    let guest: User = stores.chat.ensure_user(&name("guest")).await.unwrap();
    assert_eq!(create(storage, "guest", Claim::New).await, None);
    assert_eq!(create(storage, "guest", Claim::Ownerless).await.unwrap().user, guest);
}

async fn accounts_are_listed_by_the_bytes_of_their_names(stores: &Stores) {
    let storage = &*stores.accounts;
    let names = ["Zoe", "_x", "amy", "ben", "\u{e9}va", "王小明"];
    for text in names.iter().rev() {
        create(storage, text, Claim::New).await.unwrap();
    }
    let listed = storage.accounts().await.unwrap();
    let listed: Vec<_> = listed.iter().map(|account| account.user.name.as_str()).collect();
    assert_eq!(listed, names);
}

async fn sessions_hold_until_they_end(stores: &Stores) {
    let storage = &*stores.accounts;
    let amy = create(storage, "amy", Claim::New).await.unwrap();
    let begun = begin(storage, 0, &amy, 1).await;
    begin(storage, 1, &amy, 1).await;
    assert_eq!(storage.sessions(&[hash(0), hash(9)], at(2)).await.unwrap(), [begun]);
    assert_eq!(storage.sessions(&[], at(2)).await.unwrap(), []);
    storage.end_session(hash(1)).await.unwrap();
    assert_eq!(holding(storage, 3, 2).await, [hash(0)]);
    assert_eq!(holding(storage, 3, 1 + DAY).await, [], "it expires at that time");
    storage.extend_session(hash(0), at(2 + DAY)).await.unwrap();
    assert_eq!(holding(storage, 3, 1 + DAY).await, [hash(0)]);
    begin(storage, 2, &amy, 3 + DAY).await;
    assert_eq!(holding(storage, 3, 2).await, [hash(2)], "what has expired is forgotten");
}

async fn sessions_end_with_the_password_and_with_the_account(stores: &Stores) {
    let storage = &*stores.accounts;
    let (amy, ben) =
        (create(storage, "amy", Claim::New).await.unwrap(), create(storage, "ben", Claim::New).await);
    begin(storage, 0, &ben.unwrap(), 1).await;
    begin(storage, 1, &amy, 1).await;
    let change = AccountChange::Password(password("new hash"));
    storage.change_account(amy.user.id, &change).await.unwrap();
    assert_eq!(holding(storage, 2, 2).await, [hash(0)]);
    let changed = account(storage, "amy").await;
    assert_eq!(changed.password_hash, password("new hash"));
    begin(storage, 2, &changed, 1).await;
    begin(storage, 3, &amy, 1).await;
    assert_eq!(holding(storage, 4, 2).await, [hash(0), hash(2)], "it was checked against the old password");
    for active in [false, true] {
        storage.change_account(amy.user.id, &AccountChange::Active(active)).await.unwrap();
        assert_eq!(account(storage, "amy").await.is_active, active);
        assert_eq!(holding(storage, 4, 2).await, [hash(0)]);
    }
}

async fn a_session_takes_the_place_of_another(stores: &Stores) {
    let storage = &*stores.accounts;
    let amy = create(storage, "amy", Claim::New).await.unwrap();
    begin(storage, 0, &amy, 1).await;
    storage.begin_session(&new_session(1, &amy, 2), Some(hash(0))).await.unwrap();
    assert_eq!(holding(storage, 2, 3).await, [hash(1)]);
}

async fn sessions_begun_at_once_all_hold(stores: &Stores) {
    let storage = &*stores.accounts;
    let amy = create(storage, "amy", Claim::New).await.unwrap();
    let ben = create(storage, "ben", Claim::New).await.unwrap();
    for number in 0..10 {
        begin(storage, number, if number % 2 == 0 { &amy } else { &ben }, 1).await;
    }
    // All the old ones have expired; each takes the place of one besides.
    let sessions: Vec<_> = (10..20)
        .map(|number| new_session(number, if number % 2 == 0 { &ben } else { &amy }, 2 + DAY))
        .collect();
    let begun =
        sessions.iter().zip(0..).map(|(session, old)| storage.begin_session(session, Some(hash(old))));
    for outcome in join_all(begun).await {
        outcome.unwrap();
    }
    assert_eq!(holding(storage, 20, 3 + DAY).await, (10..20).map(hash).collect::<Vec<_>>());
}

async fn the_oldest_of_very_many_sessions_ends(stores: &Stores) {
    let storage = &*stores.accounts;
    let amy = create(storage, "amy", Claim::New).await.unwrap();
    for number in 0..=100 {
        begin(storage, number, &amy, 1 + i64::from(number)).await;
    }
    assert_eq!(holding(storage, 101, 2).await, (1..=100).map(hash).collect::<Vec<_>>());
}

async fn a_new_hash_of_the_same_password_ends_nothing(stores: &Stores) {
    let storage = &*stores.accounts;
    let amy = create(storage, "amy", Claim::New).await.unwrap();
    begin(storage, 0, &amy, 1).await;
    for (generation, kept) in [(amy.generation, "dearer"), (amy.generation - 1, "dearer")] {
        let hash = password(if generation == amy.generation { "dearer" } else { "too late" });
        let change = AccountChange::Rehashed { hash, generation };
        storage.change_account(amy.user.id, &change).await.unwrap();
        assert_eq!(account(storage, "amy").await.password_hash, password(kept));
    }
    assert_eq!(holding(storage, 1, 2).await, [hash(0)]);
}
