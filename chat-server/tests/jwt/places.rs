//! Where a handshake may carry its token, and which one counts.

use serde_json::json;

use crate::door::{Door, assert_refused, name, token, wait};

fn of(name: &str) -> String {
    token(json!({ "sub": name, "username": null }))
}

#[test]
fn the_authorization_header() {
    let door = Door::hmac();
    for scheme in ["Bearer ", "bearer ", "BEARER  "] {
        let header = format!("{scheme}{}", of("amy"));
        assert_eq!(name(wait(door.request("/ws/chat/lobby", &[("authorization", &header)]))), "amy");
    }
}

#[test]
fn a_subprotocol() {
    let (door, bearer) = (Door::hmac(), format!("bearer.{}", of("amy")));
    let header = "sec-websocket-protocol";
    let one_list = format!("chat.typed, {bearer} ,x");
    for offers in [
        vec![(header, bearer.as_str())],
        vec![(header, one_list.as_str())],
        vec![(header, "chat.typed"), (header, bearer.as_str())],
    ] {
        assert_eq!(name(wait(door.request("/ws/chat/lobby/", &offers))), "amy");
    }
}

#[test]
fn the_query() {
    let door = Door::hmac();
    assert_eq!(name(wait(door.request(&format!("/ws/chat/lobby/?since=1&token={}", of("amy")), &[]))), "amy");
    let escaped = of("amy").replace('.', "%2E");
    assert_eq!(name(wait(door.request(&format!("/ws/chat/lobby/?token={escaped}"), &[]))), "amy");
}

#[test]
fn nowhere() {
    let door = Door::hmac();
    assert_refused(&wait(door.request("/ws/chat/lobby/?user=amy&username=amy", &[])));
    assert_refused(&wait(door.request("/ws/chat/lobby/?token=", &[])));
    assert_refused(&wait(
        door.request("/ws/chat/lobby/", &[("sec-websocket-protocol", "chat.typed, bearer")]),
    ));
}

#[test]
fn the_first_place_that_has_one_counts() {
    let door = Door::hmac();
    let uri = format!("/ws/chat/lobby/?token={}", of("query"));
    let header = format!("Bearer {}", of("header"));
    let offer = format!("bearer.{}", of("offer"));
    let (header, offer) = (("authorization", header.as_str()), ("sec-websocket-protocol", offer.as_str()));

    assert_eq!(name(wait(door.request(&uri, &[offer, header]))), "header");
    assert_eq!(name(wait(door.request(&uri, &[offer]))), "offer");
    assert_eq!(name(wait(door.request(&uri, &[]))), "query");
}

#[test]
fn a_bad_token_in_the_first_place_is_not_made_good_by_another() {
    let door = Door::hmac();
    let uri = format!("/ws/chat/lobby/?token={}", of("query"));
    for bad in ["Bearer", "Bearer ", "Bearer x", "Bearer \u{e9}"] {
        assert_refused(&wait(door.request(&uri, &[("authorization", bad)])));
    }
    for bad in ["bearer.", "bearer.x"] {
        assert_refused(&wait(door.request(&uri, &[("sec-websocket-protocol", bad)])));
    }
    let twice = format!("/ws/chat/lobby/?token=x&token={}", of("query"));
    assert_refused(&wait(door.request(&twice, &[])));
}

/// A proxy in front may ask for a password of its own.
#[test]
fn other_schemes_are_not_looked_at() {
    let door = Door::hmac();
    let uri = format!("/ws/chat/lobby/?token={}", of("query"));
    for other in ["Basic YW15OmFteQ==", "Bearerx y", "Bear", ""] {
        assert_eq!(name(wait(door.request(&uri, &[("authorization", other)]))), "query");
        assert_refused(&wait(door.request("/ws/chat/lobby/", &[("authorization", other)])));
    }
    let bearer = format!("Bearer {}", of("header"));
    let both = [("authorization", "Basic YW15OmFteQ=="), ("authorization", bearer.as_str())];
    assert_eq!(name(wait(door.request(&uri, &both))), "header");
}
