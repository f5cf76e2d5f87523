//! What the pages show, as JSON.

use chat_core::storage::Access;
use serde_json::{Value, json};

use crate::site::Site;

#[tokio::test]
async fn lists_are_ones_own() {
    let site = Site::new().await;
    site.user("Anonymous").await;
    let den = site.room("den", Access::MembersOnly, &["amy", "ben"]).await;
    site.room("elsewhere", Access::Open, &["cleo"]).await;
    site.notify("ben", "amy", "for amy").await;
    site.notify("amy", "ben", "for ben").await;
    let users = site.get("amy", "/chat/api/users").await.json();
    assert_eq!(users, json!([{"id": 2, "username": "ben"}, {"id": 3, "username": "cleo"}]));
    let rooms = site.get("ben", "/chat/api/rooms").await.json();
    let den = json!({
        "id": den.id.value(), "name": "den", "display_name": "den", "is_private": true, "owner": 1,
    });
    assert_eq!(rooms, json!([den]));
    let notifications = site.get("amy", "/chat/api/notifications").await.json();
    assert_eq!(notifications.as_array().unwrap().len(), 1);
    assert_eq!(notifications[0]["message"], "for amy");
    assert_eq!(notifications[0]["from_user"], "ben");
}

#[tokio::test]
async fn lists_of_very_many_end() {
    let site = Site::new().await;
    site.user("Anonymous").await;
    for turn in 0..1_002 {
        site.user(&format!("user{turn}")).await;
        site.room(&format!("room{turn}"), Access::Open, &["amy"]).await;
        site.notify("ben", "amy", &format!("text{turn}")).await;
    }
    let ends = async |path: &str, field: &str| {
        let list = site.get("amy", path).await.json();
        let list = list.as_array().unwrap();
        (list.len(), list[0][field].clone(), list[list.len() - 1][field].clone())
    };
    assert_eq!(ends("/chat/api/users", "username").await, (1_000, json!("ben"), json!("user997")));
    assert_eq!(ends("/chat/api/rooms", "name").await, (1_000, json!("room0"), json!("room999")));
    assert_eq!(
        ends("/chat/api/notifications", "message").await,
        (1_000, json!("text2"), json!("text1001")),
        "of these, the newest stay"
    );
    let page = site.get_json("amy", "/chat/room0/").await.json();
    for list in ["users", "rooms", "notifications"] {
        assert_eq!(page[list].as_array().unwrap().len(), 1_000, "{list}");
    }
}

#[tokio::test]
async fn nobody_is_refused_in_json() {
    let site = Site::new().await;
    for path in ["users", "rooms", "notifications", "rooms/hall/messages"] {
        let answer = site.get("", &format!("/chat/api/{path}")).await;
        assert_eq!(answer.status, 403, "{path}");
        assert_eq!(answer.json(), json!({"detail": "Authentication credentials were not provided."}));
    }
}

#[tokio::test]
async fn messages_come_in_pages_from_the_newest() {
    let site = Site::new().await;
    let den = site.room("den", Access::MembersOnly, &["amy", "ben"]).await;
    let mut ids = Vec::new();
    for turn in 0..5 {
        ids.push(site.say(&den, "ben", &format!("message {turn}")).await);
    }
    let first = site.storage().messages_before(den.id, None, 5).await.unwrap().pop().unwrap();
    site.storage().mark_read(den.id, site.user("amy").await.id, first.seq).await.unwrap();
    let (mut path, mut seen) = ("/chat/api/rooms/den/messages?limit=2".to_owned(), Vec::new());
    loop {
        let page = site.get("amy", &path).await.json();
        seen.extend(page["messages"].as_array().unwrap().clone());
        let Value::Number(next) = &page["next"] else { break };
        path = format!("/chat/api/rooms/{}/messages?limit=2&before={next}", den.id);
    }
    let texts: Vec<_> = seen.iter().map(|message| message["message"].as_str().unwrap()).collect();
    assert_eq!(texts, ["message 4", "message 3", "message 2", "message 1", "message 0"]);
    let expected = json!({
        "message_id": ids[0], "user_id": 2, "username": "ben", "message": "message 0",
        "timestamp": "2025-10-03T03:00:00Z", "is_read": true, "client_id": null,
    });
    assert_eq!(seen[4], expected);
    assert_eq!(seen[3]["is_read"], false);
}

#[tokio::test]
async fn a_page_that_ends_with_the_first_message_is_the_last() {
    let site = Site::new().await;
    let hall = site.room("hall", Access::Open, &[]).await;
    let ask = async |query: &str| site.get("amy", &format!("/chat/api/rooms/hall/messages{query}")).await;
    assert_eq!(ask("").await.json(), json!({"room_id": hall.id.value(), "messages": [], "next": null}));
    for turn in 0..201 {
        site.say(&hall, "ben", &format!("message {turn}")).await;
    }
    let counted = async |query: &str| {
        let page = ask(query).await.json();
        (page["messages"].as_array().unwrap().len(), page["next"].is_null())
    };
    assert_eq!(counted("").await, (50, false));
    assert_eq!(counted("?limit=201").await, (200, false), "there is a most");
    assert_eq!(counted("?before=3&limit=2").await, (2, true));
    assert_eq!(counted("?limit=0").await, (1, false));
    assert_eq!(counted("?before=&limit=").await, (50, false));
    let elsewhere = site.room("elsewhere", Access::Open, &[]).await;
    let foreign = site.say(&elsewhere, "ben", "elsewhere").await;
    for query in ["?before=x", "?limit=x", "?limit=-1", "?before=9999", &format!("?before={foreign}")] {
        assert_eq!(ask(query).await.status, 400, "{query}");
    }
}

#[tokio::test]
async fn messages_of_a_closed_room_are_those_of_none() {
    let site = Site::new().await;
    let den = site.room("den", Access::MembersOnly, &["amy"]).await;
    let ask = async |room: &str| {
        let answer = site.get("ben", &format!("/chat/api/rooms/{room}/messages?before=x")).await;
        (answer.status, answer.body)
    };
    let none = ask("nowhere").await;
    assert_eq!(none.0, 404);
    for room in ["den", &den.id.to_string(), "listener", "99"] {
        assert_eq!(ask(room).await, none, "{room}");
    }
}
