//! What is done to a server, and what is measured then.

#![expect(clippy::cast_precision_loss, reason = "nobody counts or measures so far")]

use std::time::{SystemTime, UNIX_EPOCH};

use jsonwebtoken::{EncodingKey, Header};
use serde::Serialize;
use serde_json::{Value, json};

use super::commit;
use super::cores::{Cores, Sharing};
use super::failure::Failure;
use super::running::{Programs, Running, SECRET};
use super::subject::{People, Setting, Subject};
use crate::load::{self, Arrival, Climb, Crowd, Plan, Questions, Talk};

/// How many there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    /// Rooms.
    pub rooms: usize,
    /// Connections, over all rooms.
    pub connections: usize,
}

/// What is done.
#[derive(Debug, Clone, Copy)]
pub enum Act {
    /// One in each room talks: CPU time for each delivery, in µs.
    Talk(Size, &'static [&'static str], Talk),
    /// One in each room talks: CPU time for each delivery beyond those to two members, in µs. What a message costs by
    /// itself is not in it.
    TalkToMore(Size, Talk),
    /// One in each room talks: the time in which so many deliveries are made, less that in which so many commits of the
    /// storage are, in µs.
    TalkInTime(Size, Talk, Percentile),
    /// They talk faster and faster: the highest number of deliveries a second.
    Climb(Size, Climb),
    /// They are there: memory for each connection, in KiB.
    Stay(Size),
    /// They are there, for so many seconds: CPU time, in hundredths of a core.
    StayFor(Size, f64),
    /// They come: CPU time for each handshake, in µs.
    Arrive(Size),
    /// They ask: CPU time for each answer, in µs.
    Ask(Size, Questions),
    /// It starts: time until it listens, in ms.
    Start,
}

/// How many deliveries take no longer than what is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Percentile {
    /// Half of them.
    P50,
    /// Of a hundred, all but one.
    P99,
}

/// What was measured.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Measured {
    /// What is compared.
    pub value: f64,
    /// Whether nothing was lost, nothing came twice, out of order, or to others than those it was meant for.
    pub is_whole: bool,
    /// Everything else.
    pub details: Value,
}

impl Act {
    /// Does it to a server that was started for it.
    ///
    /// # Errors
    ///
    /// [`Failure`] where it cannot be measured.
    pub fn on(self, subject: Subject, programs: &Programs) -> Result<Measured, Failure> {
        // Left once the server has been stopped.
        let cores = Cores::of_server(self.sharing())?;
        let server = Running::start(subject, programs)?;
        let waiting = cores.go_to_generator()?;
        let process = server.process();
        let gather = |size: Size, dialects| {
            let plan = Plan {
                dialects,
                people: people_of(subject),
                waiting,
                ..Plan::guests(server.address(), size.rooms, size.connections)
            };
            let (mut crowd, arrival) = Crowd::gather(plan, process)?;
            // Some servers answer a handshake a little before a message gets there.
            crowd.wait(0.1);
            Ok::<_, Failure>((crowd, arrival))
        };
        match self {
            Self::TalkToMore(size, talk) => {
                let pairs = Size { connections: 2 * size.rooms, ..size };
                let of = |size| Self::Talk(size, &["plain"], talk).on(subject, programs);
                Ok(beyond(size, &of(size)?, pairs, &of(pairs)?))
            }
            Self::Talk(size, dialects, talk) => {
                let (mut crowd, arrival) = gather(size, dialects)?;
                let window = crowd.talk(talk);
                let details = json!({ "arrival": arrival, "window": window });
                Ok(Measured { value: window.cpu_us, is_whole: window.is_whole(), details })
            }
            Self::TalkInTime(size, talk, percentile) => {
                let (mut crowd, arrival) = gather(size, &["plain"])?;
                let window = crowd.talk(talk);
                let (took, share) = match percentile {
                    Percentile::P50 => (window.p50_us, 0.5),
                    Percentile::P99 => (window.p99_us, 0.99),
                };
                let commit = commit::within_us(subject, server.address(), share)?;
                let details = json!({ "arrival": arrival, "window": window, "commit_us": commit });
                Ok(Measured { value: took - commit, is_whole: window.is_whole(), details })
            }
            Self::Climb(size, climb) => {
                let (mut crowd, _) = gather(size, &["plain"])?;
                let height = crowd.climb(climb);
                let best = height.best.as_ref().ok_or(Failure::NoRate)?;
                Ok(Measured { value: best.deliveries_per_s, is_whole: true, details: json!(height) })
            }
            Self::Stay(size) => {
                let (mut crowd, arrival) = gather(size, &["plain"])?;
                crowd.wait(2.0);
                let more = process.resident().saturating_sub(arrival.resident_before);
                Ok(stayed(&crowd, &arrival, more as f64 / 1024.0 / arrival.connected as f64))
            }
            Self::StayFor(size, lasting) => {
                let (mut crowd, arrival) = gather(size, &["plain"])?;
                crowd.wait(1.0);
                let before = process.cpu();
                crowd.wait(lasting);
                let value = (process.cpu() - before) as f64 / (lasting * 1e9) * 100.0;
                Ok(stayed(&crowd, &arrival, value))
            }
            Self::Arrive(size) => {
                let (_, arrival) = gather(size, &["plain"])?;
                Ok(Measured { value: arrival.cpu_us, is_whole: true, details: json!({ "arrival": arrival }) })
            }
            Self::Ask(size, questions) => {
                let (mut crowd, _) = gather(size, &["command"])?;
                let answers = crowd.ask(questions);
                let is_whole = answers.count > 0;
                Ok(Measured { value: answers.cpu_us, is_whole, details: json!(answers) })
            }
            Self::Start => {
                let details = json!({ "resident": process.resident() });
                Ok(Measured { value: server.took().as_secs_f64() * 1e3, is_whole: true, details })
            }
        }
    }

