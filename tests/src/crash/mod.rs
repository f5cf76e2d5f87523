//! The kill test: what clients of a server that is killed again and again may and may not be told.

mod checker;
pub mod history;
mod violation;

pub use checker::check;
pub use violation::{Part, Violation};
