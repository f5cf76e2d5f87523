//! The kill test as a program: a long run, or a look at the history of one.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use chat_core::ServiceConfig;
use chat_server::{Config, Server, Settings, chain};
use chat_tests::crash::{ClusterRun, Course, Report, Run, TestDatabase, any_seed, history};
use clap::{Args, Parser, Subcommand, ValueEnum};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::oneshot;

type Failure = Box<dyn std::error::Error>;

/// Kills a chat server under load, again and again, and checks that no promise is broken
#[derive(Debug, Parser)]
#[command(name = "crash", args_conflicts_with_subcommands = true)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    plan: Plan,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Check the history of an earlier run
    Check {
        /// The file that it was written to
        file: PathBuf,
    },
    /// Make a server as busy as its clients can, kill nothing, and check the same promises
    Load(LoadPlan),
    /// Disturb three servers that talk over Redis, in every way, again and again
    Cluster(ClusterPlan),
    /// Be the server that is killed
    #[command(hide = true)]
    Serve(Box<Settings>),
}

#[derive(Debug, Args)]
struct Plan {
    /// How many times to kill
    #[arg(long, default_value_t = 200)]
    cycles: u32,
    /// How many clients send
    #[arg(long, default_value_t = 50)]
    senders: u32,
    /// To how many rooms
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..))]
    rooms: u32,
    /// Settles what depends on chance [default: another one each time]
    #[arg(long)]
    seed: Option<u64>,
    /// Where messages are stored
    // Under another id than the setting of the server that is killed, which has the same name.
    #[arg(id = "kind", long = "database", value_enum, default_value_t = Kind::Sqlite)]
    database: Kind,
    /// Where to write what happened [default: a file among the temporary ones]
    #[arg(long, value_name = "FILE")]
    history: Option<PathBuf>,
}

#[derive(Debug, Args)]
struct LoadPlan {
    /// How many events to record: sends, their confirmations, and what each client that listens hears
    #[arg(long, default_value_t = 1_000_000)]
    events: usize,
    /// How many clients send
    #[arg(long, default_value_t = 40)]
    senders: u32,
    /// To how many rooms; each is listened to in every dialect
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..))]
    rooms: u32,
    /// Settles what depends on chance [default: another one each time]
    #[arg(long)]
    seed: Option<u64>,
}

#[derive(Debug, Args)]
struct ClusterPlan {
    /// How often everything happens that can happen to a cluster
    #[arg(long, default_value_t = 3)]
    rounds: u32,
    /// How many clients there are; half of them send
    #[arg(long, default_value_t = 300)]
    clients: u32,
    /// In how many rooms
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..))]
    rooms: u32,
    /// For how many seconds the time of a server stands still
    #[arg(long, default_value_t = 10)]
    pause: u64,
    /// Settles what depends on chance [default: another one each time]
    #[arg(long)]
    seed: Option<u64>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Kind {
    Sqlite,
    Postgres,
}

#[tokio::main]
async fn main() -> ExitCode {
    let Cli { command, plan } = Cli::parse();
    let done = match command {
        None => run(plan).await,
        Some(Command::Load(plan)) => load(plan).await,
        Some(Command::Cluster(plan)) => disturb(plan).await,
        Some(Command::Check { file }) => check(&file),
        Some(Command::Serve(settings)) => serve(*settings).await,
    };
    done.unwrap_or_else(|error| {
        say(&format!("crash: {}\n", chain(&*error)));
        ExitCode::FAILURE
    })
}

async fn run(plan: Plan) -> Result<ExitCode, Failure> {
    let Plan { cycles, senders, rooms, .. } = plan;
    let course = Course::Kills(cycles);
    let seed = plan.seed.unwrap_or_else(any_seed);
    say(&format!("seed         {seed}\n"));
    let database = match plan.database {
        Kind::Sqlite => TestDatabase::sqlite(),
        Kind::Postgres => TestDatabase::postgres(),
    };
    let run = Run { program: std::env::current_exe()?, course, senders, rooms, seed };
    let history = run.record(&database).await;
    let file = plan.history.unwrap_or_else(|| std::env::temp_dir().join(format!("crash-{seed}.jsonl")));
    keep(&file, &history)
}

async fn load(plan: LoadPlan) -> Result<ExitCode, Failure> {
    let LoadPlan { events, senders, rooms, .. } = plan;
    let seed = plan.seed.unwrap_or_else(any_seed);
    say(&format!("seed         {seed}\n"));
    let run = Run { program: std::env::current_exe()?, course: Course::Load(events), senders, rooms, seed };
    let begin = Instant::now();
    let history = run.record(&TestDatabase::sqlite()).await;
    say(&format!("lasted       {:.1} s\n", begin.elapsed().as_secs_f64()));
    keep(&std::env::temp_dir().join(format!("load-{seed}.jsonl")), &history)
}

async fn disturb(plan: ClusterPlan) -> Result<ExitCode, Failure> {
    let ClusterPlan { rounds, clients, rooms, pause, seed } = plan;
    let seed = seed.unwrap_or_else(any_seed);
    say(&format!("seed         {seed}\n"));
    let run = ClusterRun {
        program: std::env::current_exe()?,
        rounds,
        senders: clients / 2,
        subscribers: clients - clients / 2,
        rooms,
        pause: Duration::from_secs(pause),
        node_lasts: ServiceConfig::default().node_lasts,
        seed,
    };
    let history = run.record().await;
    keep(&std::env::temp_dir().join(format!("cluster-{seed}.jsonl")), &history)
}

fn keep(file: &Path, history: &[history::Event]) -> Result<ExitCode, Failure> {
    history::write(file, history)?;
    say(&format!("history      {}\n", file.display()));
    Ok(tell(&Report::of(history)))
}

fn check(file: &Path) -> Result<ExitCode, Failure> {
    Ok(tell(&Report::of(&history::read(file)?)))
}

fn tell(report: &Report) -> ExitCode {
    say(&report.to_string());
    if report.violations.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Serves as `chat-server` does. Says where, and stops when the standard input ends: nobody is left to kill it then.
async fn serve(settings: Settings) -> Result<ExitCode, Failure> {
    let server = Server::bind(Config::resolve(settings, None)?).await?;
    let mut terminate = signal(SignalKind::terminate())?;
    say(&format!("{}\n", server.address()));
    let (end, end_of_input) = oneshot::channel::<()>();
    // A thread of its own: a read cannot be interrupted, and must not keep the process from ending.
    std::thread::spawn(move || {
        drop(std::io::copy(&mut std::io::stdin(), &mut std::io::sink()));
        drop(end);
    });
    server
        .run(async {
            tokio::select! {
                _ = end_of_input => {}
                _ = terminate.recv() => {}
            }
        })
        .await;
    Ok(ExitCode::SUCCESS)
}

fn say(text: &str) {
    // Whoever has closed the pipe does not want to read on.
    drop(std::io::stdout().write_all(text.as_bytes()));
}
