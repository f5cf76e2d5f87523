//! A chat server in a process of its own, which can be killed.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::Stdio;

use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::time::timeout;

use crate::PATIENCE;

/// A running server. Dropped, it is killed.
#[derive(Debug)]
pub struct Instance {
    child: Child,
    address: SocketAddr,
}

impl Instance {
    /// Starts the program's own server (`crash serve`) on a free port, and waits until it listens.
    pub async fn start(program: &Path, database: &str) -> Self {
        Self::start_with(program, &["--database", database]).await
    }

    /// Starts it on this address.
    pub async fn start_at(program: &Path, database: &str, address: SocketAddr) -> Self {
        Self::start_on(program, address, &["--database", database]).await
    }

    /// As [`start`](Self::start), with these settings.
    pub async fn start_with(program: &Path, settings: &[&str]) -> Self {
        Self::start_on(program, (Ipv4Addr::LOCALHOST, 0).into(), settings).await
    }

    /// Starts it on this address, with these settings.
    pub async fn start_on(program: &Path, address: SocketAddr, settings: &[&str]) -> Self {
        Self::spawn(Command::new(program), address, settings, &[]).await
    }

    /// As [`start_with`](Self::start_with), with these variables in its environment.
    pub async fn start_in(program: &Path, settings: &[&str], environment: &[(&str, &str)]) -> Self {
        Self::spawn(Command::new(program), (Ipv4Addr::LOCALHOST, 0).into(), settings, environment).await
    }

    async fn spawn(
        mut program: Command,
        address: SocketAddr,
        settings: &[&str],
        environment: &[(&str, &str)],
    ) -> Self {
        let mut child = program
            .args(["serve", "--listen", &address.to_string()])
            .args(settings)
            .env_clear()
            .envs(environment.iter().copied())
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
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// How much memory it takes now, in KiB.
    #[must_use]
    pub fn resident_kib(&self) -> u64 {
        self.memory("VmRSS:")
    }

    /// How much memory it took at most, since it started or since its peak was [forgotten](Self::forget_peak), in KiB.
    #[must_use]
    pub fn peak_kib(&self) -> u64 {
        self.memory("VmHWM:")
    }

    /// Forgets how much memory it has taken by now.
    pub fn forget_peak(&self) {
        let file = format!("/proc/{}/clear_refs", self.pid());
        // proc(5): 5 resets the peak.
        std::fs::write(file, "5").expect("the system forgets the peak");
    }

    fn memory(&self, field: &str) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid())).expect("it runs");
        let line = status.lines().find_map(|line| line.strip_prefix(field)).expect("the system counts it");
        line.trim().trim_end_matches(" kB").parse().expect("a number")
    }

    fn pid(&self) -> u32 {
        self.child.id().expect("it runs")
    }

    /// Stops its time, until it [goes on](Self::go_on).
    pub async fn pause(&self) {
        self.signal("STOP").await;
    }

    /// Lets it go on after a pause.
    pub async fn go_on(&self) {
        self.signal("CONT").await;
    }

    async fn signal(&self, signal: &str) {
        let mut kill = Command::new("kill");
        let sent = kill.args(["-s", signal, &self.pid().to_string()]).status().await;
        assert!(sent.expect("kill can be run").success(), "the server runs");
    }

    /// Kills it, in the middle of whatever it does.
    pub async fn kill(mut self) {
        self.child.kill().await.expect("the server runs and can be killed");
    }

    /// Lets it stop in good order: it does when its standard input ends.
    pub async fn stop(mut self) {
        drop(self.child.stdin.take());
        self.ends_well().await;
    }

    /// Lets it stop in good order, as a system does that updates a service: with SIGTERM.
    pub async fn terminate(mut self) {
        self.signal("TERM").await;
        self.ends_well().await;
    }

    async fn ends_well(&mut self) {
        let ended = timeout(PATIENCE, self.child.wait()).await.expect("the server stops in time");
        assert!(ended.expect("the server can be waited for").success(), "the server stops well");
    }
}
