//! A history in a few lines.

use std::collections::HashMap;
use std::fmt;
use std::mem::discriminant;

use super::checker::check;
use super::history::{Event, Victim};
use super::violation::Violation;

/// Most violations of one kind that are told in full.
const TOLD: usize = 5;

/// What a history came to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// How often the server was killed.
    pub server_kills: usize,
    /// How often the database was killed.
    pub database_kills: usize,
    /// How often something happened to a cluster.
    pub disturbances: usize,
    /// How many sends were confirmed.
    pub confirmed: usize,
    /// How many sends were refused for good.
    pub refused: usize,
    /// How many sends came to nobody knows what.
    pub unknown: usize,
    /// How many messages are stored.
    pub stored: usize,
    /// How many connections subscribers made.
    pub connected: usize,
    /// How many messages subscribers heard, all together.
    pub heard: usize,
    /// What is wrong.
    pub violations: Vec<Violation>,
}

impl Report {
    /// Counts and checks a history.
    #[must_use]
    pub fn of(history: &[Event]) -> Self {
        let mut this = Self { violations: check(history), ..Self::default() };
        for event in history {
            let count = match event {
                Event::Invoked { .. } => continue,
                Event::Confirmed { .. } => &mut this.confirmed,
                Event::Refused { .. } => &mut this.refused,
                Event::Unknown { .. } => &mut this.unknown,
                Event::Connected { .. } => &mut this.connected,
                Event::Heard { .. } => &mut this.heard,
                Event::Killed { victim: Victim::Server } => &mut this.server_kills,
                Event::Killed { victim: Victim::Database } => &mut this.database_kills,
                Event::Disturbed { .. } => &mut this.disturbances,
                Event::Stored { .. } => &mut this.stored,
            };
            *count += 1;
        }
        this
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            server_kills,
            database_kills,
            disturbances,
            confirmed,
            refused,
            unknown,
            stored,
            connected,
            heard,
            violations,
        } = self;
        writeln!(f, "killed       {server_kills} times the server, {database_kills} times the database")?;
        writeln!(f, "disturbed    {disturbances} times the cluster")?;
        writeln!(f, "sends        {confirmed} confirmed, {unknown} unknown, {refused} refused")?;
        writeln!(f, "stored       {stored} messages")?;
        writeln!(f, "subscribers  connected {connected} times, heard {heard} messages")?;
        writeln!(f, "violations   {}", violations.len())?;
        let mut kinds: HashMap<_, usize> = HashMap::new();
        for violation in violations {
            let count = kinds.entry(discriminant(violation)).or_default();
            *count += 1;
            if *count <= TOLD {
                writeln!(f, "  {violation}")?;
            }
        }
        match kinds.values().map(|count| count.saturating_sub(TOLD)).sum::<usize>() {
            0 => Ok(()),
            untold => writeln!(f, "  and {untold} more of these kinds"),
        }
    }
}
