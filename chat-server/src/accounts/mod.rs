//! Accounts of the server's own, and the sessions of who is signed in to them.
//!
//! [`Accounts`] is all there is to call; [`AccountStorage`] is what it needs of a database; [`router`] are its pages, and
//! [`SessionAuthenticator`](crate::auth::SessionAuthenticator) lets the signed-in connect.
//!
//! Nothing here looks at the clock by itself, and nothing secret is stored or shown: passwords as argon2id, sessions as
//! SHA-256, and neither in `Debug`.

mod admin;
mod error;
mod hasher;
mod name;
mod password;
mod service;
mod session;
mod storage;
mod throttle;
mod time;

pub use error::{Failure, LogInError, SignUpError};
pub use hasher::HashCost;
pub use password::{PasswordError, PasswordHash};
pub use service::{Accounts, AccountsConfig, SignedIn};
pub use session::{NewSession, Session, SessionHash, SessionToken};
pub use storage::{Account, AccountChange, AccountStorage, Claim};
pub use throttle::ThrottleLimits;

pub use crate::http::{Scheme, accounts_router as router, keep_signed_in};
