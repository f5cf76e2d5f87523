//! `GET /chat/api/join/{listing}`.

use chat_core::storage::Profile;
use futures::future::join_all;
use serde_json::json;

use crate::site::Site;

/// A site where amy has put up listing 7.
async fn site() -> Site {
    let site = Site::new().await;
    let amy = site.user("amy").await;
    let profile = Profile {
        email: "example@gmail.com".to_owned(),
        city: "اصقهان".to_owned(),
        first_name: "امیر".to_owned(),
        ..Profile::default()
    };
    site.storage().set_profile(amy.id, &profile).await.unwrap();
    site.storage().set_listing(7, amy.id).await.unwrap();
    site
}

#[tokio::test]
async fn a_caller_gets_the_documented_answer() {
    let site = site().await;
    let answer = site.get("ben", "/chat/api/join/7").await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let joined = answer.json();
    let name = joined["roomName"][0].as_str().unwrap();
    assert!(name.len() == 32 && name.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')), "{name}");
    let expected = json!({
        "success": true,
        "roomName": [name],
        "username": "ben",
        "profile": {
            "id": 1, "email": "example@gmail.com", "picture": "", "city": "اصقهان",
            "first_name": "امیر", "last_name": "", "gender": "", "user": 1,
        },
    });
    assert_eq!(joined, expected);
    let room = site.storage().room_named(&name.parse().unwrap()).await.unwrap().unwrap();
    let members = site.storage().members(room.id).await.unwrap();
    assert_eq!(members, [site.user("ben").await, site.user("amy").await]);
    assert_eq!(room.owner, None);
}

#[tokio::test]
async fn a_room_belongs_to_a_listing_and_a_caller() {
    let site = site().await;
    site.storage().set_listing(8, site.user("amy").await.id).await.unwrap();
    let room = async |who: &str, path: &str| site.get(who, path).await.json()["roomName"][0].clone();
    let first = room("ben", "/chat/api/join/7").await;
    assert_eq!(room("ben", "/chat/api/join/7/").await, first, "the slash makes no difference");
    assert_ne!(room("cleo", "/chat/api/join/7").await, first);
    assert_ne!(room("ben", "/chat/api/join/8").await, first);
    let at_once = join_all((0..8).map(|_| room("cleo", "/chat/api/join/8"))).await;
    assert!(at_once.iter().all(|name| *name == at_once[0]), "{at_once:?}");
}

#[tokio::test]
async fn a_listing_with_another_owner_leads_to_another_room() {
    let site = site().await;
    let join = async || {
        let joined = site.get("ben", "/chat/api/join/7").await.json();
        joined["roomName"][0].as_str().unwrap().to_owned()
    };
    let first = join().await;
    assert_eq!(join().await, first);
    let [amy, ben, cleo] = [site.user("amy").await, site.user("ben").await, site.user("cleo").await];
    site.storage().set_listing(7, cleo.id).await.unwrap();
    let second = join().await;
    assert_ne!(second, first, "amy would read what ben writes to cleo");
    assert_eq!(join().await, second);
    let room = site.storage().room_named(&second.parse().unwrap()).await.unwrap().unwrap();
    assert_eq!(site.storage().members(room.id).await.unwrap(), [ben, cleo]);
    site.storage().set_listing(7, amy.id).await.unwrap();
    assert_eq!(join().await, first);
}

#[tokio::test]
async fn an_owner_without_a_profile_has_an_empty_one() {
    let site = Site::new().await;
    site.storage().set_listing(7, site.user("amy").await.id).await.unwrap();
    let joined = site.get("ben", "/chat/api/join/7").await.json();
    let fields: Vec<_> = joined["profile"].as_object().unwrap().keys().cloned().collect();
    assert_eq!(fields.len(), 8, "{fields:?}");
    assert_eq!(joined["profile"]["email"], "");
}

#[tokio::test]
async fn refusals_say_so_as_the_document_does() {
    let site = site().await;
    for (who, listing, status) in [
        ("", "7", 403),
        ("amy", "7", 400),
        ("ben", "8", 404),
        ("ben", "x", 404),
        ("ben", "-7", 404),
        ("ben", "+7", 404),
        ("ben", "99999999999999999999", 404),
    ] {
        let answer = site.get(who, &format!("/chat/api/join/{listing}")).await;
        assert_eq!(answer.status, status, "{who} {listing}");
        let body = answer.json();
        assert_eq!(body["success"], false);
        assert!(!body["message"].as_str().unwrap().is_empty());
        assert_eq!(body.as_object().unwrap().len(), 2);
    }
    assert_eq!(site.send("ben", http::Request::post("/chat/api/join/7"), "".into()).await.status, 405);
}
