//! A short run of three servers. Long ones are a program: `cargo run --release -p chat-tests --bin crash cluster`.

use std::time::Duration;

use chat_tests::crash::{ClusterRun, Report, any_seed};

use crate::kills::examine;

#[tokio::test]
async fn nothing_is_lost_doubled_or_reordered_whatever_happens_to_a_cluster() {
    let run = ClusterRun {
        program: env!("CARGO_BIN_EXE_crash").into(),
        rounds: 1,
        senders: 24,
        subscribers: 24,
        rooms: 8,
        // Longer than the others wait for a sign of life.
        pause: Duration::from_secs(4),
        node_lasts: Duration::from_secs(2),
        seed: any_seed(),
    };
    let report: Report = examine("cluster", run.seed, &run.record().await);
    assert_eq!(report.disturbances, 4, "{report}");
    assert!(report.confirmed > 300, "{report}");
    assert!(report.heard > report.confirmed, "every room is listened to: {report}");
}
