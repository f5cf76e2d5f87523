//! Rooms of one's own, and their members.

use chat_core::storage::Access;
use serde_json::{Value, json};

use crate::site::Site;

#[tokio::test]
async fn who_makes_a_room_owns_it() {
    let site = Site::new().await;
    let wish = json!({"name": "den", "display_name": "The den", "private": true, "members": ["ben", "ben"]});
    let made = site.send_json("amy", "POST", "/chat/api/rooms", &wish).await;
    assert_eq!(made.status, 201, "{made:?}");
    let made = made.json();
    let expected = json!({
        "id": made["id"], "name": "den", "display_name": "The den", "is_private": true, "owner": 1,
    });
    assert_eq!(made, expected);
    assert_eq!(site.get("amy", "/chat/den/").await.status, 200);
    assert_eq!(site.get("ben", "/chat/den/").await.status, 200);
    assert_eq!(site.get("cleo", "/chat/den/").await.status, 404);
    let again = site.send_json("ben", "POST", "/chat/api/rooms", &json!({"name": "den"})).await;
    assert_eq!(again.status, 409);
    let open = site.send_json("ben", "POST", "/chat/api/rooms", &json!({"name": "hall"})).await.json();
    assert_eq!((&open["is_private"], &open["owner"]), (&json!(false), &json!(2)));
}

#[tokio::test]
async fn wishes_that_cannot_be_met_are_refused() {
    let site = Site::new().await;
    let crowd = vec!["ben"; 101];
    for (wish, status) in [
        (json!({}), 400),
        (json!([]), 400),
        (json!({"name": 5}), 400),
        (json!({"name": ""}), 400),
        (json!({"name": "a b"}), 400),
        (json!({"name": "listener"}), 400),
        (json!({"name": "lobby\u{3164}"}), 400),
        (json!({"name": "17"}), 400),
        (json!({"name": "den", "display_name": "x".repeat(201)}), 400),
        (json!({"name": "den", "members": ["nobody"]}), 404),
        (json!({"name": "den", "members": crowd}), 400),
    ] {
        let answer = site.send_json("amy", "POST", "/chat/api/rooms", &wish).await;
        assert_eq!(answer.status, status, "{wish}");
        assert!(answer.json()["detail"].is_string());
    }
    assert!(site.storage().rooms().await.unwrap().is_empty());
    let long = json!({"name": "den", "display_name": "x".repeat(64 * 1024)});
    assert_eq!(site.send_json("amy", "POST", "/chat/api/rooms", &long).await.status, 413);
}

#[tokio::test]
async fn only_the_owner_changes_members() {
    let site = Site::new().await;
    site.room("den", Access::MembersOnly, &["amy", "ben"]).await;
    let add = async |who: &str, room: &str, name: &str| {
        let path = format!("/chat/api/rooms/{room}/members");
        site.send_json(who, "POST", &path, &json!({"username": name})).await
    };
    let remove = async |who: &str, room: &str, name: &str| {
        let path = format!("/chat/api/rooms/{room}/members/{name}");
        site.send_json(who, "DELETE", &path, &Value::Null).await
    };
    assert_eq!(add("", "den", "cleo").await.status, 403);
    assert_eq!(remove("", "den", "ben").await.status, 403);
    assert_eq!(add("ben", "den", "cleo").await.status, 403, "a member is not the owner");
    assert_eq!(remove("ben", "den", "amy").await.status, 403);
    let closed = add("cleo", "den", "cleo").await;
    let none = add("cleo", "nowhere", "cleo").await;
    assert_eq!((closed.status, &closed.body), (404, &none.body), "a stranger hears of no room");
    assert_eq!(remove("cleo", "den", "ben").await.body, none.body);

    let added = add("amy", "den", "cleo").await;
    assert_eq!((added.status, added.json()), (201, json!({"id": 3, "username": "cleo"})));
    assert_eq!(add("amy", "den", "cleo").await.status, 200);
    assert_eq!(site.get("cleo", "/chat/den/").await.status, 200);
    let removed = remove("amy", "den", "cleo").await;
    assert_eq!((removed.status, &*removed.body), (204, ""));
    assert_eq!(site.get("cleo", "/chat/den/").await.status, 404);
    assert_eq!(remove("amy", "den", "cleo").await.status, 404);
    for name in ["nobody", "a b ", ""] {
        assert_eq!(add("amy", "den", name).await.status, 404, "{name:?}");
    }
    assert_eq!(remove("amy", "den", "nobody").await.status, 404);
}

#[tokio::test]
async fn a_room_for_two_stays_so() {
    let site = Site::new().await;
    let led = site.get("amy", "/chat/with/ben/").await;
    let room = led.header("location").trim_start_matches("/chat/").trim_end_matches('/');
    let path = format!("/chat/api/rooms/{room}/members");
    for who in ["amy", "ben"] {
        let answer = site.send_json(who, "POST", &path, &json!({"username": "cleo"})).await;
        assert_eq!(answer.status, 403, "{who}");
    }
}
