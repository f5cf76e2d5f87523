use super::*;
use crate::SystemClock;
use crate::storage::SqliteStorage;

const PASSWORD: &str = "correct horse";

async fn accounts() -> Accounts {
    let storage = SqliteStorage::in_memory().await.unwrap();
    let config = AccountsConfig { hash_cost: HashCost::LEAST, ..AccountsConfig::default() };
    Accounts::new(storage, SystemClock, config)
}

#[tokio::test]
async fn a_name_that_is_taken_costs_no_hash() {
    let accounts = accounts().await;
    accounts.sign_up("amy", PASSWORD, None, None).await.unwrap();
    accounts.0.hasher.close();
    let again = accounts.sign_up("amy", PASSWORD, None, None).await;
    assert!(matches!(again, Err(SignUpError::NameTaken)), "{again:?}");
    assert!(matches!(accounts.create("amy", PASSWORD).await, Err(SignUpError::NameTaken)));
    let other = accounts.sign_up("ben", PASSWORD, None, None).await;
    assert!(matches!(other, Err(SignUpError::Failed(Failure::Stopping))), "{other:?}");
}

#[tokio::test]
async fn what_the_server_could_not_do_counts_against_nobody() {
    let accounts = accounts().await;
    let address = Some(IpAddr::from([10, 0, 0, 1]));
    accounts.0.hasher.close();
    for number in 0..50 {
        let failed = accounts.sign_up("amy", PASSWORD, address, None).await;
        assert!(matches!(failed, Err(SignUpError::Failed(_))), "{number}: {failed:?}");
    }
}
