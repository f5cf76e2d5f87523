//! Hearing what a service does, to measure it.

use std::fmt;
use std::time::Duration;

/// Is told how long the work of a service takes. Called between messages, for many of them at a time: it must be quick.
pub trait Observer: fmt::Debug + Send + Sync + 'static {
    /// A transaction with so many messages has come to its end, after this time.
    fn stored(&self, messages: usize, outcome: Outcome, took: Duration) {
        let _ = (messages, outcome, took);
    }

    /// So many messages have been delivered to everybody on this node, this long after the first of them was stored.
    fn delivered(&self, messages: usize, took: Duration) {
        let _ = (messages, took);
    }
}

/// What became of a transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It is stored.
    Stored,
    /// It is not, or nobody knows.
    Failed,
}

/// Does not care.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Nobody;

impl Observer for Nobody {}
