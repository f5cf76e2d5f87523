//! The steps in which times are told.

use prometheus_client::metrics::histogram::Histogram;

/// In seconds: from a message among few on a quiet machine to a disk that hangs.
const STEPS: [f64; 17] = [
    0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5,
    5.0, 10.0,
];

pub(super) fn new() -> Histogram {
    Histogram::new(STEPS)
}
