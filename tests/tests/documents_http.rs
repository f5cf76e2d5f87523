//! The documents' HTTP: the join API, the room view, one-to-one rooms, and the JSON API.

#![allow(clippy::expect_used, clippy::panic, reason = "helpers of tests fail as tests do")]

use chat_core::storage::{Profile, ProfileStorage, RoomStorage, UserStorage};
use chat_tests::http::{Answer, Visitor};
use chat_tests::server::TestServer;
use chat_tests::site::Site;
use chat_tests::socket::Socket;
use http::StatusCode;
use serde_json::{Value, json};

async fn open() -> Site {
    let site = Site::open(&["amy", "ben", "cleo"], |_| {}).await;
    site.storage.ensure_room(&"any".parse().expect("a name")).await.expect("a room");
    site
}

async fn id_of(site: &Site, name: &str) -> i64 {
    let name = name.parse().expect("a name");
    site.storage.user_named(&name).await.expect("an answer").expect("a user").id.value()
}

async fn connect(site: &Site, visitor: &Visitor, path: &str) -> Socket {
    let headers = [("Cookie", visitor.cookies())];
    Socket::try_open_with_headers(&site.server.ws_url(path), &headers).await.expect("one may")
}

async fn get_json(visitor: &mut Visitor, path: &str) -> Answer {
    visitor.request("GET", path, &[("Accept", "application/json")], "").await
}

#[tokio::test]
async fn the_join_api_leads_to_a_room_with_the_owner() {
    let site = open().await;
    let owner =
        site.storage.user_named(&"ben".parse().expect("a name")).await.expect("an answer").expect("ben");
    site.storage.set_listing(5, owner.id).await.expect("a listing");
    let profile =
        Profile { city: "اصفهان".to_owned(), first_name: "امیر".to_owned(), ..Profile::default() };
    site.storage.set_profile(owner.id, &profile).await.expect("a profile");

    let (mut amy, mut cleo, mut nobody) =
        (site.visitor("amy").await, site.visitor("cleo").await, Visitor::new(site.server.address()));
    let joined = amy.get("/chat/api/join/5").await;
    assert_eq!(joined.status, StatusCode::OK);
    let answer = joined.json();
    let room = answer.pointer("/roomName/0").and_then(Value::as_str).expect("a room").to_owned();
    assert!(room.len() == 32 && room.bytes().all(|byte| byte.is_ascii_hexdigit()), "{room}");
    assert_eq!(
        answer,
        json!({
            "success": true, "roomName": [room], "username": "amy",
            "profile": {"id": owner.id.value(), "email": "", "picture": "", "city": "اصفهان", "first_name": "امیر",
                        "last_name": "", "gender": "", "user": owner.id.value()},
        })
    );
    assert_eq!(amy.get("/chat/api/join/5/").await.json(), answer, "the same room again");
    assert_ne!(
        cleo.get("/chat/api/join/5").await.json()["roomName"],
        answer["roomName"],
        "another for another"
    );

    // Both are in, and nobody else.
    let path = format!("/ws/chat/{room}/?dialect=command");
    let mut ben = connect(&site, &site.visitor("ben").await, &path).await;
    let mut caller = connect(&site, &amy, &path).await;
    caller.send(&json!({"command": "new_message", "content": "is it sold?", "roomName": [room]})).await;
    assert_eq!(ben.receive().await.pointer("/message/content"), Some(&json!("is it sold?")));
    let headers = [("Cookie", cleo.cookies())];
    Socket::try_open_with_headers(&site.server.ws_url(&path), &headers).await.expect_err("not hers");

    for (visitor, path, status) in [
        (&mut amy, "/chat/api/join/6", StatusCode::NOT_FOUND),
        (&mut cleo, "/chat/api/join/x", StatusCode::NOT_FOUND),
        (&mut nobody, "/chat/api/join/5", StatusCode::FORBIDDEN),
    ] {
        let refused = visitor.get(path).await;
        assert_eq!((refused.status, &refused.json()["success"]), (status, &json!(false)), "{path}");
        assert!(refused.json()["message"].is_string());
    }
}

