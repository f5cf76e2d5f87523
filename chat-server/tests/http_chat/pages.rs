//! The pages, as people see them.

use chat_core::storage::Access;
use serde_json::json;

use crate::site::Site;

#[tokio::test]
async fn elements_have_the_documented_ids() {
    let site = Site::new().await;
    let hall = site.room("hall", Access::Open, &["amy"]).await;
    let notification = site.notify("ben", "amy", "hello").await;
    site.say(&hall, "ben", "good morning").await;
    let page = site.get("amy", "/chat/hall/").await;
    assert_eq!((page.status, page.header("content-type")), (200, "text/html; charset=utf-8"));
    for element in [format!("room_{}", hall.id), "user_2".into(), format!("notification_{}", notification.id)]
    {
        assert!(page.body.contains(&format!(r#"id="{element}""#)), "{element}");
    }
    assert!(!page.body.contains(r#"id="user_1""#), "oneself is not among the others");
    assert!(page.body.contains("good morning"));
    assert!(page.body.contains(r#"name="csrfmiddlewaretoken""#));
}

#[tokio::test]
async fn pages_let_nothing_in() {
    let site = Site::new().await;
    let evil = "<img src=x onerror=alert(1)>";
    let room = json!({"name": "hall", "display_name": format!("\"'{evil}")});
    assert_eq!(site.send_json("amy", "POST", "/chat/api/rooms", &room).await.status, 201);
    let hall = site.storage().room_named(&"hall".parse().unwrap()).await.unwrap().unwrap();
    site.say(&hall, "ben", evil).await;
    site.notify("ben", "amy", evil).await;
    site.user("\"onmouseover=\"alert(1)").await;
    for path in ["/chat/hall/", "/chat/"] {
        let page = site.get("amy", path).await;
        assert_eq!(page.status, 200);
        assert!(!page.body.contains("<img"), "{}", page.body);
        assert!(!page.body.contains("\"onmouseover"), "{}", page.body);
        assert!(page.body.contains("&lt;img src=x"), "{}", page.body);
        let policy = page.header("content-security-policy");
        assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
        assert_eq!(page.header("x-content-type-options"), "nosniff");
        assert_eq!(page.header("cache-control"), "no-store");
    }
}

#[tokio::test]
async fn the_files_of_the_pages_are_there() {
    let site = Site::new().await;
    for (path, kind) in [("/chat/chat.css", "text/css"), ("/chat/chat.js", "text/javascript")] {
        let file = site.get("", path).await;
        assert_eq!(file.status, 200, "{path}");
        assert!(file.header("content-type").starts_with(kind), "{path}");
    }
}

#[tokio::test]
async fn links_lead_both_to_the_same_room() {
    let site = Site::new().await;
    site.user("王/小?明 x").await;
    let list = site.get("amy", "/chat/").await;
    for link in ["/chat/with/ben/", "/chat/with/cleo/", "/chat/with/%E7%8E%8B%2F%E5%B0%8F%3F%E6%98%8E%20x/"] {
        assert!(list.body.contains(&format!(r#"href="{link}""#)), "{link}: {}", list.body);
        let led = site.get("amy", link).await;
        assert_eq!(led.status, 302, "{link}");
        assert_eq!(site.get("amy", led.header("location")).await.status, 200);
    }
    assert!(!list.body.contains("/chat/with/amy/"), "oneself is not listed");
    let (hers, his) = (site.get("amy", "/chat/with/ben/").await, site.get("ben", "/chat/with/amy/").await);
    assert_eq!(hers.header("location"), his.header("location"));
    assert_eq!(site.get("cleo", hers.header("location")).await.status, 404, "it is theirs alone");
    let form = [("type", "Create_Group_Single"), ("user", "1"), ("then", "page")];
    let sent = site.post("ben", hers.header("location"), &form).await;
    assert_eq!((sent.status, sent.header("location")), (303, hers.header("location")));
    for (name, status) in [("nobody", 404), ("amy", 400), ("Anonymous", 404), ("%3Cx%3E", 404)] {
        assert_eq!(site.get("amy", &format!("/chat/with/{name}/")).await.status, status, "{name}");
    }
    assert_eq!(site.get("amy", "/chat/with/ben").await.header("location"), "/chat/with/ben/");
}

#[tokio::test]
async fn nobody_is_sent_to_sign_in_and_back() {
    let site = Site::new().await;
    for (path, next) in [
        ("/chat/", "/chat/"),
        ("/chat/hall/?a=b&c", "/chat/hall/%3Fa%3Db%26c"),
        ("/chat/with/ben/", "/chat/with/ben/"),
    ] {
        let answer = site.get("", path).await;
        let expected = format!("/accounts/login/?next={next}");
        assert_eq!((answer.status, answer.header("location")), (302, &*expected));
        assert_eq!(site.get_json("", path).await.status, 403, "a script cannot sign in there");
    }
    let answer = site.post("", "/chat/hall/", &[("type", "Clean_Seen")]).await;
    assert_eq!(answer.status, 403, "what was sent would be lost on the way");
    for path in ["/chat//evil.example", "/chat/https:evil.example"] {
        let location = site.get("", path).await.header("location").to_owned();
        assert!(location.is_empty() || location.starts_with("/chat/"), "{path}: {location}");
    }
}

#[tokio::test]
async fn pages_may_be_nested() {
    let site = Site::new().await;
    let router = axum::Router::new().nest("/support", site.router.clone());
    let nested = Site { service: site.service.clone(), router };
    let answer = nested.get("", "/support/chat/hall/").await;
    assert_eq!(answer.header("location"), "/support/accounts/login/?next=/support/chat/hall/");
    let list = nested.get("amy", "/support/chat/").await;
    assert!(list.body.contains(r#"href="/support/chat/with/ben/""#), "{}", list.body);
    let led = nested.get("amy", "/support/chat/with/ben/").await;
    assert_eq!(nested.get("amy", led.header("location")).await.status, 200);
}
