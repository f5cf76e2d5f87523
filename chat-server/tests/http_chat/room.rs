//! The view of a room, and its forms.

use chat_core::storage::Access;
use futures::future::join_all;
use serde_json::json;

use crate::site::Site;

#[tokio::test]
async fn who_asks_for_json_gets_all_that_the_page_shows() {
    let site = Site::new().await;
    let hall = site.room("hall", Access::Open, &["amy"]).await;
    site.room("elsewhere", Access::Open, &["ben"]).await;
    site.notify("ben", "amy", "hello").await;
    site.notify("amy", "ben", "not hers").await;
    let answer = site.get_json("amy", "/chat/hall/").await;
    assert_eq!(answer.status, 200);
    assert!(answer.header("set-cookie").starts_with("csrftoken="), "scripts need a token, too");
    let hall = json!({
        "id": hall.id.value(), "name": "hall", "display_name": "hall", "is_private": false, "owner": 1,
    });
    let expected = json!({
        "room_name": "hall",
        "room": hall,
        "self": {"id": 1, "username": "amy"},
        "notifications": [{"id": 1, "message": "hello", "from_user": "ben", "date": "2025-10-03T03:00:00Z"}],
        "users": [{"id": 2, "username": "ben"}, {"id": 3, "username": "cleo"}],
        "rooms": [hall],
    });
    assert_eq!(answer.json(), expected);
}

#[tokio::test]
async fn rooms_are_found_by_name_and_id() {
    let site = Site::new().await;
    let hall = site.room("hall", Access::Open, &[]).await;
    let by_id = site.get_json("amy", &format!("/chat/{}/", hall.id)).await;
    assert_eq!(by_id.json()["room_name"], "hall");
    let slash = site.get("amy", "/chat/hall?x=y").await;
    assert_eq!((slash.status, slash.header("location")), (301, "/chat/hall/?x=y"));
}

#[tokio::test]
async fn a_room_that_one_may_not_enter_looks_like_none() {
    let site = Site::new().await;
    let den = site.room("den", Access::MembersOnly, &["amy"]).await;
    for accept in ["text/html", "application/json"] {
        let ask = async |room: &str| {
            let request = http::Request::get(format!("/chat/{room}/")).header("accept", accept);
            let answer = site.send("ben", request, "".into()).await;
            (answer.status, answer.body)
        };
        let none = ask("nowhere").await;
        assert_eq!(none.0, 404);
        for room in ["den", &den.id.to_string(), "listener", "a%20b", "%2F"] {
            assert_eq!(ask(room).await, none, "{room}");
        }
    }
    let fields = [("type", "Clean_Seen")];
    let none = site.post("ben", "/chat/nowhere/", &fields).await;
    let closed = site.post("ben", "/chat/den/", &fields).await;
    assert_eq!((none.status, &none.body), (404, &closed.body));
    assert_eq!(site.get("amy", "/chat/den/").await.status, 200);
}

#[tokio::test]
async fn two_people_have_one_room_whoever_asks() {
    let site = Site::new().await;
    site.room("hall", Access::Open, &[]).await;
    let ask = async |who: &str, other: &str| {
        let answer = site.post(who, "/chat/hall/", &[("type", "Create_Group_Single"), ("user", other)]).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.json()
    };
    let made = ask("amy", "2").await;
    assert_eq!(made, json!({"id": made["id"].as_i64().unwrap(), "display_name": "amy_with_ben"}));
    assert_eq!(ask("amy", "2").await, made);
    assert_eq!(ask("ben", "1").await, made);
    assert_ne!(ask("cleo", "1").await["id"], made["id"]);
    let room = site.storage().room(made["id"].as_i64().unwrap().try_into().unwrap()).await.unwrap().unwrap();
    assert_eq!((room.access, room.owner), (Access::MembersOnly, None));
    assert_eq!(site.get("cleo", &format!("/chat/{}/", room.name)).await.status, 404);
}

#[tokio::test]
async fn two_people_who_ask_at_once_have_one_room() {
    let site = Site::new().await;
    site.room("hall", Access::Open, &[]).await;
    let answers = join_all((0..16).map(async |turn| {
        let (who, other) = if turn % 2 == 0 { ("ben", "3") } else { ("cleo", "2") };
        site.post(who, "/chat/hall/", &[("type", "Create_Group_Single"), ("user", other)]).await.json()
    }))
    .await;
    assert!(answers.iter().all(|made| *made == answers[0]), "{answers:?}");
    assert_eq!(site.storage().rooms_of(site.user("ben").await.id, None).await.unwrap().len(), 1);
}

#[tokio::test]
async fn forms_that_make_no_sense_are_refused() {
    let site = Site::new().await;
    site.room("hall", Access::Open, &[]).await;
    site.user("Anonymous").await;
    for (fields, status) in [
        (vec![], 400),
        (vec![("type", "Other")], 400),
        (vec![("type", "Create_Group_Single")], 400),
        (vec![("type", "Create_Group_Single"), ("user", "")], 400),
        (vec![("type", "Create_Group_Single"), ("user", "ben")], 400),
        (vec![("type", "Create_Group_Single"), ("user", "1")], 400),
        (vec![("type", "Create_Group_Single"), ("user", "99")], 404),
        (vec![("type", "Create_Group_Single"), ("user", "4")], 404),
        (vec![("type", "Clean_Seen"), ("seen_id[]", "x")], 400),
    ] {
        assert_eq!(site.post("amy", "/chat/hall/", &fields).await.status, status, "{fields:?}");
    }
    assert_eq!(site.storage().rooms().await.unwrap().len(), 1, "nothing is made by the way");
}

#[tokio::test]
async fn one_clears_ones_own_notifications_only() {
    let site = Site::new().await;
    site.room("hall", Access::Open, &[]).await;
    let mut hers = Vec::new();
    for text in ["one", "two", "three"] {
        hers.push(site.notify("ben", "amy", text).await.id.to_string());
    }
    let left = async || site.get("amy", "/chat/api/notifications").await.json().as_array().unwrap().len();
    let seen: Vec<_> = hers.iter().map(|id| ("seen_id[]", &**id)).collect();
    let fields = [vec![("type", "Clean_Seen")], seen.clone()].concat();
    let answer = site.post("cleo", "/chat/hall/", &fields).await;
    assert_eq!((answer.status, &*answer.body), (200, ""));
    assert_eq!(left().await, 3, "others cannot clear them");
    assert_eq!(site.post("amy", "/chat/hall/", &[("type", "Clean_Seen")]).await.status, 200);
    assert_eq!(left().await, 3, "no ids, nothing cleared");
    let fields = [("type", "Clean_Seen"), seen[0], ("seen_id", &hers[1])];
    assert_eq!(site.post("amy", "/chat/hall/", &fields).await.status, 200);
    assert_eq!(left().await, 1, "both spellings work");
}
