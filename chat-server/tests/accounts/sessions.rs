use std::time::Duration;

use chat_core::{Authenticator, Credential, Identity};
use chat_server::accounts::Scheme;
use chat_server::storage::{ServerStorage, SqliteStorage};

use crate::site::{PASSWORD, Site};

const DAY_MICROS: u64 = 24 * 60 * 60 * 1_000_000;
const DAY: Duration = Duration::from_micros(DAY_MICROS);

#[tokio::test]
async fn a_session_that_is_not_used_expires() {
    let site = Site::new().await;
    let browser = site.signed_up("amy").await;
    let credential = site.connect(&browser).await.unwrap().credential.unwrap();
    site.wait(13 * DAY);
    site.wait(Duration::from_micros(DAY_MICROS - 1));
    assert_eq!(site.visitor(&browser).await.as_deref(), Some("amy"));
    assert_eq!(site.authenticator.revoked(std::slice::from_ref(&credential)).await.unwrap(), []);
    site.wait(Duration::from_micros(1));
    assert_eq!(site.visitor(&browser).await, None);
    assert_eq!(site.authenticator.revoked(std::slice::from_ref(&credential)).await.unwrap(), [credential]);
}

#[tokio::test]
async fn a_session_that_is_used_is_extended_once_a_day() {
    let site = Site::new().await;
    let mut browser = site.signed_up("amy").await;
    site.wait(Duration::from_micros(DAY_MICROS - 1));
    assert_eq!(browser.get("/").await.set_cookie("sessionid"), None);
    site.wait(Duration::from_micros(1));
    let token = browser.jar["sessionid"].clone();
    let extended = format!("sessionid={token}; Max-Age=1209600; Path=/; SameSite=Lax; HttpOnly");
    assert_eq!(browser.get("/").await.set_cookie("sessionid"), Some(&*extended));
    assert_eq!(browser.get("/").await.set_cookie("sessionid"), None);
    for _ in 0..10 {
        site.wait(10 * DAY);
        assert!(browser.get("/").await.set_cookie("sessionid").is_some());
    }
    assert_eq!(site.visitor(&browser).await.as_deref(), Some("amy"));
    site.wait(14 * DAY);
    assert_eq!(browser.get("/").await.set_cookie("sessionid"), None, "too late");
}

#[tokio::test]
async fn signing_in_or_out_is_not_undone_by_extending_the_old_session() {
    let site = Site::new().await;
    let mut browser = site.signed_up("amy").await;
    let page = browser.get("/accounts/login/").await;
    let token = page.hidden("csrfmiddlewaretoken").unwrap();
    site.wait(2 * DAY);
    let fields = [("csrfmiddlewaretoken", token), ("username", "amy"), ("password", PASSWORD)];
    let old = browser.jar["sessionid"].clone();
    assert!(browser.post_form("/accounts/login/", &fields).await.set_cookie("sessionid").is_some());
    assert_ne!(browser.jar["sessionid"], old);

    let page = browser.get("/accounts/login/").await;
    let token = page.hidden("csrfmiddlewaretoken").unwrap();
    site.wait(2 * DAY);
    browser.post_form("/accounts/logout/", &[("csrfmiddlewaretoken", token)]).await;
    assert!(!browser.jar.contains_key("sessionid"));
}

#[tokio::test]
async fn sessions_that_end_are_revoked_and_no_others() {
    let site = Site::new().await;
    let mut browsers = Vec::new();
    for name in ["amy", "ben", "cas", "dan"] {
        browsers.push(site.signed_up(name).await);
    }
    let mut credentials: Vec<Credential> = Vec::new();
    for browser in &browsers {
        let admission = site.connect(browser).await.unwrap();
        assert!(matches!(admission.identity, Identity::User(_)));
        credentials.push(admission.credential.unwrap());
    }
    assert_eq!(site.authenticator.revoked(&credentials).await.unwrap(), []);
    assert_eq!(site.authenticator.revoked(&[]).await.unwrap(), []);

    let replayed = browsers[0].clone();
    browsers[0].log_out().await;
    let ben = site.accounts.find("ben").await.unwrap().unwrap().user;
    site.accounts.deactivate(&ben).await.unwrap();
    let cas = site.accounts.find("cas").await.unwrap().unwrap().user;
    site.accounts.change_password(&cas, "another horse").await.unwrap();

    assert_eq!(site.authenticator.revoked(&credentials).await.unwrap(), credentials[..3]);
    assert_eq!(site.visitor(&replayed).await, None, "the old cookie is of no use");
    assert_eq!(site.visitor(&browsers[3]).await.as_deref(), Some("dan"));
}

#[tokio::test]
async fn forged_cookies_prove_nothing() {
    let site = Site::new().await;
    let browser = site.signed_up("amy").await;
    let token = browser.jar["sessionid"].clone();
    let swapped = token.chars().rev().collect::<String>();
    for forged in ["", "x", "A", &swapped, &token.to_lowercase(), &format!("{token}="), "' OR 1=1 --"] {
        let mut forger = browser.clone();
        forger.jar.insert("sessionid".into(), forged.into());
        assert_eq!(site.visitor(&forger).await, None, "{forged}");
    }
}

#[tokio::test]
async fn sessions_survive_a_restart_and_the_database_does_not_give_them_away() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("chat.db");
    let site = Site::on(SqliteStorage::open(&path).await.unwrap(), Scheme::Http);
    let browser = site.signed_up("amy").await;
    let credential = site.connect(&browser).await.unwrap().credential.unwrap();
    site.storage.close().await;

    let stored = std::fs::read(&path).unwrap();
    let holds = |bytes: &[u8]| stored.windows(bytes.len()).any(|window| window == bytes);
    assert!(holds(&credential.0), "this is where it is");
    assert!(holds(b"$argon2id$v=19$"));
    assert!(!holds(browser.jar["sessionid"].as_bytes()));
    assert!(!holds(PASSWORD.as_bytes()));

    let site = Site::on(SqliteStorage::open(&path).await.unwrap(), Scheme::Http);
    assert_eq!(site.visitor(&browser).await.as_deref(), Some("amy"));
    assert_eq!(site.browser().log_in("amy", PASSWORD).await.status, 302);
}

#[tokio::test]
async fn a_user_has_only_so_many_sessions() {
    let site = Site::new().await;
    let first = site.signed_up("amy").await;
    let other = site.signed_up("ben").await;
    for number in 0..100 {
        assert_eq!(site.visitor(&first).await.as_deref(), Some("amy"), "{number}");
        site.wait(Duration::from_millis(1));
        assert_eq!(site.browser().log_in("amy", PASSWORD).await.status, 302);
    }
    assert_eq!(site.visitor(&first).await, None);
    assert_eq!(site.visitor(&other).await.as_deref(), Some("ben"));
}
