//! What a process, and the machine, have used by now.

use std::fs;

use nix::time::ClockId;
use nix::unistd::Pid;

use super::clock::{Nanos, SECOND};

/// A running process.
#[derive(Debug, Clone, Copy)]
pub struct Process(Pid);

impl Process {
    /// The process of this id.
    #[must_use]
    pub fn new(id: u32) -> Self {
        Self(Pid::from_raw(id.cast_signed()))
    }

    /// This process itself.
    #[must_use]
    pub fn this() -> Self {
        Self(Pid::this())
    }

    /// CPU time of all its threads, those that have ended included, in the system's work for it as well as in its own.
    #[must_use]
    pub fn cpu(self) -> Nanos {
        self.try_cpu().expect("the process runs")
    }

    /// CPU time of this process and of those that it has started and that run.
    #[must_use]
    pub fn family_cpu(self) -> Nanos {
        let all = fs::read_dir("/proc").expect("the system lists them");
        let all = all.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok()).map(Self::new);
        let family = all.filter(|process| process.0 == self.0 || process.parent() == Some(self.0));
        family.filter_map(Self::try_cpu).sum()
    }

    /// `None` once it has ended.
    fn try_cpu(self) -> Option<Nanos> {
        let time = ClockId::pid_cpu_clock_id(self.0).and_then(ClockId::now).ok()?;
        Some(time.tv_sec().cast_unsigned() * SECOND + time.tv_nsec().cast_unsigned())
    }

    /// `None` once it has ended.
    fn parent(self) -> Option<Pid> {
        // proc(5): after the name, which ends with the last parenthesis, a state and the parent.
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.0)).ok()?;
        stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok().map(Pid::from_raw)
    }

    /// Its memory, in bytes.
    #[must_use]
    pub fn resident(self) -> u64 {
        let path = format!("/proc/{}/status", self.0);
        let status = fs::read_to_string(path).expect("the process runs");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("the system counts it");
        let kib: u64 = line.trim().trim_end_matches(" kB").parse().expect("a number");
        kib * 1024
    }
}

/// For how long all cores together have been busy.
#[must_use]
pub(super) fn machine_busy() -> Nanos {
    let stat = fs::read_to_string("/proc/stat").expect("the system counts it");
    let all = stat.lines().next().expect("a line for all cores");
    let ticks: Vec<u64> = all.split_whitespace().skip(1).filter_map(|field| field.parse().ok()).collect();
    // proc(5): user, nice, system, idle, iowait, irq, softirq, steal.
    let busy: u64 = [0, 1, 2, 5, 6, 7].iter().filter_map(|&field| ticks.get(field)).sum();
    busy * (SECOND / rustix::param::clock_ticks_per_second())
}
