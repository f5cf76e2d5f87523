//! A report as tables, in Markdown.

use std::fmt;

use super::report::{Line, OfPeer, Report};
use super::subject::Subject;

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let repetitions = self.lines.iter().map(|line| line.repetitions.len()).max().unwrap_or_default();
        let machine = &self.machine;
        writeln!(
            f,
            "{} cores, {}, Linux {}; medians of {repetitions}",
            machine.cores, machine.processor, machine.kernel
        )?;
        writeln!(
            f,
            "\n| work | in | compared with | ours | ratio | reach | met | other CPU |\n|---|---|---|---|---|---|---|---|"
        )?;
        for line in &self.lines {
            let Line { work, unit, base, ours, ratio, reach, .. } = line;
            let (base, ours) = (figure(*base), figure(*ours));
            let ratio = ratio.map_or_else(|| "–".into(), |ratio| format!("{ratio:.2} ×"));
            let elsewhere = line.elsewhere().map_or_else(|| "–".into(), |percent| format!("{percent:.0} %"));
            let verdict = verdict(line);
            writeln!(
                f,
                "| {work} | {unit} | {base} | {ours} | {ratio} | {reach} | {verdict} | {elsewhere} |"
            )?;
        }
        self.write_peers(f)?;
        for line in &self.lines {
            for failure in &line.failures {
                writeln!(f, "\n{}: {failure}", line.key)?;
            }
        }
        Ok(())
    }
}

impl Report {
    fn write_peers(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut peers = Subject::PEERS.map(|peer| peer.to_string()).to_vec();
        peers.retain(|peer| self.lines.iter().any(|line| line.peer(peer).is_some()));
        if peers.is_empty() {
            return Ok(());
        }
        writeln!(f, "\n| work | {} |\n|---{}|", peers.join(" | "), "|---".repeat(peers.len()))?;
        for line in &self.lines {
            let than = if line.base.is_none() { " ours" } else { "" };
            let cells = peers.iter().map(|peer| {
                let Some(OfPeer { value, ratio, is_whole }) = line.peer(peer) else {
                    return "–".to_owned();
                };
                let ratio = ratio.map(|ratio| format!(" ({ratio:.2} ×{than})")).unwrap_or_default();
                let fault = if is_whole { "" } else { ", and not everything came" };
                figure(Some(value)) + &ratio + fault
            });
            let cells: Vec<String> = cells.collect();
            if cells.iter().any(|cell| cell != "–") {
                writeln!(f, "| {} | {} |", line.work, cells.join(" | "))?;
            }
        }
        Ok(())
    }
}

fn verdict(line: &Line) -> &'static str {
    match line.is_met {
        None if line.is_comparable() => "not measured",
        None => "open: what it is compared with lost something",
        Some(true) => "yes",
        Some(false) if line.is_whole() => "no",
        Some(false) => "no: not everything came as it should",
    }
}

/// A figure with as many digits as say something.
pub(super) fn figure(value: Option<f64>) -> String {
    match value {
        None => "–".into(),
        Some(value) if value >= 10_000.0 => format!("{:.0} k", value / 1_000.0),
        Some(value) if value >= 100.0 => format!("{value:.0}"),
        Some(value) => format!("{value:.2}"),
    }
}
