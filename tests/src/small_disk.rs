//! A disk so small that a test can fill it.
//!
//! It is mounted in a namespace that ends with the test, where the test runs itself once more. Anybody may make one where
//! the system lets users have namespaces of their own, as Debian does; elsewhere root may, or whom `sudo` lets do it
//! without a password.

use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

/// Set where the test runs in its namespace.
const INSIDE: &str = "CHAT_TESTS_MAY_MOUNT";

/// Ways to run a program where it may mount, the plainest first.
const WAYS: [&[&str]; 3] = [
    &["unshare", "--mount"],
    &["unshare", "--map-root-user", "--mount"],
    &["sudo", "--non-interactive", "unshare", "--mount"],
];

/// A mounted disk. Dropped, it is gone with all that is on it.
#[derive(Debug)]
pub struct SmallDisk {
    folder: TempDir,
}

/// Does a test that needs a disk of so many bytes: `name` is the full name of the test that calls this, which it runs again
/// where it may mount.
pub fn run(name: &str, bytes: u64, test: impl FnOnce(&SmallDisk)) {
    if std::env::var_os(INSIDE).is_some() {
        return test(&SmallDisk::mount(bytes));
    }
    let way = WAYS.into_iter().find(|way| may_mount(way)).unwrap_or_else(|| {
        panic!(
            "this test mounts a small disk (tmpfs); for that it needs to be root, or to be allowed namespaces \
             (sysctl kernel.unprivileged_userns_clone=1), or sudo without a password"
        )
    });
    let this = std::env::current_exe().expect("a test knows its program");
    let again = command(way)
        .arg(format!("{INSIDE}=1"))
        .arg(this)
        .args(["--exact", name, "--nocapture"])
        .output()
        .expect("the test can be run again");
    let said = String::from_utf8_lossy(&again.stdout) + String::from_utf8_lossy(&again.stderr);
    assert!(again.status.success() && said.contains("1 passed"), "{said}");
}

impl SmallDisk {
    fn mount(bytes: u64) -> Self {
        let folder = tempfile::tempdir().expect("a temporary directory can be made");
        let mounted = mount(&[], folder.path(), bytes);
        assert!(mounted, "a disk can be mounted");
        Self { folder }
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Leaves no space on it.
    pub fn fill(&self) {
        let mut ballast =
            File::options().create(true).append(true).open(self.ballast()).expect("a file can be made");
        loop {
            match ballast.write(&[0; 4096]) {
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::StorageFull => return,
                Err(error) => panic!("the disk cannot be filled: {error}"),
            }
        }
    }

    /// Gives back the space that was taken.
    pub fn clear(&self) {
        fs::remove_file(self.ballast()).expect("the file can be removed");
    }

    fn ballast(&self) -> PathBuf {
        self.path().join("ballast")
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // What stays mounted goes with the namespace.
        let _ = Command::new("umount").arg("--lazy").arg(self.path()).status();
    }
}

fn may_mount(way: &[&str]) -> bool {
    let folder = tempfile::tempdir().expect("a temporary directory can be made");
    mount(way, folder.path(), 4096)
}

fn mount(way: &[&str], folder: &Path, bytes: u64) -> bool {
    let mut command = command(way);
    command.args(["mount", "-t", "tmpfs", "-o", &format!("size={bytes}"), "tmpfs"]).arg(folder);
    command.output().is_ok_and(|output| output.status.success())
}

/// What runs the program whose name, after variables of its environment, is to follow.
fn command(way: &[&str]) -> Command {
    let mut words = way.iter().chain(&["env"]);
    let mut command = Command::new(words.next().unwrap_or(&"env"));
    command.args(words);
    command
}
