//! Ways to find out who connects.

pub mod django;
mod guest;
mod jwt;
pub(crate) mod session;

pub use django::{DjangoAuthenticator, DjangoConfig, DjangoDatabase, DjangoError, SecretKey, SessionStore};
pub use guest::GuestAuthenticator;
pub use jwt::{JwtAuthenticator, JwtConfig, JwtConfigError, JwtKey};
pub use session::SessionAuthenticator;
