//! Short runs. The long ones are a program: `cargo run --release -p chat-tests --bin crash`.

use chat_tests::crash::{Course, Report, Run, TestDatabase, any_seed, history};

/// Records a run and checks it. Leaves its history behind where something is wrong with it.
async fn check(run: &Run, database: &TestDatabase) -> Report {
    examine("crash", run.seed, &run.record(database).await)
}

/// Checks the history of a run with a seed.
pub(crate) fn examine(kind: &str, seed: u64, history: &[history::Event]) -> Report {
    let report = Report::of(history);
    if !report.violations.is_empty() {
        let file = std::env::temp_dir().join(format!("{kind}-{seed}.jsonl"));
        history::write(&file, history).expect("the history can be written");
        panic!("seed {seed}, history in {}\n{report}", file.display());
    }
    report
}

/// A run in which the server, or its database, is killed so many times.
fn short_run(cycles: u32) -> Run {
    Run {
        program: env!("CARGO_BIN_EXE_crash").into(),
        course: Course::Kills(cycles),
        senders: 50,
        rooms: 20,
        seed: any_seed(),
    }
}

/// That nothing is wrong means little where nothing happened.
fn assert_that_much_happened(report: &Report) {
    assert!(report.confirmed > 300, "{report}");
    assert!(report.unknown > 0, "sends were in flight when something was killed: {report}");
    assert!(report.refused > 0, "{report}");
    assert!(report.heard > report.confirmed, "every room is listened to: {report}");
}

#[tokio::test]
async fn nothing_is_lost_doubled_or_reordered_when_the_server_is_killed() {
    let report = check(&short_run(20), &TestDatabase::sqlite()).await;
    assert_eq!((report.server_kills, report.database_kills), (20, 0), "{report}");
    assert_that_much_happened(&report);
}

#[tokio::test]
async fn nor_when_the_database_is_killed() {
    let report = check(&short_run(6), &TestDatabase::postgres()).await;
    assert_eq!((report.server_kills, report.database_kills), (3, 3), "{report}");
    assert_that_much_happened(&report);
}

#[tokio::test]
async fn nor_when_the_server_is_as_busy_as_it_can_be() {
    let run = Run { course: Course::Load(20_000), senders: 12, rooms: 3, ..short_run(0) };
    let report = check(&run, &TestDatabase::sqlite()).await;
    assert_eq!((report.server_kills, report.database_kills), (0, 0), "{report}");
    assert!(report.heard > 4 * report.confirmed, "all dialects hear everything: {report}");
}
