//! Counting by valgrind's callgrind.

use std::io;
use std::path::Path;
use std::process::Command;

use thiserror::Error;

use super::work::Work;

/// Why nothing was counted.
#[derive(Debug, Error)]
pub enum Uncounted {
    /// It is not there.
    #[error("valgrind cannot be started; it is in Debian's package `valgrind`")]
    NoValgrind(#[source] io::Error),
    /// It did not tell.
    #[error("valgrind tells no count: {0}")]
    NoCount(String),
}

/// How many instructions it takes to do a piece of work once; `program` does it so often when it is called with
/// `work NAME ROUNDS`.
///
/// The difference between some rounds and more is what the rounds take; so what comes before and after does not count.
///
/// # Errors
///
/// [`Uncounted`] where there is no valgrind that does it.
pub fn count(program: &Path, work: &Work) -> Result<u64, Uncounted> {
    let few = collected(program, &work.name, work.rounds)?;
    let many = collected(program, &work.name, 2 * work.rounds)?;
    Ok(many.saturating_sub(few) / u64::from(work.rounds))
}

fn collected(program: &Path, name: &str, rounds: u32) -> Result<u64, Uncounted> {
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(program)
        .args(["work", name, &rounds.to_string()])
        .output()
        .map_err(Uncounted::NoValgrind)?;
    let told = String::from_utf8_lossy(&output.stderr);
    let count = told.lines().find_map(|line| line.split_once("Collected :")?.1.trim().parse().ok());
    count.ok_or_else(|| Uncounted::NoCount(told.into_owned()))
}
