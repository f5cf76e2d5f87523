//! Ways to find out who connects.

mod guest;

pub use guest::GuestAuthenticator;
