//! How fast the server is, beside the [bound](crate::peers) and other servers, in the same run.
//!
//! A [`Scenario`] is a line of the table: an [`Act`] that is tried on the server and on what it is compared with.
//! What counts is the ratio of both in the same repetition; of all repetitions, the median.

mod act;
mod channels;
mod cluster;
mod commit;
mod cores;
mod failure;
mod report;
mod run;
mod running;
mod scenario;
mod seed;
mod subject;
mod table;

pub use act::{Act, Measured, Percentile};
pub use cluster::{ClusterReport, ClusterRun, Costs, OfSize};
pub use failure::Failure;
pub use report::{Line, OfPeer, Repetition, Report};
pub use run::Run;
pub use running::Programs;
pub use scenario::{Reach, Scale, Scenario, Trial, scenarios};
pub use seed::Seed;
pub use subject::{People, Setting, Store, Subject};
