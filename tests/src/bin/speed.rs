//! Measures how fast the server is, beside the bound and others, and prints a table.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use chat_server::chain;
use chat_tests::load::raise_descriptors;
use chat_tests::peers::Peer;
use chat_tests::speed::{ClusterRun, Programs, Run, Scale, Scenario, Subject, scenarios};
use clap::{Args, Parser, Subcommand};

type Failure = Box<dyn std::error::Error>;

/// Measures a chat server beside a bound: what the system's work alone costs
#[derive(Debug, Parser)]
#[command(name = "speed", args_conflicts_with_subcommands = true)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    plan: Plan,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Measure what a message costs a cluster, and how many it takes
    Cluster(ClusterPlan),
    /// Be a server to compare with
    #[command(hide = true, subcommand)]
    Peer(Peer),
}

#[derive(Debug, Args)]
struct Plan {
    /// What to measure, separated by commas; a name with * at its end stands for all that begin so [default: everything]
    #[arg(long, value_delimiter = ',')]
    scenarios: Vec<String>,
    /// How often; medians count
    #[arg(long, default_value_t = 5)]
    repetitions: usize,
    /// Other servers to measure, too: axum, axum-small, tungstenite, tungstenite-small, channels
    #[arg(long, value_delimiter = ',', value_parser = peer)]
    peers: Vec<Subject>,
    /// The server [default: `chat-server` beside this program]
    #[arg(long, value_name = "FILE")]
    server: Option<PathBuf>,
    /// Messages in the longest history
    #[arg(long, default_value_t = 1_000_000)]
    history: u64,
    /// Only see that everything runs: everything is small, and short
    #[arg(long)]
    smoke: bool,
    /// Where to write everything that was measured [default: a file among the temporary ones]
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
}

#[derive(Debug, Args)]
struct ClusterPlan {
    /// How often; medians count
    #[arg(long, default_value_t = 3)]
    repetitions: usize,
    /// The server [default: `chat-server` beside this program]
    #[arg(long, value_name = "FILE")]
    server: Option<PathBuf>,
    /// Only see that everything runs: everything is small, and short
    #[arg(long)]
    smoke: bool,
}

fn main() -> ExitCode {
    let Cli { command, plan } = Cli::parse();
    let done = match command {
        None => run(plan),
        Some(Command::Cluster(plan)) => measure_cluster(plan),
        Some(Command::Peer(peer)) => {
            peer.serve(|address| say(&format!("{address}\n")));
            Ok(ExitCode::SUCCESS)
        }
    };
    done.unwrap_or_else(|error| {
        complain(&format!("speed: {}\n", chain(&*error)));
        ExitCode::FAILURE
    })
}

/// How fast anything is, never makes it fail; what could not be measured does, and so does, in a smoke run, what got lost.
fn run(plan: Plan) -> Result<ExitCode, Failure> {
    raise_descriptors();
    let peer = std::env::current_exe()?;
    let server = plan.server.unwrap_or_else(|| peer.with_file_name("chat-server"));
    let scale = if plan.smoke { Scale::Smoke } else { Scale::Full { history: plan.history } };
    let run = Run {
        programs: Programs { server, scratch: scratch(&peer), peer },
        scenarios: chosen(scenarios(scale), &plan.scenarios)?,
        repetitions: if plan.smoke { 1 } else { plan.repetitions },
        peers: plan.peers,
    };
    let report = run.measure(|what| complain(&format!("{what}\n")));
    let output = plan.output.unwrap_or_else(|| std::env::temp_dir().join("speed.json"));
    fs::write(&output, serde_json::to_vec_pretty(&report)?)?;
    say(&format!("{report}\n{}\n", output.display()));
    let is_well =
        report.lines.iter().all(|line| line.failures.is_empty() && (!plan.smoke || line.is_whole()));
    Ok(if is_well { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Where cargo puts what tests leave behind for each other, so that they and this install Django once.
fn scratch(program: &Path) -> PathBuf {
    program.parent().and_then(Path::parent).map_or_else(std::env::temp_dir, |target| target.join("tmp"))
}

fn measure_cluster(plan: ClusterPlan) -> Result<ExitCode, Failure> {
    raise_descriptors();
    let server = match plan.server {
        Some(server) => server,
        None => std::env::current_exe()?.with_file_name("chat-server"),
    };
    let run = if plan.smoke { ClusterRun::smoke(server) } else { ClusterRun::new(server, plan.repetitions) };
    let report = run.measure(|what| complain(&format!("{what}\n")))?;
    say(&report.to_string());
    let is_well = !plan.smoke || report.sizes.iter().all(|size| size.is_whole);
    Ok(if is_well { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn chosen(all: Vec<Scenario>, names: &[String]) -> Result<Vec<Scenario>, Failure> {
    if names.is_empty() {
        return Ok(all);
    }
    let mut chosen = Vec::new();
    for name in names {
        let before = chosen.len();
        let matches = |key: &str| match name.strip_suffix('*') {
            Some(beginning) => key.starts_with(beginning),
            None => key == name,
        };
        chosen.extend(all.iter().filter(|scenario| matches(scenario.key)));
        if chosen.len() == before {
            let keys: Vec<&str> = all.iter().map(|scenario| scenario.key).collect();
            return Err(format!("there is no {name}; there are {}", keys.join(", ")).into());
        }
    }
    Ok(chosen)
}

fn peer(name: &str) -> Result<Subject, String> {
    let found = Subject::PEERS.into_iter().find(|peer| peer.to_string() == name);
    found.ok_or_else(|| "no such server".to_owned())
}

fn say(text: &str) {
    // Whoever has closed the pipe does not want to read on.
    drop(std::io::stdout().write_all(text.as_bytes()));
}

fn complain(text: &str) {
    drop(std::io::stderr().write_all(text.as_bytes()));
}
