//! The highest rate that a server keeps up with.

use serde::Serialize;

use super::crowd::Crowd;
use super::window::{Talk, Window};

/// How often the gap between the highest rate that was kept up with and the lowest that was not is halved.
const BISECTIONS: usize = 2;

/// Most seconds in which a server may get over a rate that was too high.
const RECOVERY: f64 = 20.0;

/// How to climb.
#[derive(Debug, Clone, Copy)]
pub struct Climb {
    /// The first step; its rate is multiplied until one is too high.
    pub first: Talk,
    /// By this.
    pub factor: f64,
    /// Most rates that are tried.
    pub most_steps: usize,
}

/// How high it went.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Height {
    /// The highest rate that was kept up with, if there was one.
    pub best: Option<Window>,
    /// All rates that were tried, in their order.
    pub steps: Vec<Window>,
}

/// Whether a rate was kept up with: everything came, 98 of a hundred deliveries within the time, and 99 within a second.
fn is_kept_up_with(window: &Window, lasting: f64) -> bool {
    // One message may be under way when the time is over.
    let one = window.offered_per_s / (window.sent.max(1) as f64 / lasting) / lasting;
    window.is_whole()
        && window.deliveries_per_s + one >= 0.98 * window.offered_per_s
        && window.p99_us < 1_000_000.0
}

impl Crowd {
    /// Talks faster and faster.
    pub fn climb(&mut self, climb: Climb) -> Height {
        let (mut best, mut too_high, mut bisections) = (None::<Window>, None::<f64>, 0);
        let (mut steps, mut rate) = (Vec::new(), climb.first.rate);
        while steps.len() < climb.most_steps {
            let window = self.talk(Talk { rate, ..climb.first });
            steps.push(window.clone());
            if is_kept_up_with(&window, climb.first.lasting) {
                best = Some(window);
            } else {
                too_high = Some(rate);
                self.quiesce(RECOVERY);
            }
            rate = match (&best, too_high) {
                (Some(_), None) => rate * climb.factor,
                (None, _) => rate / (climb.factor * climb.factor),
                (Some(best), Some(too_high)) if bisections < BISECTIONS => {
                    bisections += 1;
                    f64::midpoint(best.rate, too_high)
                }
                _ => break,
            };
        }
        Height { best, steps }
    }
}
