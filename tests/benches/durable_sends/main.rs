//! How many messages a second are confirmed as stored, and how long that takes, at growing numbers of senders; beside it a
//! bare loop that appends the same bytes to a file and syncs, on the same disk, between the same rounds.
//!
//! ```text
//! cargo bench -p chat-tests --bench durable_sends
//! cargo bench -p chat-tests --bench durable_sends -- --database postgres
//! ```

#![allow(clippy::expect_used, reason = "a benchmark that cannot go on should stop, there and then")]

mod disk;
mod figures;
mod senders;

use std::io::Write;
use std::path::Path;
use std::time::Duration;

use chat_tests::crash::{Instance, TestDatabase};
use clap::{Parser, ValueEnum};

use figures::Figures;

/// How long each round is measured, and what comes before it is not.
const MEASURED: Duration = Duration::from_secs(5);
const WARM_UP: Duration = Duration::from_secs(1);

#[derive(Debug, Parser)]
struct Cli {
    /// Where messages are stored
    #[arg(long, value_enum, default_value_t = Kind::Sqlite)]
    database: Kind,
    /// How often everything is measured; the median counts
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// Given by `cargo bench`; without it, as `cargo test` starts benchmarks, there is one short round
    #[arg(long, hide = true)]
    bench: bool,
    /// Numbers of senders
    #[arg(long, value_delimiter = ',', default_values_t = [1, 10, 100, 1000])]
    senders: Vec<usize>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Kind {
    Sqlite,
    Postgres,
}

/// What was measured at one number of senders.
#[derive(Debug)]
struct Round {
    bare: Figures,
    sends: Figures,
}

fn main() {
    let cli = Cli::parse();
    let (rounds, senders, warm_up, measured) = if cli.bench {
        (cli.rounds.max(1), cli.senders, WARM_UP, MEASURED)
    } else {
        (1, vec![1, 10], Duration::from_millis(50), Duration::from_millis(200))
    };
    // One thread: the server is to have the other core.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let database = match cli.database {
        Kind::Sqlite => TestDatabase::sqlite(),
        Kind::Postgres => TestDatabase::postgres(),
    };
    say("senders  confirmed/s   p50 µs   p99 µs   bare sync/s   p50 µs   p99 µs   p50 ratio\n");
    for count in senders {
        let measure_one = || runtime.block_on(measure(&database, count, warm_up, measured));
        let mut measured: Vec<Round> = (0..rounds).map(|_| measure_one()).collect();
        measured.sort_by_key(|round| round.sends.count);
        let Round { bare, sends } = measured.swap_remove(measured.len() / 2);
        say(&format!(
            "{count:>7}  {:>11.0}  {:>7}  {:>7}  {:>12.0}  {:>7}  {:>7}  {:>9.2}x\n",
            sends.per_second(),
            sends.percentile(50),
            sends.percentile(99),
            bare.per_second(),
            bare.percentile(50),
            bare.percentile(99),
            f64::from(sends.percentile(50)) / f64::from(bare.percentile(50).max(1)),
        ));
    }
}

/// One round on a server that has just started, and the bare loop before it.
async fn measure(database: &TestDatabase, senders: usize, warm_up: Duration, measured: Duration) -> Round {
    let bare = disk::append_and_sync(&database.folder(), measured / 2);
    let server = Instance::start(Path::new(env!("CARGO_BIN_EXE_crash")), &database.url()).await;
    let sends = senders::send(server.address(), senders, warm_up, measured).await;
    server.stop().await;
    Round { bare, sends }
}

fn say(text: &str) {
    // Whoever has closed the pipe does not want to read on.
    drop(std::io::stdout().write_all(text.as_bytes()));
}