#[tokio::test]
async fn two_people_have_one_room_whoever_asks() {
    let site = open().await;
    let (mut amy, mut ben) = (site.visitor("amy").await, site.visitor("ben").await);
    let (amy_id, ben_id) = (id_of(&site, "amy").await.to_string(), id_of(&site, "ben").await.to_string());
    // Open before the room is made: it must carry it.
    let mut open = connect(&site, &ben, "/ws/chat/listener/").await;
    amy.get("/chat/any/").await;
    ben.get("/chat/any/").await;
    let ask_for_ben = [("type", "Create_Group_Single"), ("user", &*ben_id)];
    let ask_for_amy = [("type", "Create_Group_Single"), ("user", &*amy_id)];
    let (first, second) =
        futures::join!(amy.post("/chat/any/", &ask_for_ben), ben.post("/chat/any/", &ask_for_amy));
    assert_eq!(first.json(), second.json(), "also when both ask at once");
    let name = first.json()["display_name"].as_str().expect("a name").to_owned();
    assert!(["amy_with_ben", "ben_with_amy"].contains(&&*name), "{name}");

    // The links of the people's page lead there, too.
    let people = amy.get("/chat/").await;
    assert!(
        people.body.contains("/chat/with/ben/") && !people.body.contains("/chat/with/amy/"),
        "{}",
        people.body
    );
    let led = amy.get("/chat/with/ben/").await;
    assert_eq!(led.status, StatusCode::FOUND);
    let also = ben.get("/chat/with/amy/").await;
    let location = |answer: &Answer| {
        let line = answer.head.lines().find(|line| line.starts_with("location: ")).expect("a location");
        line.to_owned()
    };
    assert_eq!(location(&led), location(&also));
    let room = location(&led).trim_start_matches("location: /chat/").trim_end_matches('/').to_owned();
    let mut socket = connect(&site, &amy, &format!("/ws/chat/{room}?user=whoever")).await;
    socket.send(&json!({"message": "oi"})).await;
    assert_eq!(socket.receive().await["remetente"], "amy");
    assert_eq!(open.receive().await["content"], "oi");

    for (fields, status) in [
        ([("type", "Create_Group_Single"), ("user", "999")], StatusCode::NOT_FOUND),
        ([("type", "Create_Group_Single"), ("user", "")], StatusCode::BAD_REQUEST),
        ([("type", "Create_Group_Single"), ("user", &*amy_id)], StatusCode::BAD_REQUEST),
        ([("type", "Dance"), ("user", "1")], StatusCode::BAD_REQUEST),
    ] {
        assert_eq!(amy.post("/chat/any/", &fields).await.status, status, "{fields:?}");
    }
}

#[tokio::test]
async fn the_room_view_shows_what_the_document_lists() {
    let site = open().await;
    let (mut amy, mut ben) = (site.visitor("amy").await, site.visitor("ben").await);
    amy.get("/chat/any/").await;
    let created = amy
        .send_json("POST", "/chat/api/rooms", &json!({"name": "hall", "display_name": "<b>Hall</b>"}))
        .await;
    assert_eq!(created.status, StatusCode::CREATED, "{created:?}");
    let mut socket = connect(&site, &ben, "/ws/chat/hall/?dialect=group").await;
    socket
        .send(&json!({"type": "notification", "message": "<img src=x onerror=alert(1)>", "user_name": "amy"}))
        .await;
    socket.send(&json!({"type": "notification", "message": "for ben", "user_name": "ben"})).await;
    assert_eq!(socket.receive().await["message"], "for ben");

    let view = get_json(&mut amy, "/chat/any/").await.json();
    let id = view.pointer("/notifications/0/id").and_then(Value::as_i64).expect("an id").to_string();
    assert_eq!(view.pointer("/notifications/0/from_user"), Some(&json!("ben")));
    assert_eq!(view["self"]["username"], "amy");
    let others: Vec<_> =
        view["users"].as_array().expect("a list").iter().map(|user| &user["username"]).collect();
    assert_eq!(others, ["ben", "cleo"]);
    assert_eq!(view.pointer("/rooms/0/name"), Some(&json!("hall")));

    let page = amy.get("/chat/any/").await;
    let ben_id = id_of(&site, "ben").await;
    for part in
        [format!("id=\"notification_{id}\""), format!("id=\"user_{ben_id}\""), "id=\"room_2\"".to_owned()]
    {
        assert!(page.body.contains(&part), "{part} is not in {}", page.body);
    }
    assert!(!page.body.contains("<img src=x") && !page.body.contains("<b>Hall"), "texts are shown as texts");
    assert!(page.head.contains("content-security-policy: default-src 'none'"));

    // Others cannot clear them; one can.
    ben.get("/chat/any/").await;
    assert_eq!(
        ben.post("/chat/any/", &[("type", "Clean_Seen"), ("seen_id[]", &id)]).await.status,
        StatusCode::OK
    );
    assert_eq!(amy.get("/chat/api/notifications").await.json().as_array().map(Vec::len), Some(1));
    let without_token =
        Visitor::post(&mut clone_without_token(&amy), "/chat/any/", &[("type", "Clean_Seen")]).await;
    assert_eq!(without_token.status, StatusCode::FORBIDDEN);
    let cleared = amy.post("/chat/any/", &[("type", "Clean_Seen"), ("seen_id[]", &id)]).await;
    assert_eq!((cleared.status, &*cleared.body), (StatusCode::OK, ""));
    assert_eq!(amy.get("/chat/api/notifications").await.json(), json!([]));

    let mut nobody = Visitor::new(site.server.address());
    assert_eq!(nobody.get("/chat/any/").await.status, StatusCode::FOUND, "to where one signs in");
    assert_eq!(get_json(&mut nobody, "/chat/any/").await.status, StatusCode::FORBIDDEN);
}

