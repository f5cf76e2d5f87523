//! Which cores the load generator runs on, and which ones a server.

use std::io;
use std::process::{Child, Command};

use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

use crate::load::Waits;

/// One core for the load generator and the rest for servers, where there is more than one.
///
/// Left to the system, a server that does little shares a core with the generator, where all that it sends is in the cache of
/// who reads it, and one that does a little more does not: work that is the same differs by a third.
#[derive(Debug, Clone)]
pub struct Cores(Option<Apart>);

#[derive(Debug, Clone)]
struct Apart {
    generator: CpuSet,
    servers: CpuSet,
}

impl Cores {
    /// All run wherever the system puts them.
    pub(super) const SHARED: Self = Self(None);

    /// Shares out the cores that the calling thread may run on.
    ///
    /// # Errors
    ///
    /// The system does not tell which they are.
    pub fn share_out() -> io::Result<Self> {
        let mut servers = sched_getaffinity(None)?;
        let first = (0..CpuSet::MAX_CPU).find(|&core| servers.is_set(core));
        let (Some(first), 2..) = (first, servers.count()) else { return Ok(Self::SHARED) };
        let mut generator = CpuSet::new();
        generator.set(first);
        servers.unset(first);
        Ok(Self(Some(Apart { generator, servers })))
    }

    /// How the generator waits: a core that it has to itself may as well be busy.
    pub(super) const fn waits(&self) -> Waits {
        match self.0 {
            None => Waits::Asleep,
            Some(_) => Waits::Awake,
        }
    }

    /// Starts a server on its cores; the calling thread, which is the generator's, stays on its own from now on.
    pub(super) fn spawn(&self, command: &mut Command) -> io::Result<Child> {
        let Some(Apart { generator, servers }) = &self.0 else { return command.spawn() };
        // A process begins where the thread that starts it may run.
        sched_setaffinity(None, servers)?;
        let child = command.spawn();
        sched_setaffinity(None, generator)?;
        child
    }
}

#[cfg(test)]
mod tests {
    use std::process::Stdio;
    use std::thread;

    use super::*;

    #[test]
    fn a_server_and_the_generator_share_no_core() {
        let cores = Cores::share_out().unwrap();
        thread::spawn(move || {
            let all = sched_getaffinity(None).unwrap();
            let mut child = cores.spawn(Command::new("cat").stdin(Stdio::piped())).unwrap();
            let pid = rustix::process::Pid::from_child(&child);
            let server = sched_getaffinity(Some(pid)).unwrap();
            let generator = sched_getaffinity(None).unwrap();
            child.kill().unwrap();
            child.wait().unwrap();
            for core in (0..CpuSet::MAX_CPU).filter(|&core| all.is_set(core)) {
                assert!(server.is_set(core) != generator.is_set(core) || all.count() == 1, "{core}");
            }
        })
        .join()
        .unwrap();
    }
}
