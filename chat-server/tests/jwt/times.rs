//! From when to when a token holds.

use std::time::Duration;

use chat_protocol::Timestamp;
use chat_server::auth::JwtConfig;
use serde_json::{Value, json};

use crate::door::{Door, config, in_seconds, no_leeway, token, wait};

fn seconds(seconds: u64) -> Timestamp {
    Timestamp::from_micros(i64::try_from(seconds).unwrap() * 1_000_000).unwrap()
}

#[test]
fn the_admission_ends_with_the_token() {
    let exp = in_seconds(600);
    let admission = wait(Door::hmac().show(&token(json!({ "exp": exp })))).unwrap();
    assert_eq!(admission.expires_at, Some(seconds(exp)));
    assert_eq!(admission.credential, None);
}

#[test]
fn an_expiry_may_have_a_fraction() {
    let exp = in_seconds(600);
    let token = token(json!({ "exp": format!("{exp}.5").parse::<f64>().unwrap() }));
    let admission = wait(Door::hmac().show(&token)).unwrap();
    assert_eq!(admission.expires_at.unwrap().as_micros(), seconds(exp).as_micros() + 500_000);
}

#[test]
fn an_expired_token_is_refused() {
    Door::hmac().refuses(&token(json!({ "exp": in_seconds(-60) })));
    Door::hmac().refuses(&token(json!({ "exp": 0 })));
    Door::with(no_leeway()).refuses(&token(json!({ "exp": in_seconds(-2) })));
}

#[test]
fn a_token_without_an_end_is_refused() {
    for exp in [Value::Null, json!("4102444800"), json!(-1), json!(1e300), json!(u64::MAX), json!(true)] {
        Door::hmac().refuses(&token(json!({ "exp": exp })));
    }
}

/// Milliseconds, where seconds should be.
#[test]
fn an_expiry_after_the_year_9999_is_a_mistake() {
    Door::hmac().refuses(&token(json!({ "exp": in_seconds(600) * 1000 })));
}

#[test]
fn a_token_that_holds_later_is_refused() {
    Door::hmac().admits(&token(json!({ "nbf": in_seconds(-1) })));
    Door::hmac().refuses(&token(json!({ "nbf": in_seconds(60) })));
    Door::with(no_leeway()).refuses(&token(json!({ "nbf": in_seconds(5) })));
    for nbf in [json!("soon"), json!(-1)] {
        Door::hmac().refuses(&token(json!({ "nbf": nbf })));
    }
}

#[test]
fn clocks_may_differ_a_little() {
    let exp = in_seconds(-10);
    let admission = wait(Door::hmac().show(&token(json!({ "exp": exp })))).unwrap();
    assert_eq!(
        admission.expires_at,
        Some(seconds(exp)),
        "the connection is told at once that its token has expired"
    );
    Door::hmac().admits(&token(json!({ "nbf": in_seconds(10) })));
}

#[test]
fn a_boundless_leeway_does_no_harm() {
    let door = Door::with(JwtConfig { leeway: Duration::MAX, ..config() });
    door.admits(&token(json!({ "exp": in_seconds(-1_000_000) })));
}
