//! A report as a table, in Markdown.

use std::fmt;

use super::super::table::figure;
use super::{ClusterReport, OfSize};

impl fmt::Display for ClusterReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { machine, repetitions, sizes } = self;
        writeln!(
            f,
            "{} cores, {}, Linux {}; medians of {repetitions}",
            machine.cores, machine.processor, machine.kernel
        )?;
        writeln!(f, "\n| µs of CPU for each message | {} |", joined(sizes, |size| nodes(size.nodes)))?;
        writeln!(f, "|---{}|", "|---".repeat(sizes.len()))?;
        let mut row = |of: &str, value: fn(&OfSize) -> Option<f64>| {
            writeln!(f, "| {of} | {} |", joined(sizes, |size| figure(value(size))))
        };
        row("the node that takes it in", |size| size.costs.sender)?;
        row("a node with a member of the room", |size| size.costs.member)?;
        row("a node without", |size| size.costs.bystander)?;
        row("Redis", |size| size.costs.redis)?;
        row("PostgreSQL", |size| size.costs.postgres)?;
        row("messages a second, at most", |size| size.messages_per_s)?;
        for OfSize { nodes, .. } in sizes.iter().filter(|size| !size.is_whole) {
            writeln!(f, "\n{nodes} nodes: not everything came as it should")?;
        }
        Ok(())
    }
}

fn nodes(count: usize) -> String {
    if count == 1 { "1 node".to_owned() } else { format!("{count} nodes") }
}

fn joined(sizes: &[OfSize], cell: impl Fn(&OfSize) -> String) -> String {
    sizes.iter().map(cell).collect::<Vec<_>>().join(" | ")
}
