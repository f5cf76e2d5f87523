//! The kill test: many senders and subscribers, a server that is killed again and again, and a checker that finds out
//! whether any promise was broken.
//!
//! The same clients also make a server as busy as they can, and leave it alive: [`Course::Load`].
//!
//! A [`run`](Run) records what its clients do and are told as a [history](history::Event); [`check`] reads that, and knows
//! nothing of how it came to be.

mod checker;
mod clients;
mod cluster;
mod database;
mod door;
pub mod history;
mod instance;
mod random;
mod recorder;
mod report;
mod run;
mod sender;
mod subscriber;
mod violation;
mod watcher;

pub use checker::check;
pub use cluster::ClusterRun;
pub use database::TestDatabase;
pub use instance::Instance;
pub use random::{Random, any_seed};
pub use report::Report;
pub use run::{Course, Run};
pub use violation::{Part, Violation};
