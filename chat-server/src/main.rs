//! The program: reads what it is told, and runs the server until it is stopped.

use std::io::{IsTerminal, Write};
use std::process::ExitCode;

use chat_server::commands::CommandFailed;
use chat_server::{Cli, Config, Server, ServerError, chain};
use clap::Parser;
use tikv_jemallocator::Jemalloc;
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

/// Gives back what a burst of connections has taken, and keeps what is of one size together: an idle connection takes the
/// least of what was tried (docs/performance.md).
#[global_allocator]
static ALLOCATOR: Jemalloc = Jemalloc;

fn main() -> ExitCode {
    let cli = Cli::parse();
    match start(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(&chain(&error));
            ExitCode::FAILURE
        }
    }
}

/// Logs to the standard error.
fn log(config: &Config) {
    let asked = std::env::var("CHAT_LOG").ok();
    let is_terminal = std::io::stderr().is_terminal();
    tracing_subscriber::fmt()
        .with_env_filter(filter(asked.as_deref(), config.audit_log))
        .with_ansi(is_terminal)
        .with_writer(std::io::stderr)
        .init();
}

/// What is logged: what `CHAT_LOG` asks for, or what an operator wants to see. The audit log has a setting of its own, which
/// holds unless `CHAT_LOG` names `audit`: who wants to see more or less of the rest does not mean the audit log.
fn filter(asked: Option<&str>, audit_log: bool) -> EnvFilter {
    let audit = if audit_log { "audit=info" } else { "audit=off" };
    let usual = || EnvFilter::new(format!("info,sqlx=warn,{audit}"));
    let Some(asked) = asked.filter(|text| !text.is_empty()) else { return usual() };
    let names_audit = asked.split(',').any(|directive| {
        let target = directive.split(['=', '[']).next().unwrap_or_default();
        target.trim() == "audit"
    });
    let all = if names_audit { asked.to_owned() } else { format!("{asked},{audit}") };
    EnvFilter::try_new(all).unwrap_or_else(|_| usual())
}

// The server starts the other threads.
#[tokio::main(flavor = "current_thread")]
async fn start(cli: Cli) -> Result<(), CommandFailed> {
    let command = cli.command.clone();
    let config = cli.resolve()?;
    log(&config);
    if let Some(command) = command {
        say(&command.run(&config).await?);
        return Ok(());
    }
    let database = config.database.to_string();
    let mut interrupt = signal(SignalKind::interrupt()).map_err(ServerError::Signals)?;
    let mut terminate = signal(SignalKind::terminate()).map_err(ServerError::Signals)?;
    let server = Server::bind(config).await?;
    greet(&server, &database);
    server
        .run(async {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
        })
        .await;
    Ok(())
}

#[expect(clippy::print_stdout, reason = "what a person who starts the program wants to see")]
fn greet(server: &Server, database: &str) {
    let address = server.address();
    println!("The chat server is ready; its messages are kept in {database}.");
    println!();
    println!("  try it     http://{address}/");
    println!("  WebSocket  ws://{address}/ws/chat/testroom/");
    println!("  listener   ws://{address}/ws/chat/listener/");
    println!();
    println!("Ctrl-C stops it.");
}

fn say(text: &str) {
    // Whoever has closed the pipe does not want to read on.
    drop(std::io::stdout().write_all(text.as_bytes()));
}

#[expect(clippy::print_stderr, reason = "there may be no log yet")]
fn complain(text: &str) {
    eprintln!("chat-server: {text}");
}
