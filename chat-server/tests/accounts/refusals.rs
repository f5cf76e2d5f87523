use axum::body::Body;
use http::Request;
use serde_json::json;

use crate::site::{PASSWORD, Site};

const WRONG: &str =
    "Please enter a correct username and password. Note that both fields may be case-sensitive.";

#[tokio::test]
async fn an_unknown_name_and_a_wrong_password_are_answered_alike() {
    let site = Site::new().await;
    site.signed_up("amy").await;
    let gone = site.accounts.find(&site.signed_up("gone").await.jar["sessionid"]).await.unwrap();
    assert_eq!(gone, None);
    let gone = site.accounts.find("gone").await.unwrap().unwrap();
    site.accounts.deactivate(&gone.user).await.unwrap();

    let mut answers = Vec::new();
    for (name, password) in [
        ("amy", "wrong horse"),
        ("ben", PASSWORD),
        ("gone", PASSWORD),
        ("amy", &*"x".repeat(2000)),
        ("<no name>", PASSWORD),
        ("Amy", PASSWORD),
    ] {
        let answer = site.browser().log_in_json(name, password).await;
        assert_eq!((answer.status, answer.json()), (400, json!({ "detail": WRONG })), "{name}");
        assert_eq!(answer.set_cookie("sessionid"), None);
        answers.push((format!("{:?}", answer.headers), answer.body));
    }
    answers.dedup();
    assert_eq!(answers.len(), 1);
}

#[tokio::test]
async fn the_page_of_a_failure_differs_by_the_token_alone() {
    let site = Site::new().await;
    site.signed_up("amy").await;
    let mut pages = Vec::new();
    for (name, password) in [("amy", "wrong horse"), ("ben", PASSWORD)] {
        let answer = site.browser().log_in(name, password).await;
        assert_eq!(answer.status, 200);
        assert!(answer.body.contains(&format!(r#"<p data-role="error" role="alert">{WRONG}</p>"#)));
        assert!(answer.body.contains(&format!(r#"value="{name}""#)), "what was typed stays");
        assert!(!answer.body.contains(password), "but not the password");
        let token = answer.hidden("csrfmiddlewaretoken").unwrap();
        pages.push(answer.body.replace(token, "").replace(name, ""));
    }
    assert_eq!(pages[0], pages[1]);
}

#[tokio::test]
async fn a_field_at_fault_is_named() {
    let site = Site::new().await;
    site.signed_up("amy").await;
    let long = "x".repeat(1025);
    for (name, password, field, text) in [
        ("", PASSWORD, "username", "This field is required."),
        ("ben", "", "password", "This field is required."),
        ("amy", PASSWORD, "username", "A user with that username already exists."),
        (" amy ", PASSWORD, "username", "A user with that username already exists."),
        ("server", PASSWORD, "username", "Enter a valid username: it is reserved."),
        ("anonymous", PASSWORD, "username", "Enter a valid username: it is reserved."),
        ("a<b", PASSWORD, "username", "Enter a valid username: it contains the character '<'."),
        ("ben", "short", "password", "This password is too short. It must contain at least 8 characters."),
        ("ben", &long, "password", "This password is too long. It must contain at most 1024 characters."),
        ("ben-1234", "Ben-1234", "password", "The password must not be the same as the username."),
    ] {
        let mut browser = site.browser();
        let sent = json!({ "username": name, "password": password });
        let answer = browser.post_json("/accounts/signup/", &sent).await;
        assert_eq!((answer.status, answer.json()), (400, json!({ field: [text] })), "{name}");
        let page = browser.submit("/accounts/signup/", name, password).await;
        assert_eq!(page.status, 200);
        assert!(page.body.contains(&text.replace('<', "&lt;")), "{text}: {}", page.body);
        assert!(!browser.jar.contains_key("sessionid"));
    }
    assert_eq!(site.accounts.list().await.unwrap().len(), 1);
}

#[tokio::test]
async fn what_is_no_submission_is_refused() {
    let site = Site::new().await;
    let mut browser = site.browser();
    browser.get("/accounts/login/").await;
    let token = browser.jar["csrftoken"].clone();
    for (kind, body, expected) in [
        ("application/json", "{", 400),
        ("application/json", r#"{"username":1,"password":"x"}"#, 400),
        ("application/json", r#"["amy"]"#, 400),
        ("application/json", "\u{0}", 400),
        ("multipart/form-data; boundary=x", "--x--", 415),
        ("text/plain", "username=amy", 415),
        ("application/json", &*"x".repeat(64 * 1024 + 1), 413),
        ("application/x-www-form-urlencoded", &*"x".repeat(64 * 1024 + 1), 413),
        ("application/x-www-form-urlencoded", "%%%=&&&;;\u{0}", 200),
    ] {
        let request =
            Request::post("/accounts/login/").header("content-type", kind).header("x-csrftoken", &token);
        let answer = browser.send(request, Body::from(body.to_owned())).await;
        assert_eq!(answer.status, expected, "{kind}: {}", answer.body);
    }
}
