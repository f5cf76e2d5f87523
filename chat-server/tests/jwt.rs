//! Who gets in with a JSON Web Token, and who does not.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests fail as tests do"
)]

#[path = "jwt/door.rs"]
mod door;
#[path = "jwt/keys.rs"]
mod keys;

#[path = "jwt/forgery.rs"]
mod forgery;
#[path = "jwt/places.rs"]
mod places;
#[path = "jwt/secrecy.rs"]
mod secrecy;
#[path = "jwt/times.rs"]
mod times;
#[path = "jwt/users.rs"]
mod users;