/// The same visitor, from a page of another site: the session's cookie, and no token.
fn clone_without_token(visitor: &Visitor) -> Visitor {
    let mut other = visitor.clone();
    other.set_cookie("csrftoken", "");
    other
}

#[tokio::test]
async fn messages_are_paged_and_rooms_of_others_are_not_there() {
    let site = open().await;
    let (mut amy, mut ben) = (site.visitor("amy").await, site.visitor("ben").await);
    amy.get("/chat/any/").await;
    let den = json!({"name": "den", "private": true, "members": ["cleo"]});
    assert_eq!(amy.send_json("POST", "/chat/api/rooms", &den).await.status, StatusCode::CREATED);
    assert_eq!(amy.send_json("POST", "/chat/api/rooms", &den).await.status, StatusCode::CONFLICT);
    // An owner who was out could not come back, and nobody else could let anybody in.
    let left = amy.send_json("DELETE", "/chat/api/rooms/den/members/amy", &Value::Null).await;
    assert_eq!(left.status, StatusCode::BAD_REQUEST);
    assert_eq!(amy.get("/chat/api/rooms/den/messages").await.status, StatusCode::OK);
    let mut socket = connect(&site, &amy, "/ws/chat/den/?dialect=plain").await;
    for number in 1..=5 {
        socket.send(&json!({"message": number.to_string()})).await;
        socket.receive().await;
    }
    let page = amy.get("/chat/api/rooms/den/messages?limit=3").await.json();
    let texts = |page: &Value| -> Vec<String> {
        let messages = page["messages"].as_array().expect("a list");
        messages.iter().map(|message| message["message"].as_str().expect("a text").to_owned()).collect()
    };
    assert_eq!(texts(&page), ["5", "4", "3"]);
    let rest = amy.get(&format!("/chat/api/rooms/den/messages?before={}", page["next"])).await.json();
    assert_eq!((texts(&rest), &rest["next"]), (vec!["2".to_owned(), "1".to_owned()], &Value::Null));

    let (there, nowhere) =
        (ben.get("/chat/api/rooms/den/messages").await, ben.get("/chat/api/rooms/nowhere/messages").await);
    assert_eq!((there.status, &there.body), (StatusCode::NOT_FOUND, &nowhere.body));
    let names = |answer: &Answer| -> Vec<Value> {
        answer.json().as_array().expect("a list").iter().map(|room| room["name"].clone()).collect()
    };
    assert_eq!(names(&amy.get("/chat/api/rooms").await), ["den"]);
    assert_eq!(names(&ben.get("/chat/api/rooms").await), Vec::<Value>::new());
}

#[tokio::test]
async fn guests_have_the_pages_too() {
    let server = TestServer::start().await;
    let _ben = server.connect("/ws/chat/hall/?user=ben").await;
    let mut guest = Visitor::new(server.address());
    assert!(guest.get("/chat/?user=amy").await.body.contains("/chat/with/ben/"));
    assert_eq!(guest.get("/chat/hall/").await.status, StatusCode::OK);
    assert_eq!(guest.get("/chat/hall/?user=amy").await.status, StatusCode::OK);
    assert_eq!(guest.get("/chat/bad%20name/").await.status, StatusCode::NOT_FOUND);
}
