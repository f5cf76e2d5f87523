use axum::body::Body;
use chat_server::accounts::Scheme;
use chat_server::storage::SqliteStorage;
use http::Request;
use serde_json::json;

use crate::site::{PASSWORD, Site};

#[tokio::test]
async fn who_signs_up_is_signed_in_and_may_sign_out_and_in_again() {
    let site = Site::new().await;
    let mut browser = site.browser();
    assert_eq!(site.visitor(&browser).await, None);

    let answer = browser.submit("/accounts/signup/", "amy", PASSWORD).await;
    assert_eq!((answer.status, answer.header("location")), (302, Some("/")));
    assert_eq!(site.visitor(&browser).await.as_deref(), Some("amy"));
    assert!(browser.get("/accounts/login/").await.body.contains("You are logged in as <b>amy</b>."));

    let answer = browser.log_out().await;
    assert_eq!((answer.status, answer.header("location")), (302, Some("/")));
    assert_eq!(site.visitor(&browser).await, None);
    assert!(!browser.jar.contains_key("sessionid"));

    let answer = browser.log_in("amy", PASSWORD).await;
    assert_eq!((answer.status, answer.header("location")), (302, Some("/")));
    assert_eq!(site.visitor(&browser).await.as_deref(), Some("amy"));
}

#[tokio::test]
async fn the_same_in_json() {
    let site = Site::new().await;
    let mut script = site.browser();
    let amy = json!({ "username": "amy", "password": PASSWORD, "other": [1] });

    let answer = script.post_json("/accounts/signup/", &amy).await;
    let id = answer.json()["id"].as_i64().unwrap();
    assert_eq!((answer.status, answer.json()), (200, json!({ "id": id, "username": "amy" })));
    assert_eq!(site.visitor(&script).await.as_deref(), Some("amy"));

    let answer = script.post_json("/accounts/logout/", &json!(null)).await;
    assert_eq!((answer.status, &*answer.body), (204, ""));
    assert_eq!(site.visitor(&script).await, None);

    let answer = script.post_json("/accounts/login/", &amy).await;
    assert_eq!((answer.status, answer.json()), (200, json!({ "id": id, "username": "amy" })));
    assert_eq!(site.visitor(&script).await.as_deref(), Some("amy"));
}

#[tokio::test]
async fn signing_in_begins_another_session_and_ends_the_old_one() {
    let site = Site::new().await;
    let mut browser = site.signed_up("amy").await;
    let before = browser.clone();
    browser.log_in("amy", PASSWORD).await;
    for cookie in ["sessionid", "csrftoken"] {
        assert_ne!(before.jar[cookie], browser.jar[cookie], "{cookie}");
    }
    assert_eq!(site.visitor(&before).await, None);
    assert_eq!(site.visitor(&browser).await.as_deref(), Some("amy"));
}

#[tokio::test]
async fn a_planted_session_is_not_taken_over() {
    let site = Site::new().await;
    let mut browser = site.browser();
    let planted = "A".repeat(43);
    browser.jar.insert("sessionid".into(), planted.clone());
    browser.submit("/accounts/signup/", "amy", PASSWORD).await;
    assert_ne!(browser.jar["sessionid"], planted);
    browser.jar.insert("sessionid".into(), planted);
    assert_eq!(site.visitor(&browser).await, None);
}

#[tokio::test]
async fn cookies_have_the_attributes_that_they_need() {
    for (scheme, secure) in [(Scheme::Http, ""), (Scheme::Https, "; Secure")] {
        let site = Site::on(SqliteStorage::in_memory().await.unwrap(), scheme);
        let mut browser = site.browser();
        let form = browser.get("/accounts/signup/").await;
        let token = browser.jar["csrftoken"].clone();
        assert_eq!(token.len(), 32);
        assert_eq!(
            form.set_cookie("csrftoken"),
            Some(&*format!("csrftoken={token}; Max-Age=31449600; Path=/; SameSite=Lax{secure}"))
        );
        assert_eq!(browser.get("/accounts/signup/").await.set_cookie("csrftoken"), None, "it has one");

        let amy = json!({ "username": "amy", "password": PASSWORD }).to_string();
        let request = || {
            Request::post("/accounts/signup/")
                .header("content-type", "application/json")
                .header("origin", "https://chat.example")
                .header("x-csrftoken", &token)
        };
        let answer = browser.send(request(), amy.into()).await;
        let session = browser.jar["sessionid"].clone();
        assert_eq!(session.len(), 43);
        assert_eq!(
            answer.set_cookie("sessionid"),
            Some(&*format!("sessionid={session}; Max-Age=1209600; Path=/; SameSite=Lax; HttpOnly{secure}"))
        );
    }
}

#[tokio::test]
async fn signing_out_is_for_post_only() {
    let site = Site::new().await;
    let mut browser = site.signed_up("amy").await;
    let answer = browser.get("/accounts/logout/").await;
    assert_eq!((answer.status, answer.header("allow")), (405, Some("POST")));
    assert_eq!(site.visitor(&browser).await.as_deref(), Some("amy"));
    let answer = browser.send(Request::put("/accounts/login/"), Body::empty()).await;
    assert_eq!(answer.status, 405);
}

#[tokio::test]
async fn who_is_not_signed_in_may_sign_out() {
    let site = Site::new().await;
    assert_eq!(site.browser().log_out().await.status, 302);
}

#[tokio::test]
async fn pages_are_locked_down() {
    let site = Site::new().await;
    let mut browser = site.browser();
    for path in ["/accounts/login/", "/accounts/signup/", "/accounts/logout/", "/accounts/accounts.css"] {
        let answer = browser.get(path).await;
        let policy = answer.header("content-security-policy").unwrap();
        assert!(policy.starts_with("default-src 'none'; style-src 'self'; form-action 'self';"), "{path}");
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{path}");
        assert_eq!(answer.header("cache-control"), Some("no-store"), "{path}");
        assert!(!answer.body.contains("<script"), "{path}");
    }
}

#[tokio::test]
async fn a_missing_slash_is_added() {
    let site = Site::new().await;
    let answer = site.browser().get("/accounts/login?next=/chat/").await;
    assert_eq!((answer.status, answer.header("location")), (301, Some("login/?next=/chat/")));
    assert_eq!(site.browser().post_form("/accounts/login", &[]).await.status, 405);
}

#[tokio::test]
async fn what_people_typed_is_shown_as_text() {
    let site = Site::new().await;
    let mut browser = site.signed_up("\"&'").await;
    let page = browser.log_in("\"><img src=x onerror=alert(1)>", PASSWORD).await.body;
    assert!(page.contains("value=\"&quot;&gt;&lt;img src=x onerror=alert(1)&gt;\""), "{page}");
    assert!(!page.contains("<img"));
    assert!(browser.get("/accounts/login/").await.body.contains("as <b>&quot;&amp;'</b>."));
}
