//! A chat server in a process of its own, which can be killed.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Stdio;

use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::time::timeout;

use crate::PATIENCE;

/// A running server. Dropped, it is killed.
#[derive(Debug)]
pub(super) struct Instance {
    child: Child,
    address: SocketAddr,
}

impl Instance {
    /// Starts the program's own server (`crash serve`) on a free port, and waits until it listens.
    pub(super) async fn start(program: &Path, database: &str) -> Self {
        let mut child = Command::new(program)
            .args(["serve", "--listen", "127.0.0.1:0", "--database", database])
            .env_clear()
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("the program can be started");
        let mut lines = BufReader::new(child.stdout.as_mut().expect("a pipe")).lines();
        let line = timeout(PATIENCE, lines.next_line()).await.expect("the server starts in time");
        let line = line.expect("the server's output is text").expect("the server starts");
        Self { child, address: line.parse().expect("the server says where it listens") }
    }

    /// Where it listens.
    pub(super) const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Kills it, in the middle of whatever it does.
    pub(super) async fn kill(mut self) {
        self.child.kill().await.expect("the server runs and can be killed");
    }

    /// Lets it stop in good order: it does when its standard input ends.
    pub(super) async fn stop(mut self) {
        drop(self.child.stdin.take());
        let ended = timeout(PATIENCE, self.child.wait()).await.expect("the server stops in time");
        assert!(ended.expect("the server can be waited for").success(), "the server stops well");
    }
}
