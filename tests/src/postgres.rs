//! A PostgreSQL of a test's own.
//!
//! Needs `initdb` and `pg_ctl`: on the path, or where Debian's package `postgresql` has them. PostgreSQL does not run
//! as root; where a test does, the system's user `postgres` runs it.

use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

/// The password of its only user, `postgres`.
pub const PASSWORD: &str = "only-for-tests";

/// How often to try another port, where one is taken before PostgreSQL has it.
const ATTEMPTS: usize = 5;

/// A running PostgreSQL with nothing in it. Dropped, it stops and leaves nothing behind.
#[derive(Debug)]
pub struct Postgres {
    folder: TempDir,
    port: u16,
}

impl Postgres {
    /// Makes a database and starts it.
    #[must_use]
    pub fn start() -> Self {
        let folder = tempfile::tempdir().expect("a temporary directory can be made");
        if is_root() {
            run(Command::new("chown").arg("postgres").arg(folder.path()));
        }
        let mut this = Self { folder, port: 0 };
        let password = this.folder.path().join("password");
        std::fs::write(&password, PASSWORD).expect("a file can be written");
        if is_root() {
            run(Command::new("chown").arg("postgres").arg(&password));
        }
        run(this
            .command("initdb")
            .args([
                "--username=postgres",
                "--auth=scram-sha-256",
                "--encoding=UTF8",
                "--locale=C",
                "--no-sync",
            ])
            .arg(format!("--pwfile={}", password.display())));
        for attempt in 1.. {
            this.port = free_port();
            let started = this.try_start();
            if started.status.success() {
                break;
            }
            let log = std::fs::read_to_string(this.folder.path().join("log")).unwrap_or_default();
            assert!(attempt < ATTEMPTS, "PostgreSQL does not start: {log}");
        }
        this
    }

    /// Its URL, with the name and the password of its user.
    #[must_use]
    pub fn url(&self) -> String {
        format!("postgres://postgres:{PASSWORD}@127.0.0.1:{}/postgres", self.port)
    }

    /// Where it listens, on 127.0.0.1.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// Returns when connections are accepted, or it has failed.
    fn try_start(&self) -> Output {
        let options = format!("-p {} -c listen_addresses=127.0.0.1 -c unix_socket_directories=''", self.port);
        let log = self.folder.path().join("log");
        let mut command = self.command("pg_ctl");
        command.args(["start", "--wait", "--silent", "--options", &options]).arg("--log").arg(log);
        // What it starts would keep a pipe open.
        command.stdout(Stdio::null()).stderr(Stdio::null()).output().expect("pg_ctl can be run")
    }

    /// One of PostgreSQL's programs, for the database of this.
    fn command(&self, program: &str) -> Command {
        let program = find(program);
        let mut command = if is_root() {
            let mut command = Command::new("setpriv");
            command.args(["--reuid=postgres", "--regid=postgres", "--init-groups"]).arg(program);
            command
        } else {
            Command::new(program)
        };
        command.arg("--pgdata").arg(self.folder.path().join("data"));
        // The directory that a test runs in may be closed to others.
        command.current_dir("/").stdin(Stdio::null());
        command
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        let _ = self.command("pg_ctl").args(["stop", "--mode=immediate", "--silent"]).output();
    }
}

fn is_root() -> bool {
    let output = Command::new("id").arg("-u").output().expect("id can be run");
    output.stdout.trim_ascii() == b"0"
}

/// A port that was free just now.
fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port is free");
    listener.local_addr().expect("a bound socket has an address").port()
}

/// The newest of the programs of this name.
fn find(program: &str) -> PathBuf {
    let versions = Path::new("/usr/lib/postgresql").read_dir().into_iter().flatten().flatten();
    let debian = versions.map(|version| version.path().join("bin").join(program));
    let newest = debian.filter(|path| path.exists()).max_by_key(|path| {
        let version = path.ancestors().nth(2).and_then(Path::file_name).and_then(|name| name.to_str());
        version.and_then(|version| version.parse::<u32>().ok())
    });
    newest.unwrap_or_else(|| program.into())
}

fn run(command: &mut Command) {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?} cannot be run: {error}"));
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}
