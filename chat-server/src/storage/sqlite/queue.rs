//! What is to be done on a connection, in the order in which it was asked for.

use std::collections::VecDeque;
use std::fmt;

use parking_lot::{Condvar, Mutex};
use rusqlite::Connection;
use thiserror::Error;

/// So many may wait before those among them that nobody waits for any more are looked for.
const TIDIED_FROM: usize = 64;

/// No further jobs are taken.
#[derive(Debug, Error)]
#[error("the connections to SQLite are closed")]
pub(super) struct Closed;

/// Something to be done on a connection, once.
pub(super) trait Job: Send {
    /// Whether somebody still waits for the outcome.
    fn is_wanted(&self) -> bool;

    /// Does it, and tells who waits.
    fn run(self: Box<Self>, connection: &Connection);
}

/// Jobs for one thread or several.
pub(super) struct Queue {
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    jobs: VecDeque<Box<dyn Job>>,
    intake: Intake,
    /// At so many, jobs that are not wanted are thrown away: twice as many as were left the last time, so that looking for
    /// them costs each job next to nothing, and those that are given up while the disk is silent do not pile up.
    tidied_at: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Intake {
    Open,
    Closed,
}

impl Default for Queue {
    fn default() -> Self {
        let state = State { jobs: VecDeque::new(), intake: Intake::Open, tidied_at: TIDIED_FROM };
        Self { state: Mutex::new(state), changed: Condvar::new() }
    }
}

impl fmt::Debug for Queue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Queue").finish_non_exhaustive()
    }
}

impl Queue {
    /// Puts a job in line.
    pub(super) fn push(&self, job: Box<dyn Job>) -> Result<(), Closed> {
        let mut state = self.state.lock();
        if state.intake == Intake::Closed {
            return Err(Closed);
        }
        if state.jobs.len() >= state.tidied_at {
            state.jobs.retain(|job| job.is_wanted());
            state.tidied_at = TIDIED_FROM.max(2 * state.jobs.len());
        }
        state.jobs.push_back(job);
        drop(state);
        self.changed.notify_one();
        Ok(())
    }

    /// Waits for the next job that somebody still waits for. `None` where there will be no more.
    pub(super) fn next(&self) -> Option<Box<dyn Job>> {
        let mut state = self.state.lock();
        loop {
            while let Some(job) = state.jobs.pop_front() {
                if job.is_wanted() {
                    return Some(job);
                }
            }
            if state.intake == Intake::Closed {
                return None;
            }
            self.changed.wait(&mut state);
        }
    }

    /// Takes no more jobs. Those in line are still given out.
    pub(super) fn close(&self) {
        self.state.lock().intake = Intake::Closed;
        self.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;

    struct Wanted(Arc<AtomicBool>);

    impl Job for Wanted {
        fn is_wanted(&self) -> bool {
            self.0.load(Ordering::Relaxed)
        }

        fn run(self: Box<Self>, _: &Connection) {}
    }

    #[test]
    fn what_nobody_waits_for_does_not_pile_up() {
        let queue = Queue::default();
        let (wanted, given_up) = (Arc::new(AtomicBool::new(true)), Arc::new(AtomicBool::new(false)));
        for _ in 0..10 {
            queue.push(Box::new(Wanted(Arc::clone(&wanted)))).unwrap();
        }
        for _ in 0..10_000 {
            queue.push(Box::new(Wanted(Arc::clone(&given_up)))).unwrap();
        }
        assert!(queue.state.lock().jobs.len() <= TIDIED_FROM + 1);
        queue.close();
        assert!(queue.push(Box::new(Wanted(wanted))).is_err());
        assert_eq!(std::iter::from_fn(|| queue.next()).count(), 10);
    }
}
