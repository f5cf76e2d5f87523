use chat_core::storage::UserStorage;
use chat_protocol::Username;
use chat_server::accounts::{HashCost, LogInError, SignUpError};

use crate::site::{PASSWORD, Site};

#[tokio::test]
async fn an_account_is_made_listed_and_closed() {
    let site = Site::new().await;
    let amy = site.accounts.create("amy", PASSWORD).await.unwrap();
    let ben = site.accounts.create("ben", PASSWORD).await.unwrap();
    assert!(matches!(site.accounts.create("amy", PASSWORD).await, Err(SignUpError::NameTaken)));
    site.accounts.deactivate(&ben).await.unwrap();

    let accounts = site.accounts.list().await.unwrap();
    let accounts: Vec<_> = accounts.iter().map(|account| (&account.user, account.is_active)).collect();
    assert_eq!(accounts, [(&amy, true), (&ben, false)]);

    assert_eq!(site.browser().log_in_json("ben", PASSWORD).await.status, 400);
    site.accounts.activate(&ben).await.unwrap();
    assert_eq!(site.browser().log_in_json("ben", PASSWORD).await.status, 200);
}

#[tokio::test]
async fn sessions_stay_ended_when_an_account_is_opened_again() {
    let site = Site::new().await;
    let browser = site.signed_up("amy").await;
    let amy = site.accounts.find("amy").await.unwrap().unwrap().user;
    site.accounts.deactivate(&amy).await.unwrap();
    site.accounts.activate(&amy).await.unwrap();
    assert_eq!(site.visitor(&browser).await, None);
}

#[tokio::test]
async fn only_the_new_password_counts() {
    let site = Site::new().await;
    let amy = site.accounts.create("amy", PASSWORD).await.unwrap();
    assert!(matches!(site.accounts.change_password(&amy, "short").await, Err(SignUpError::Password(_))));
    site.accounts.change_password(&amy, "another horse").await.unwrap();
    assert_eq!(site.browser().log_in_json("amy", PASSWORD).await.status, 400);
    assert_eq!(site.browser().log_in_json("amy", "another horse").await.status, 200);
}

#[tokio::test]
async fn the_name_of_a_user_without_account_is_given_away_by_who_runs_the_server_alone() {
    let site = Site::new().await;
    let guest = site.storage.ensure_user(&Username::new("guest").unwrap()).await.unwrap();
    let answer = site.browser().submit("/accounts/signup/", "guest", PASSWORD).await;
    assert!(answer.body.contains("A user with that username already exists."));
    assert_eq!(site.accounts.find("guest").await.unwrap(), None);
    assert_eq!(site.accounts.create("guest", PASSWORD).await.unwrap(), guest);
    assert_eq!(site.browser().log_in_json("guest", PASSWORD).await.status, 200);
}

#[tokio::test]
async fn a_password_is_hashed_anew_when_the_cost_has_changed() {
    let site = Site::new().await;
    let browser = site.signed_up("amy").await;
    let hash = async || site.accounts.find("amy").await.unwrap().unwrap().password_hash;
    let before = hash().await;
    site.browser().log_in("amy", PASSWORD).await;
    assert_eq!(hash().await, before);

    let dearer = site.at_cost(HashCost::default());
    let wrong = dearer.log_in("amy", "wrong horse", None, None).await;
    assert!(matches!(wrong, Err(LogInError::WrongCredentials)));
    assert_eq!(hash().await, before);
    dearer.log_in("amy", PASSWORD, None, None).await.unwrap();
    assert!(hash().await.as_str().starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
    assert_eq!(site.visitor(&browser).await.as_deref(), Some("amy"), "the password is the same");
    dearer.log_in("amy", PASSWORD, None, None).await.unwrap();
}

#[tokio::test]
async fn names_taken_at_once_are_taken_once() {
    let site = Site::new().await;
    let attempts: Vec<_> = (0..8)
        .map(|_| {
            let accounts = site.accounts.clone();
            tokio::spawn(async move { accounts.sign_up("amy", PASSWORD, None, None).await.is_ok() })
        })
        .collect();
    let mut made = 0;
    for attempt in attempts {
        made += u32::from(attempt.await.unwrap());
    }
    assert_eq!(made, 1);
}
