//! Servers in processes of their own.

use std::io::{BufRead, BufReader};
use std::net::SocketAddrV4;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::channels;
use super::failure::Failure;
use super::seed;
use super::subject::{People, Setting, Store, Subject};
use crate::load::Process;
use crate::peers::{Buffers, Peer};

/// What tokens are signed with.
pub(super) const SECRET: &str = "a secret for measurements, and for nothing else";

/// Where the programs are.
#[derive(Debug, Clone)]
pub struct Programs {
    /// `chat-server`.
    pub server: PathBuf,
    /// The program that is a peer when it is called with `peer`.
    pub peer: PathBuf,
    /// Where Django is installed, once, if it is needed.
    pub scratch: PathBuf,
}

/// A server that listens. Dropped, it is killed, and what it stored is removed.
#[derive(Debug)]
pub(super) struct Running {
    child: Child,
    address: SocketAddrV4,
    took: Duration,
    /// Where it keeps what it stores, while it does.
    _folder: Option<TempDir>,
}

impl Running {
    /// Starts it, and waits until it listens.
    pub(super) fn start(subject: Subject, programs: &Programs) -> Result<Self, Failure> {
        match subject {
            Subject::Ours(setting) => Self::start_ours(setting, &programs.server),
            Subject::Peer(peer) => {
                let mut command = Command::new(&programs.peer);
                command.arg("peer").args(arguments(peer));
                Self::spawn(command, &programs.peer, None)
            }
            Subject::Channels { messages } => {
                let folder = tempfile::tempdir()?;
                let command = channels::command(messages, folder.path(), &programs.scratch)?;
                Self::spawn(command, Path::new("channels_peer/serve.py"), Some(folder))
            }
        }
    }

    fn start_ours(setting: Setting, program: &Path) -> Result<Self, Failure> {
        let folder = match setting.store {
            Store::Memory => None,
            Store::File => Some(tempfile::tempdir()?),
        };
        let database = folder.as_ref().map(|folder| folder.path().join("chat.db"));
        let url = match &database {
            None => "memory".to_owned(),
            Some(path) => format!("sqlite:{}", path.display()),
        };
        if let Some(path) = &database
            && !setting.seed.is_nothing()
        {
            migrate(program, &url)?;
            seed::sow(path, setting.seed)?;
            seed::settle(path)?;
        }
        let mut command = Command::new(program);
        command.args(["--listen", "127.0.0.1:0", "--database", &url]).env_clear();
        if setting.people == People::SignedIn {
            command.args(["--auth", "jwt"]).env("CHAT_JWT_SECRET", SECRET);
        }
        Self::spawn(command, program, folder)
    }

    /// Starts a node of a cluster.
    pub(super) fn start_node(program: &Path, database: &str, redis: &str) -> Result<Self, Failure> {
        let mut command = Command::new(program);
        command.args(["--listen", "127.0.0.1:0"]).env_clear();
        command.env("CHAT_DATABASE", database).env("CHAT_CHANNEL_LAYER", redis);
        Self::spawn(command, program, None)
    }

    /// All programs say where they listen before anything else that ends like an address.
    fn spawn(mut command: Command, program: &Path, folder: Option<TempDir>) -> Result<Self, Failure> {
        let begin = Instant::now();
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|source| Failure::Program { program: program.to_owned(), source })?;
        // The pipe must stay open as long as the process may write to it.
        let lines = BufReader::new(child.stdout.as_mut().expect("a pipe")).lines().map_while(Result::ok);
        let address = lines.into_iter().find_map(|line| address_in(&line));
        let took = begin.elapsed();
        if let Some(address) = address {
            return Ok(Self { child, address, took, _folder: folder });
        }
        drop(child.kill());
        drop(child.wait());
        Err(Failure::Silent { program: program.to_owned() })
    }

    pub(super) const fn address(&self) -> SocketAddrV4 {
        self.address
    }

    /// How long it took until it listened.
    pub(super) const fn took(&self) -> Duration {
        self.took
    }

    pub(super) fn process(&self) -> Process {
        Process::new(self.child.id())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// The address in `… http://127.0.0.1:1234/`, or one that is the whole line.
fn address_in(line: &str) -> Option<SocketAddrV4> {
    let url = line.split_whitespace().last()?;
    url.trim_start_matches("http://").trim_end_matches('/').parse().ok()
}

fn arguments(peer: Peer) -> Vec<&'static str> {
    let with_buffers = |name, buffers| match buffers {
        Buffers::Usual => vec![name],
        Buffers::Small => vec![name, "--buffers", "small"],
    };
    match peer {
        Peer::Bound { batch: false } => vec!["bound"],
        Peer::Bound { batch: true } => vec!["bound", "--batch"],
        Peer::Axum { buffers } => with_buffers("axum", buffers),
        Peer::Tungstenite { buffers } => with_buffers("tungstenite", buffers),
    }
}

/// Makes the tables.
fn migrate(program: &Path, database: &str) -> Result<(), Failure> {
    let output = Command::new(program)
        .args(["--database", database, "migrate"])
        .env_clear()
        .output()
        .map_err(|source| Failure::Program { program: program.to_owned(), source })?;
    if output.status.success() {
        return Ok(());
    }
    let output = String::from_utf8_lossy(&output.stderr).into_owned();
    Err(Failure::Failed { program: program.to_owned(), output })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ways_to_say_an_address_are_read() {
        let address = "127.0.0.1:4321".parse().ok();
        assert_eq!(address_in("127.0.0.1:4321"), address);
        assert_eq!(address_in("  try it     http://127.0.0.1:4321/"), address);
        assert_eq!(address_in("The chat server is ready; its messages are kept in sqlite::memory:."), None);
    }
}
