//! Counts the instructions of fixed pieces of work, and compares them with the record in the repository.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

use chat_server::chain;
use chat_tests::instructions::{Record, all, count};
use clap::{Parser, Subcommand};

type Failure = Box<dyn std::error::Error>;

const RECORD: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/instructions.json");

/// What stands beside what: ours, and `serde_json` with a plain struct.
const RATIOS: [(&str, &str); 3] = [
    ("decode/typed/chat_message", "decode/serde_json/chat_message"),
    ("decode/typed/chat_message_escaped", "decode/serde_json/chat_message_escaped"),
    ("encode/typed/Room/message_posted", "encode/serde_json/Room/message_posted"),
];

/// Counts the instructions of fixed pieces of work, and names those that take more than the record says
#[derive(Debug, Parser)]
#[command(name = "instructions", args_conflicts_with_subcommands = true)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    /// Write down the counts, as what they are compared with from now on
    #[arg(long)]
    update: bool,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Do a piece of work
    #[command(hide = true)]
    Work { name: String, rounds: u32 },
}

fn main() -> ExitCode {
    let Cli { command, update } = Cli::parse();
    let done = match command {
        Some(Command::Work { name, rounds }) => work(&name, rounds),
        None => compare(update),
    };
    done.unwrap_or_else(|error| {
        say(&format!("instructions: {}\n", chain(&*error)));
        ExitCode::FAILURE
    })
}

fn work(name: &str, rounds: u32) -> Result<ExitCode, Failure> {
    let mut work = all().into_iter().find(|work| work.name == name).ok_or("there is no such work")?;
    for _ in 0..rounds {
        (work.once)();
    }
    Ok(ExitCode::SUCCESS)
}

fn compare(update: bool) -> Result<ExitCode, Failure> {
    if cfg!(debug_assertions) {
        return Err(
            "only a release build counts: cargo run --release -p chat-tests --bin instructions".into()
        );
    }
    let program = std::env::current_exe()?;
    let mut now = Record::default();
    for work in all() {
        now.0.insert(work.name.clone(), count(&program, &work)?);
    }
    let before = read(Path::new(RECORD))?;
    let mut has_grown = false;
    for change in now.since(&before) {
        let told = match change.before {
            None => "new".into(),
            Some(before) if change.has_grown() => format!("GROWN from {before}"),
            Some(before) if change.has_shrunk() => format!("less than {before}"),
            Some(_) => String::new(),
        };
        has_grown |= change.has_grown();
        say(&format!("{:>9}  {:44} {told}\n", change.now, change.name));
    }
    for (ours, plain) in RATIOS {
        if let Some(ratio) = now.ratio(ours, plain) {
            say(&format!("{ratio:>8.2}×  {ours}, beside {plain}\n"));
        }
    }
    if update {
        fs::write(RECORD, serde_json::to_string_pretty(&now)? + "\n")?;
    }
    Ok(if has_grown && !update { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn read(path: &Path) -> Result<Record, Failure> {
    match fs::read(path) {
        Ok(text) => Ok(serde_json::from_slice(&text)?),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Record::default()),
        Err(error) => Err(error.into()),
    }
}

fn say(text: &str) {
    // Whoever has closed the pipe does not want to read on.
    drop(std::io::stdout().write_all(text.as_bytes()));
}
