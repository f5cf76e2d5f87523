//! Where every name is believed.

use axum::body::Body;
use chat_core::storage::Access;
use chat_server::auth::GuestAuthenticator;
use chat_server::{Gateway, GatewayConfig};
use serde_json::json;

use crate::site::Site;

async fn site() -> Site {
    let guests = |service: &chat_core::ChatService| {
        Gateway::new(service.clone(), GuestAuthenticator, GatewayConfig::default())
    };
    let site = Site::with(guests).await;
    for name in ["amy", "ben"] {
        site.user(name).await;
    }
    site
}

#[tokio::test]
async fn a_guest_without_a_name_sees_empty_lists() {
    let site = site().await;
    let hall = site.room("hall", Access::Open, &[]).await;
    site.say(&hall, "amy", "hello").await;
    for path in ["users", "rooms", "notifications"] {
        assert_eq!(site.get("", &format!("/chat/api/{path}")).await.json(), json!([]), "{path}");
    }
    let page = site.get("", "/chat/hall/").await;
    assert_eq!(page.status, 200);
    assert!(page.body.contains("hello"), "an open room is open");
    assert_eq!(site.get("", "/chat/").await.status, 200);
    assert!(site.get_json("", "/chat/hall/").await.json()["self"].is_null());
    site.storage().set_listing(7, site.user("amy").await.id).await.unwrap();
    assert_eq!(site.get("", "/chat/api/join/7").await.status, 403);
    assert_eq!(site.get("", "/chat/with/amy/").await.status, 403);
    assert_eq!(site.post("", "/chat/hall/", &[("type", "Clean_Seen")]).await.status, 403);
    let answer = site.send_json("", "POST", "/chat/api/rooms", &json!({"name": "den"})).await;
    assert_eq!(answer.status, 403);
    for name in ["%3Cx%3E", "amy%E2%80%8C", "amy%E1%85%A0"] {
        assert_eq!(site.get("", &format!("/chat/?user={name}")).await.status, 400, "{name} cannot be one");
    }
}

#[tokio::test]
async fn a_guest_stays_the_same_from_page_to_page() {
    let site = site().await;
    let list = site.get("", "/chat/?user=amy").await;
    assert!(list.body.contains(r#"href="/chat/with/ben/?user=amy""#), "{}", list.body);
    let led = site.get("", "/chat/with/ben/?user=amy").await;
    let (path, query) = led.header("location").split_once('?').unwrap();
    assert_eq!(query, "user=amy");
    assert_eq!(site.get("", "/chat/with/amy/?user=ben").await.header("location"), format!("{path}?user=ben"));
    let page = site.get_json("", led.header("location")).await.json();
    assert_eq!(page["room"]["display_name"], "amy_with_ben");
    assert_eq!(page["room"]["is_private"], false, "a claimed name opens no door, so that there is none");
}

#[tokio::test]
async fn a_room_for_members_is_for_guests_as_if_there_were_none() {
    let site = site().await;
    let den = site.room("den", Access::MembersOnly, &["amy"]).await;
    site.say(&den, "amy", "among us").await;
    let ask = async |room: &str| {
        let page = site.get_json("", &format!("/chat/{room}/?user=amy")).await.json();
        let messages = site.get("", &format!("/chat/api/rooms/{room}/messages?user=amy")).await;
        (page["room"].clone(), page["rooms"].clone(), messages.status, messages.body)
    };
    let none = ask("nowhere").await;
    assert!(none.0.is_null() && none.2 == 404, "{none:?}");
    assert_eq!(ask("den").await, none);
    assert_eq!(ask(&den.id.to_string()).await, none, "a guest's number is a name");
    assert!(!site.get("", "/chat/den/?user=amy").await.body.contains("among us"));
    let private = json!({"name": "cave", "private": true});
    assert_eq!(site.send_json("", "POST", "/chat/api/rooms?user=amy", &private).await.status, 403);
    assert!(
        site.storage().room_named(&"nowhere".parse().unwrap()).await.unwrap().is_none(),
        "looking makes none"
    );
}

#[tokio::test]
async fn guests_need_the_csrf_token_too() {
    let site = site().await;
    let request = http::Request::post("/chat/hall/?user=amy");
    let request = request.header("content-type", "application/x-www-form-urlencoded");
    assert_eq!(site.send("", request, Body::from("type=Clean_Seen")).await.status, 403);
    assert_eq!(site.post("", "/chat/hall/?user=amy", &[("type", "Clean_Seen")]).await.status, 200);
}