    /// The same, at a rate that is given in deliveries a second, where it has one.
    pub(super) fn at(self, deliveries_per_s: f64) -> Self {
        match self {
            Self::TalkInTime(size, talk, percentile) => {
                let rate = deliveries_per_s / size.connections as f64;
                Self::TalkInTime(size, Talk { rate, ..talk }, percentile)
            }
            other => other,
        }
    }

    const fn sharing(self) -> Sharing {
        match self {
            // What something costs.
            Self::Talk(..) | Self::TalkToMore(..) | Self::Arrive(_) | Self::Ask(..) => Sharing::One,
            // How late it is.
            Self::TalkInTime(..) => Sharing::Apart,
            // How much.
            Self::Climb(..) | Self::Stay(_) | Self::StayFor(..) | Self::Start => Sharing::All,
        }
    }
}

/// What each delivery costs that the larger crowd has more, where the rooms of both are told as much.
fn beyond(size: Size, all: &Measured, fewer: Size, few: &Measured) -> Measured {
    let (connections, least) = (size.connections as f64, fewer.connections as f64);
    Measured {
        value: (all.value * connections - few.value * least) / (connections - least),
        is_whole: all.is_whole && few.is_whole,
        details: json!({ "all": all, "pairs": few }),
    }
}

/// What was measured while nobody said anything: it counts if nobody left.
fn stayed(crowd: &Crowd, arrival: &Arrival, value: f64) -> Measured {
    let is_whole = crowd.connected() == arrival.connected as u64;
    Measured { value, is_whole, details: json!({ "arrival": arrival }) }
}

fn people_of(subject: Subject) -> load::People {
    match subject {
        Subject::Ours(Setting { people: People::SignedIn, .. }) => {
            let key = EncodingKey::from_secret(SECRET.as_bytes());
            let expires = in_an_hour();
            load::People::SignedIn(Box::new(move |number| {
                let claims = json!({ "sub": format!("user{number}"), "exp": expires });
                jsonwebtoken::encode(&Header::default(), &claims, &key).expect("claims can be signed")
            }))
        }
        _ => load::People::Guests,
    }
}

fn in_an_hour() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs() + 3600)
}
