//! What pages of other sites cannot do.

use axum::body::Body;
use chat_core::storage::Access;
use http::Request;

use crate::site::{Site, with_cookie};

/// Each of the requests that change something, without a token.
const REQUESTS: [(&str, &str, &str, &str); 4] = [
    ("POST", "/chat/hall/", "application/x-www-form-urlencoded", "type=Create_Group_Single&user=2"),
    ("POST", "/chat/api/rooms", "application/json", r#"{"name": "den"}"#),
    ("POST", "/chat/api/rooms/hall/members", "application/json", r#"{"username": "cleo"}"#),
    ("DELETE", "/chat/api/rooms/hall/members/ben", "", ""),
];

async fn site() -> Site {
    let site = Site::new().await;
    site.room("hall", Access::Open, &["amy", "ben"]).await;
    site
}

#[tokio::test]
async fn what_changes_something_needs_the_token() {
    let site = site().await;
    for (method, path, kind, body) in REQUESTS {
        let request = || Request::builder().method(method).uri(path).header("content-type", kind);
        let send = async |request| site.send("amy", request, Body::from(body)).await.status;
        assert_eq!(send(request()).await, 403, "{path}: no cookie");
        assert_eq!(send(with_cookie(request())).await, 403, "{path}: no token");
        let wrong = "zbcdefghijABCDEFGHIJ0123456789zZ";
        assert_eq!(send(with_cookie(request()).header("x-csrftoken", wrong)).await, 403, "{path}: wrong");
        let foreign = with_cookie(request()).header("origin", "https://evil.example").header("host", "chat");
        let foreign = foreign.header("x-csrftoken", "abcdefghijABCDEFGHIJ0123456789zZ");
        assert_eq!(send(foreign).await, 403, "{path}: another site");
        let password = request().header("authorization", "Basic YW15OnNlY3JldA==");
        assert_eq!(send(password).await, 403, "{path}: browsers send passwords by themselves");
    }
    assert_eq!(site.storage().rooms().await.unwrap().len(), 1);
    assert_eq!(site.storage().rooms_of(site.user("ben").await.id, None).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_bearer_of_a_token_needs_no_other() {
    let site = site().await;
    for (method, path, kind, body) in REQUESTS {
        let request = Request::builder().method(method).uri(path).header("content-type", kind);
        let request = request.header("authorization", "Bearer xyz");
        let answer = site.send("amy", request, Body::from(body)).await;
        assert!((200..300).contains(&answer.status), "{path}: {answer:?}");
    }
}

#[tokio::test]
async fn the_token_of_a_page_is_good_for_its_forms() {
    let site = site().await;
    let page = site.get("amy", "/chat/hall/").await;
    let cookie = page.header("set-cookie").split(';').next().unwrap();
    let (_, rest) = page.body.split_once(r#"name="csrfmiddlewaretoken" value=""#).unwrap();
    let token = rest.split('"').next().unwrap();
    let request = Request::post("/chat/hall/").header("cookie", cookie);
    let request = request.header("content-type", "application/x-www-form-urlencoded; charset=UTF-8");
    let body = format!("csrfmiddlewaretoken={token}&type=Clean_Seen");
    assert_eq!(site.send("amy", request, body.into()).await.status, 200);
}

#[tokio::test]
async fn bodies_are_what_they_should_be_and_no_longer() {
    let site = site().await;
    let form = |kind| with_cookie(Request::post("/chat/hall/")).header("content-type", kind);
    let answer = site.send("amy", form("multipart/form-data"), "x".into()).await;
    assert_eq!(answer.status, 415);
    let long = format!("type={}", "x".repeat(64 * 1024));
    let answer = site.send("amy", form("application/x-www-form-urlencoded"), long.into()).await;
    assert_eq!(answer.status, 413);
}
