//! The cores that load generator and server run on.

use std::io;

use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

use crate::load::Waiting;

/// How generator and server share the cores.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sharing {
    /// Both run wherever the system lets them.
    All,
    /// Both run on the last one: what one core sends and another one reads costs both the more, the closer they follow one
    /// another; left to the system, the same work of the same program differs by a half from run to run.
    One,
    /// The generator has the first one to itself and does not sleep there, the server has all others: what comes is read at
    /// once, and whoever sends it is neither made to wake its reader nor to make room for it, as on machines of their own.
    Apart,
}

/// Keeps the calling thread on some cores, and with it the processes that it starts, until this is dropped.
#[derive(Debug)]
pub(super) struct Cores {
    sharing: Sharing,
    all: CpuSet,
}

impl Cores {
    /// Goes to where the server is to be started.
    pub(super) fn of_server(sharing: Sharing) -> io::Result<Self> {
        let all = sched_getaffinity(None)?;
        // Nobody can have the only one to itself.
        let sharing = if all.count() == 1 { Sharing::One } else { sharing };
        let cores = Self { sharing, all };
        match sharing {
            Sharing::All => {}
            // The first ones have the interrupts of devices.
            Sharing::One => stay(cores.allowed().last().into_iter())?,
            Sharing::Apart => stay(cores.allowed().skip(1))?,
        }
        Ok(cores)
    }

    /// Goes from there to where the generator is to run; gives how it is to wait there.
    pub(super) fn go_to_generator(&self) -> io::Result<Waiting> {
        if self.sharing != Sharing::Apart {
            return Ok(Waiting::Asleep);
        }
        stay(self.allowed().take(1))?;
        Ok(Waiting::Awake)
    }

    fn allowed(&self) -> impl Iterator<Item = usize> {
        (0..CpuSet::MAX_CPU).filter(|&core| self.all.is_set(core))
    }
}

/// Keeps the calling thread on these.
fn stay(on: impl Iterator<Item = usize>) -> io::Result<()> {
    let mut cores = CpuSet::new();
    on.for_each(|core| cores.set(core));
    Ok(sched_setaffinity(None, &cores)?)
}

impl Drop for Cores {
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

    /// Where a process may run that is started as a server is, where the generator may run beside it, and how that waits.
    fn shared(sharing: Sharing) -> (CpuSet, CpuSet, Waiting) {
        let checks = thread::spawn(move || {
            let all = sched_getaffinity(None).unwrap();
            let cores = Cores::of_server(sharing).unwrap();
            let mut server = Command::new("cat").stdin(Stdio::piped()).spawn().unwrap();
            let waiting = cores.go_to_generator().unwrap();
            let of_server = sched_getaffinity(Some(Pid::from_child(&server))).unwrap();
            let of_generator = sched_getaffinity(None).unwrap();
            server.kill().unwrap();
            server.wait().unwrap();
            drop(cores);
            assert_eq!(sched_getaffinity(None).unwrap(), all);
            (of_server, of_generator, waiting)
        });
        checks.join().unwrap()
    }

    #[test]
    fn on_one_core_both_stay_on_the_same() {
        let (server, generator, waiting) = shared(Sharing::One);
        assert_eq!((server.count(), server), (1, generator));
        assert_eq!(waiting, Waiting::Asleep);
    }

    #[test]
    fn where_there_is_only_one_the_generator_makes_room_for_the_server() {
        // A thread takes over where the one that starts it may run.
        let one = Cores::of_server(Sharing::One).unwrap();
        let (server, generator, waiting) = shared(Sharing::Apart);
        drop(one);
        assert_eq!((server.count(), server), (1, generator));
        assert_eq!(waiting, Waiting::Asleep);
    }

    #[test]
    fn apart_the_generator_has_one_that_the_server_has_not_where_there_are_two() {
        let (all, same, _) = shared(Sharing::All);
        assert_eq!(all, same);
        let (server, generator, waiting) = shared(Sharing::Apart);
        if all.count() > 1 {
            assert_eq!((server.count(), generator.count()), (all.count() - 1, 1));
            assert!((0..CpuSet::MAX_CPU).all(|core| !(server.is_set(core) && generator.is_set(core))));
            assert_eq!(waiting, Waiting::Awake);
        }
    }
}
