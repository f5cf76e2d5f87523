//! A Redis of the tests' own.
//!
//! Needs `redis-server`, of Debian's package of that name.

use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::PATIENCE;

/// The password of its only user.
pub const PASSWORD: &str = "only-for-tests";

/// How often to try another port, where one is taken before Redis has it.
const ATTEMPTS: usize = 5;

/// How long to wait before Redis is tried again while it starts.
const BACKOFF: Duration = Duration::from_millis(5);

/// A running Redis, which forgets everything when it ends. It ends when it is dropped, and with this process.
#[derive(Debug)]
pub struct Redis {
    folder: TempDir,
    port: u16,
    settings: Vec<String>,
    running: Option<Running>,
    prefixes: AtomicUsize,
}

impl Redis {
    /// One for all tests of this process, each with [a prefix of its own](Self::fresh_prefix).
    #[must_use]
    pub fn shared() -> &'static Self {
        static SHARED: LazyLock<Redis> = LazyLock::new(Redis::start);
        &SHARED
    }

    /// Starts one, on a free port.
    #[must_use]
    pub fn start() -> Self {
        Self::start_with(&[])
    }

    /// Starts one, on a free port, with these settings.
    #[must_use]
    pub fn start_with(settings: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("a temporary directory can be made");
        let settings: Vec<String> = settings.iter().copied().map(str::to_owned).collect();
        let prefixes = AtomicUsize::new(0);
        for attempt in 1.. {
            let port = free_port();
            if let Some(running) = Running::start(&folder, port, &settings) {
                return Self { folder, port, settings, running: Some(running), prefixes };
            }
            assert!(attempt < ATTEMPTS, "Redis does not start");
        }
        unreachable!("attempts come to an end")
    }

    /// Its URL, with the password.
    #[must_use]
    pub fn url(&self) -> String {
        self.url_by(self.port)
    }

    /// Its URL by another port, which leads to it.
    #[must_use]
    pub fn url_by(&self, port: u16) -> String {
        format!("redis://:{PASSWORD}@127.0.0.1:{port}")
    }

    /// Where it listens, on 127.0.0.1.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// The process that has started it; itself it does next to nothing.
    #[must_use]
    pub fn guard_pid(&self) -> u32 {
        self.running.as_ref().expect("it runs").0.id()
    }

    /// A prefix that nobody else uses.
    #[must_use]
    pub fn fresh_prefix(&self) -> String {
        format!("test-{}", self.prefixes.fetch_add(1, Ordering::Relaxed))
    }

    /// Ends it in the middle of whatever it does; all that it knew is lost.
    pub fn stop(&mut self) {
        self.running = None;
    }

    /// Starts it again, after a stop.
    pub fn restart(&mut self) {
        self.running = Running::start(&self.folder, self.port, &self.settings);
        assert!(self.running.is_some(), "Redis does not start again");
    }
}

/// The process, and one that kills it once its standard input ends: when it is closed here, or with this process, which
/// may be killed, and does not drop what is static.
#[derive(Debug)]
struct Running(Child);

impl Running {
    fn start(folder: &TempDir, port: u16, settings: &[String]) -> Option<Self> {
        let mut guard = Command::new("sh");
        guard.args(["-c", r#""$@" & read -r _; kill -9 $!; wait"#, "sh", "redis-server"]);
        guard.args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--requirepass", PASSWORD]);
        guard.args(["--save", "", "--appendonly", "no", "--dir"]).arg(folder.path()).args(settings);
        // A test that is interrupted by hand must not interrupt this, too.
        guard.process_group(0).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        let this = Self(guard.spawn().expect("sh can be run"));
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            match answers(port) {
                Some(answer) if answer.starts_with("+OK") => return Some(this),
                // Somebody else has the port.
                Some(_) => return None,
                None => sleep(BACKOFF),
            }
        }
        None
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        let _ = self.0.wait();
    }
}

/// What is said to the password on a port.
fn answers(port: u16) -> Option<String> {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).ok()?;
    write!(stream, "AUTH {PASSWORD}\r\n").ok()?;
    let mut answer = String::new();
    BufReader::new(stream).read_line(&mut answer).ok()?;
    Some(answer)
}

/// A port that was free just now.
fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port is free");
    listener.local_addr().expect("a bound socket has an address").port()
}
