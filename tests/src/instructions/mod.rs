//! How many instructions of a processor pieces of fixed work take. Unlike times, these hardly change from run to run.

mod count;
mod record;
#[expect(clippy::unwrap_used, reason = "samples are valid")]
#[path = "../../../chat-protocol/benches/frames/samples.rs"]
mod samples;
mod work;

pub use count::{Uncounted, count};
pub use record::{Change, Record};
pub use work::{Work, all};
