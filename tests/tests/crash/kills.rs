//! Short runs. The long ones are a program: `cargo run --release -p chat-tests --bin crash`.

use chat_tests::crash::{Report, Run, TestDatabase, any_seed, history};

/// Records a run and checks it. Leaves its history behind where something is wrong with it.
async fn check(run: &Run, database: &TestDatabase) -> Report {
    let history = run.record(database).await;
    let report = Report::of(&history);
    if !report.violations.is_empty() {
        let file = std::env::temp_dir().join(format!("crash-{}.jsonl", run.seed));
        history::write(&file, &history).expect("the history can be written");
        panic!("seed {}, history in {}\n{report}", run.seed, file.display());
    }
    report
}

fn short_run() -> Run {
    Run { program: env!("CARGO_BIN_EXE_crash").into(), cycles: 20, senders: 50, rooms: 20, seed: any_seed() }
}

#[tokio::test]
async fn nothing_is_lost_doubled_or_reordered_when_the_server_is_killed() {
    let report = check(&short_run(), &TestDatabase::sqlite()).await;
    // That nothing is wrong means little where nothing happened.
    assert_eq!(report.server_kills, 20, "{report}");
    assert!(report.confirmed > 300, "{report}");
    assert!(report.unknown > 0, "sends were in flight when the server was killed: {report}");
    assert!(report.refused > 0, "{report}");
    assert!(report.heard > report.confirmed, "every room is listened to: {report}");
}
