//! The steps in which times are told.

use prometheus_client::metrics::histogram::Histogram;

/// In seconds: from a message among few on a quiet machine to a disk that hangs. Closer together where a good disk commits, and
/// the members of a room are served.
const STEPS: [f64; 26] = [
    0.000_05, 0.000_075, 0.000_1, 0.000_125, 0.000_15, 0.000_175, 0.000_2, 0.000_25, 0.000_3, 0.000_4,
    0.000_5, 0.000_75, 0.001, 0.001_5, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0,
    10.0,
];

pub(super) fn new() -> Histogram {
    Histogram::new(STEPS)
}
