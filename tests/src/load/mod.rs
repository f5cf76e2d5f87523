//! A load generator: many WebSocket clients in one thread, which know nothing of the server but what they are sent.
//!
//! Each message carries a [`Mark`]; every frame that comes is searched for marks, whatever its form. So loss, order
//! and latency are known for any server and dialect. The time in a mark is the one at which the message was *to be* sent:
//! a server, or a generator, that is stuck shows as latency and does not vanish.

#![expect(
    clippy::indexing_slicing,
    reason = "what is measured must not be slowed down by what cannot happen"
)]
#![expect(clippy::cast_precision_loss, reason = "nobody counts or measures so far")]

mod ask;
mod climb;
mod clock;
mod crowd;
mod frame;
mod histogram;
mod mark;
mod plan;
mod process;
mod sockets;
mod tally;
mod window;

pub use ask::{Answers, Questions};
pub use climb::{Climb, Height};
pub use crowd::{Arrival, Crowd, Ungathered};
pub use mark::Mark;
pub use plan::{People, Plan, Seat, Waiting};
pub use process::Process;
pub use sockets::{most_descriptors, raise_descriptors};
pub use window::{Talk, Window};
