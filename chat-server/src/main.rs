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

/// Logs to the standard error: what `CHAT_LOG` asks for, or what an operator wants to see.
fn log(config: &Config) {
    let usual = if config.audit_log { "info,sqlx=warn" } else { "info,sqlx=warn,audit=off" };
    let filter = EnvFilter::try_from_env("CHAT_LOG").unwrap_or_else(|_| EnvFilter::new(usual));
    let is_terminal = std::io::stderr().is_terminal();
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(is_terminal)
        .with_writer(std::io::stderr)
        .init();
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
