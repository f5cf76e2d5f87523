//! nginx or HAProxy before several nodes, as `docs/scaling/` sets them up.
//!
//! Needs `nginx` and `haproxy`, of Debian's packages of these names.

use std::fs::{create_dir, read_to_string, write};
use std::net::SocketAddr;
use std::path::Path;
use std::process::Stdio;

use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio::time::{sleep, timeout};

use crate::{PATIENCE, port};

/// How long to wait before a balancer that starts is tried again.
const BACKOFF: std::time::Duration = std::time::Duration::from_millis(10);

/// A program that spreads connections over nodes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `docs/scaling/nginx.conf`.
    Nginx,
    /// `docs/scaling/haproxy.cfg`.
    HaProxy,
}

/// One that runs, on a port of its own. Dropped, it is ended.
#[derive(Debug)]
pub struct Balancer {
    address: SocketAddr,
    // Ended before its folder is removed.
    _child: Child,
    _folder: TempDir,
}

impl Balancer {
    /// Starts one before three nodes, and waits until it listens.
    pub async fn start(kind: Kind, nodes: [SocketAddr; 3]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let address = port::lasting();
        let mut command = match kind {
            Kind::Nginx => nginx(folder.path(), address, nodes),
            Kind::HaProxy => haproxy(folder.path(), address, nodes),
        };
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
        let child = command.spawn().expect("it can be started");
        let listens = async {
            while TcpStream::connect(address).await.is_err() {
                sleep(BACKOFF).await;
            }
        };
        timeout(PATIENCE, listens).await.unwrap_or_else(|_| panic!("{kind:?} does not start"));
        Self { address, _child: child, _folder: folder }
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }
}

fn nginx(folder: &Path, address: SocketAddr, nodes: [SocketAddr; 3]) -> Command {
    let config = documented("nginx.conf", nodes);
    let config = replace(&config, "listen 80;", &format!("listen {address};"));
    // One process, which ends when it is killed; and what a plain user may write.
    let config = replace(&config, "worker_processes auto;", "daemon off; master_process off; pid nginx.pid;");
    let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map(|kind| {
        create_dir(folder.join(kind)).expect("a folder");
        format!("{kind}_temp_path {};", folder.join(kind).display())
    });
    let config = replace(&config, "http {", &format!("http {{ access_log off; {}", temporary.join(" ")));
    write(folder.join("nginx.conf"), config).expect("a file");
    // Debian has it where only root looks.
    let mut command = Command::new(found("/usr/sbin/nginx", "nginx"));
    command.arg("-p").arg(folder).args(["-c", "nginx.conf", "-e", "error.log"]);
    command
}

fn haproxy(folder: &Path, address: SocketAddr, nodes: [SocketAddr; 3]) -> Command {
    let config = replace(&documented("haproxy.cfg", nodes), "bind :80", &format!("bind {address}"));
    // It does not start where it may not open as many files as that takes.
    let config = replace(&config, "maxconn 50000", "maxconn 1000");
    let file = folder.join("haproxy.cfg");
    write(&file, config).expect("a file");
    let mut command = Command::new(found("/usr/sbin/haproxy", "haproxy"));
    command.arg("-db").arg("-f").arg(file);
    command
}

/// A configuration of the documentation, with other nodes.
fn documented(name: &str, nodes: [SocketAddr; 3]) -> String {
    let file = format!("{}/../docs/scaling/{name}", env!("CARGO_MANIFEST_DIR"));
    let config = read_to_string(file).expect("the documentation has it");
    (1..).zip(nodes).fold(config, |config, (number, node)| {
        replace(&config, &format!("10.0.0.{number}:8000"), &node.to_string())
    })
}

fn replace(config: &str, from: &str, to: &str) -> String {
    assert!(config.contains(from), "the configuration has {from}");
    config.replace(from, to)
}

fn found<'a>(debian: &'a str, name: &'a str) -> &'a str {
    if Path::new(debian).exists() { debian } else { name }
}
