//! Whom a token names.

use serde_json::{Value, json};

use crate::door::{Door, token};

/// Claims, beside a good `exp`, and the id and name that they give.
#[test]
fn a_numeric_id_and_a_name() {
    let cases = [
        (json!({ "user_id": 7, "username": "amy" }), 7, "amy"),
        (json!({ "user_id": "7", "username": "amy" }), 7, "amy"),
        (json!({ "sub": 7, "username": "amy" }), 7, "amy"),
        (json!({ "sub": "7", "preferred_username": "amy" }), 7, "amy"),
        (json!({ "user_id": 7, "sub": "9", "username": "amy", "preferred_username": "bob" }), 7, "amy"),
        (json!({ "user_id": "x-1", "sub": "9", "username": "amy" }), 9, "amy"),
        (json!({ "user_id": 7 }), 7, "7"),
        (json!({ "sub": "7" }), 7, "7"),
        (json!({ "user_id": i64::MAX, "username": "王小明" }), i64::MAX, "王小明"),
    ];
    for (claims, id, name) in cases {
        let user = Door::hmac().admits(&only(&claims));
        assert_eq!((user.id.value(), user.name.as_str()), (id, name), "{claims}");
    }
}

#[test]
fn a_name_alone() {
    let cases = [
        (json!({ "username": "amy" }), "amy"),
        (json!({ "preferred_username": "amy" }), "amy"),
        (json!({ "sub": "5f0c9c9e-uuid", "username": "amy" }), "amy"),
        (json!({ "sub": "auth0|amy" }), "auth0|amy"),
        (json!({ "sub": "110169484474386276334" }), "110169484474386276334"),
        (json!({ "sub": 0, "username": "amy" }), "amy"),
    ];
    let door = Door::hmac();
    for (claims, name) in cases {
        let user = door.admits(&only(&claims));
        assert_eq!(user.name.as_str(), name, "{claims}");
        assert_eq!(door.admits(&only(&claims)), user, "the same user comes back");
    }
}

#[test]
fn the_same_id_with_a_new_name_is_the_same_user() {
    let door = Door::hmac();
    let amy = door.admits(&only(&json!({ "sub": 7, "username": "amy" })));
    let amelia = door.admits(&only(&json!({ "sub": 7, "username": "amelia" })));
    assert_eq!(amy.id, amelia.id);
    assert_eq!(amelia.name.as_str(), "amelia");

    let other = door.admits(&only(&json!({ "sub": 8, "username": "amy" })));
    assert_ne!(other.id, amelia.id);
}

#[test]
fn nobody() {
    for claims in [
        json!({}),
        json!({ "user_id": 0 }),
        json!({ "sub": -1 }),
        json!({ "user_id": "x-1" }),
        json!({ "user_id": 1.5, "username": "amy" }),
        json!({ "user_id": u64::MAX, "username": "amy" }),
        json!({ "sub": ["7"], "username": "amy" }),
        json!({ "sub": "7", "username": 7 }),
    ] {
        Door::hmac().refuses(&only(&claims));
    }
}

#[test]
fn names_that_cannot_be() {
    let long = "x".repeat(151);
    for name in ["", " amy", "<b>", "a\u{202e}b", "server", long.as_str()] {
        Door::hmac().refuses(&only(&json!({ "sub": "7", "username": name })));
        Door::hmac().refuses(&only(&json!({ "sub": name })));
    }
}

/// A token with these claims and a good `exp`.
fn only(claims: &Value) -> String {
    let mut changes = json!({ "sub": null, "username": null });
    changes.as_object_mut().unwrap().extend(claims.as_object().unwrap().clone());
    token(changes)
}
