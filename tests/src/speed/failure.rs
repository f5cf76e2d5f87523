//! What can keep something from being measured.

use std::io;
use std::path::PathBuf;

use thiserror::Error;

use crate::load::Ungathered;

/// Why something was not measured.
#[derive(Debug, Error)]
pub enum Failure {
    /// The program could not be started.
    #[error("{program} does not start; was it built? {source}")]
    Program {
        /// The program.
        program: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It ended, or said something else.
    #[error("{program} does not say where it listens")]
    Silent {
        /// The program.
        program: PathBuf,
    },
    /// It failed.
    #[error("{program} failed: {output}")]
    Failed {
        /// The program.
        program: PathBuf,
        /// What it wrote.
        output: String,
    },
    /// A folder or a file.
    #[error("a file of the measurement: {0}")]
    File(#[from] io::Error),
    /// What is to be there before could not be stored.
    #[error("what is to be there before: {0}")]
    Seed(#[from] rusqlite::Error),
    /// There is no Django to compare with.
    #[error(
        "Django cannot be installed; it takes python3, its module venv, and the Python package index: {0}"
    )]
    Django(io::Error),
    /// Clients did not get in.
    #[error(transparent)]
    Ungathered(#[from] Ungathered),
    /// The server does not tell its figures.
    #[error("/metrics of the server: {0}")]
    Figures(#[source] io::Error),
    /// The server has stored nothing, or does not tell.
    #[error("/metrics of the server tells of no commit")]
    NoCommit,
    /// No rate was low enough.
    #[error("not even the lowest rate that was tried was kept up with")]
    NoRate,
}
