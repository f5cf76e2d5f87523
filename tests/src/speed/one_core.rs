//! Load generator and server on one core.

use std::io;

use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

/// Keeps the calling thread on one core, and with it the processes that it starts, until this is dropped.
///
/// What one core sends and another one reads costs both the more, the closer they follow one another; left to the system, the
/// same work of the same program differs by a half from run to run.
#[derive(Debug)]
pub(super) struct OneCore {
    all: CpuSet,
}

impl OneCore {
    pub(super) fn enter() -> io::Result<Self> {
        let all = sched_getaffinity(None)?;
        let mut one = CpuSet::new();
        // The first ones have the interrupts of devices.
        if let Some(last) = (0..CpuSet::MAX_CPU).rev().find(|&core| all.is_set(core)) {
            one.set(last);
            sched_setaffinity(None, &one)?;
        }
        Ok(Self { all })
    }
}

impl Drop for OneCore {
    fn drop(&mut self) {
        // It was allowed to run there before; if it no longer is, it stays where it is.
        let _ = sched_setaffinity(None, &self.all);
    }
}

#[cfg(test)]
mod tests {
    use std::process::{Command, Stdio};
    use std::thread;

    use rustix::process::Pid;

    use super::*;

    fn cores(pid: Option<Pid>) -> u32 {
        sched_getaffinity(pid).unwrap().count()
    }

    #[test]
    fn a_thread_and_what_it_starts_stay_on_one_core_until_it_is_left() {
        let checks = thread::spawn(|| {
            let all = cores(None);
            let one = OneCore::enter().unwrap();
            assert_eq!(cores(None), 1);
            let mut child = Command::new("cat").stdin(Stdio::piped()).spawn().unwrap();
            assert_eq!(cores(Some(Pid::from_child(&child))), 1);
            drop(one);
            child.kill().unwrap();
            child.wait().unwrap();
            assert_eq!(cores(None), all);
        });
        checks.join().unwrap();
    }
}
