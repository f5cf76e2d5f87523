//! A PostgreSQL of the tests' own.
//!
//! Needs `initdb`, `pg_ctl` and `psql`: on the path, or where Debian's package `postgresql` has them. PostgreSQL does not
//! run as root; where a test does, the system's user `postgres` runs it.

use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The password of its only user, `postgres`.
pub const PASSWORD: &str = "only-for-tests";

/// How often to try another port, where one is taken before PostgreSQL has it.
const ATTEMPTS: usize = 5;

/// A running PostgreSQL with nothing in it. It stops and leaves nothing behind when it is dropped, and when the process
/// ends in any way.
#[derive(Debug)]
pub struct Postgres {
    folder: PathBuf,
    port: u16,
    databases: AtomicUsize,
    guard: Child,
}

impl Postgres {
    /// One for all tests of this process, each with [a database of its own](Self::fresh_database).
    #[must_use]
    pub fn shared() -> &'static Self {
        static SHARED: LazyLock<Postgres> = LazyLock::new(Postgres::start);
        &SHARED
    }

    /// Makes a database and starts it.
    #[must_use]
    pub fn start() -> Self {
        let folder = tempfile::tempdir().expect("a temporary directory can be made").keep();
        if is_root() {
            run(Command::new("chown").arg("postgres").arg(&folder));
        }
        let guard = guard(&folder);
        let mut this = Self { folder, port: 0, databases: AtomicUsize::new(0), guard };
        let password = this.folder.join("password");
        std::fs::write(&password, PASSWORD).expect("a file can be written");
        if is_root() {
            run(Command::new("chown").arg("postgres").arg(&password));
        }
        run(server_program("initdb", &this.folder)
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
            if this.try_start().status.success() {
                break;
            }
            assert!(attempt < ATTEMPTS, "PostgreSQL does not start: {}", this.log());
        }
        this
    }

    /// The URL of its first database, with the name and the password of its user.
    #[must_use]
    pub fn url(&self) -> String {
        self.url_of("postgres")
    }

    /// The URL of a database.
    #[must_use]
    pub fn url_of(&self, database: &str) -> String {
        format!("postgres://postgres:{PASSWORD}@127.0.0.1:{}/{database}", self.port)
    }

    /// Makes a database, and gives its name.
    #[must_use]
    pub fn fresh_database(&self) -> String {
        let name = format!("test_{}", self.databases.fetch_add(1, Ordering::Relaxed));
        self.execute("postgres", &format!("CREATE DATABASE {name}"));
        name
    }

    /// Has SQL executed in a database, and gives the rows that come of it, one on a line.
    pub fn execute(&self, database: &str, sql: &str) -> String {
        let mut command = self.psql(database);
        let output = command.args(["--command", sql]).stdin(Stdio::null()).output().expect("psql can be run");
        assert!(output.status.success(), "{sql}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("psql writes UTF-8").trim_end().to_owned()
    }

    /// Has SQL executed in a transaction that stays open.
    #[must_use]
    pub fn hold(&self, database: &str, sql: &str) -> Held {
        let mut command = self.psql(database);
        let pipes = command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut held = Held(pipes.spawn().expect("psql can be run"));
        let mut input = held.0.stdin.as_ref().expect("it is a pipe");
        writeln!(input, "BEGIN; {sql}; SELECT 'held';").expect("psql listens");
        let output = BufReader::new(held.0.stdout.as_mut().expect("it is a pipe"));
        let answer = output.lines().next().expect("psql answers").expect("psql writes UTF-8");
        assert_eq!(answer, "held", "{sql}");
        held
    }

    fn psql(&self, database: &str) -> Command {
        let mut command = Command::new(find("psql"));
        command.args(["--no-psqlrc", "--quiet", "--tuples-only", "--no-align"]);
        command.arg(self.url_of(database)).current_dir("/");
        command
    }

    /// Where it listens, on 127.0.0.1.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// The process that started all its others.
    #[must_use]
    pub fn pid(&self) -> u32 {
        let file = std::fs::read_to_string(self.folder.join("data").join("postmaster.pid")).expect("it runs");
        file.lines().next().and_then(|line| line.parse().ok()).expect("its first line is a number")
    }

    /// Ends it as a crash would.
    pub fn crash(&self) {
        run(server_program("pg_ctl", &self.folder).args(["stop", "--mode=immediate", "--silent"]));
    }

    /// Starts it again, after a crash.
    pub fn restart(&self) {
        assert!(self.try_start().status.success(), "PostgreSQL does not start again: {}", self.log());
    }

    /// Returns when connections are accepted, or it has failed.
    fn try_start(&self) -> Output {
        let options = format!("-p {} -c listen_addresses=127.0.0.1 -c unix_socket_directories=''", self.port);
        let mut command = server_program("pg_ctl", &self.folder);
        command.args(["start", "--wait", "--silent", "--options", &options]);
        command.arg("--log").arg(self.folder.join("log"));
        // What it starts would keep a pipe open.
        command.stdout(Stdio::null()).stderr(Stdio::null()).output().expect("pg_ctl can be run")
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.folder.join("log")).unwrap_or_default()
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        drop(self.guard.stdin.take());
        let _ = self.guard.wait();
    }
}

/// A transaction that stays open. Dropped, it is rolled back.
#[derive(Debug)]
pub struct Held(Child);

impl Drop for Held {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        let _ = self.0.wait();
    }
}

/// A process that stops PostgreSQL and removes its folder once its standard input ends: when it is closed here, or with
/// this process, which may be killed, and does not drop what is static.
fn guard(folder: &Path) -> Child {
    let mut stop = server_program("pg_ctl", folder);
    stop.args(["stop", "--mode=immediate", "--silent"]);
    let mut guard = Command::new("sh");
    guard.args(["-c", r#"read -r _; "$@"; rm -rf -- "$0""#]).arg(folder);
    guard.arg(stop.get_program()).args(stop.get_args()).current_dir("/");
    // A test that is interrupted by hand must not interrupt this, too.
    guard.process_group(0);
    guard.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("sh can be run")
}

/// One of PostgreSQL's programs for servers, for the one in a folder.
fn server_program(program: &str, folder: &Path) -> Command {
    let program = find(program);
    let mut command = if is_root() {
        let mut command = Command::new("setpriv");
        command.args(["--reuid=postgres", "--regid=postgres", "--init-groups"]).arg(program);
        command
    } else {
        Command::new(program)
    };
    command.arg("--pgdata").arg(folder.join("data"));
    // The directory that a test runs in may be closed to others.
    command.current_dir("/").stdin(Stdio::null());
    command
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
