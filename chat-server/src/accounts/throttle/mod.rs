//! Slows guessing at passwords down, by account and by address, and signing up, by address.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::time::Duration;

use chat_protocol::{Timestamp, Username};

use super::time::{between, later};

/// How much guessing is allowed.
#[derive(Debug, Clone)]
pub struct ThrottleLimits {
    /// How many attempts on one account may fail before the next has to wait. Default 5.
    pub per_account: u32,
    /// How many attempts from one address may fail before the next has to wait. Default 25: a household or an office
    /// shares one, and so does everybody behind a proxy.
    pub per_address: u32,
    /// How long failures count: in this time as many as are allowed are forgotten, one after the other. Default 15
    /// minutes, which is one in 3 minutes on an account and one in 36 seconds from an address.
    pub window: Duration,
    /// The first wait; each further failure that counts doubles it. Default 5 seconds.
    pub first_wait: Duration,
    /// The longest wait. Default 15 minutes.
    pub longest_wait: Duration,
    /// How many accounts and addresses are kept in mind at most. Default 20,000.
    pub capacity: usize,
}

impl Default for ThrottleLimits {
    fn default() -> Self {
        Self {
            per_account: 5,
            per_address: 25,
            window: Duration::from_mins(15),
            first_wait: Duration::from_secs(5),
            longest_wait: Duration::from_mins(15),
            capacity: 20_000,
        }
    }
}

impl ThrottleLimits {
    /// Those of sign-ups: 20 at once from an address, so that a class or a team behind one can begin together; then one a
    /// minute, which is 1,460 accounts a day at most. More would be a flood: each is a hash, and stays in the database.
    pub(super) fn of_sign_ups() -> Self {
        let minute = Duration::from_mins(1);
        Self {
            per_address: 20,
            window: 20 * minute,
            first_wait: minute,
            longest_wait: minute,
            ..Self::default()
        }
    }
}

/// Whom an attempt counts against. The account need not exist.
#[derive(Debug)]
pub(super) struct Attempt {
    account: Option<Subject>,
    address: Option<Subject>,
}

impl Attempt {
    pub(super) fn new(account: Option<Username>, address: Option<IpAddr>) -> Self {
        Self {
            account: account.map(Subject::Account),
            address: address.map(|address| Subject::Address(one_of_its_holders(address))),
        }
    }

    fn subjects(&self) -> impl Iterator<Item = &Subject> {
        self.account.iter().chain(&self.address)
    }
}

/// Whoever has an IPv6 address has the 2^64 around it, too.
fn one_of_its_holders(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() >> 64 << 64).into(),
        v4 @ IpAddr::V4(_) => v4,
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Subject {
    Account(Username),
    Address(IpAddr),
}

#[derive(Debug, Clone, Copy)]
struct Failures {
    /// When all of them are forgotten: later with each.
    forgotten_at: Timestamp,
    last: Timestamp,
    /// What `last` was before, should the newest turn out to be none.
    last_but_one: Timestamp,
}

/// Remembers failures, and says who has to wait.
///
/// An attempt counts as failed from its beginning, until it has turned out otherwise: many at once gain nothing.
///
/// Failures are forgotten one after the other, whether or not others follow: an address that many people share does not
/// pay for a slip now and then, however long that goes on. In any time one has as many guesses as can count at once, and
/// as many as are forgotten in that time. With 11 failures on an account, or 28 from an address, the wait is longer than
/// it takes to forget one, so that no more than 10 and 27 last. In a day that is 10 + 24 h / 3 min = 490 guesses at an
/// account, and 27 + 24 h / 36 s = 2,427 from an address. To forget them all at once, after a quiet quarter of an hour,
/// would allow as many: 5 at an account every 905 seconds are 477 a day.
#[derive(Debug)]
pub(super) struct Throttle {
    limits: ThrottleLimits,
    failures: HashMap<Subject, Failures>,
}

impl Throttle {
    pub(super) fn new(limits: ThrottleLimits) -> Self {
        Self { limits, failures: HashMap::new() }
    }

    /// Begins an attempt, or says how long until one may begin.
    pub(super) fn begin(&mut self, attempt: &Attempt, now: Timestamp) -> Result<(), Duration> {
        let waits = attempt.subjects().map(|subject| self.wait(subject, now));
        match waits.max() {
            Some(wait) if !wait.is_zero() => return Err(wait),
            _ => {}
        }
        for subject in attempt.subjects() {
            self.count(subject, now);
        }
        Ok(())
    }

    /// The attempt has succeeded: what failed on the account before is forgiven. The address has to live with its other
    /// failures, or one good account would pay for guessing at all others.
    pub(super) fn succeeded(&mut self, attempt: &Attempt) {
        if let Some(account) = &attempt.account {
            self.failures.remove(account);
        }
        if let Some(address) = &attempt.address {
            self.uncount(address);
        }
    }

    /// The attempt has come to nothing, through no fault of who made it.
    pub(super) fn withdrawn(&mut self, attempt: &Attempt) {
        for subject in attempt.subjects() {
            self.uncount(subject);
        }
    }

    fn wait(&self, subject: &Subject, now: Timestamp) -> Duration {
        let failures =
            self.failures.get(subject).filter(|failures| !self.is_forgotten(subject, failures, now));
        failures.map_or(Duration::ZERO, |failures| between(now, self.waits_until(subject, failures)))
    }

    fn allowed(&self, subject: &Subject) -> u32 {
        match subject {
            Subject::Account(_) => self.limits.per_account,
            Subject::Address(_) => self.limits.per_address,
        }
    }

    /// How long it takes to forget one failure.
    fn forgets_one_in(&self, subject: &Subject) -> Duration {
        self.limits.window / self.allowed(subject).max(1)
    }

    /// How many failures still count at a point in time.
    fn count_at(&self, subject: &Subject, failures: &Failures, at: Timestamp) -> u32 {
        let one = self.forgets_one_in(subject).as_micros().max(1);
        let count = between(at, failures.forgotten_at).as_micros().div_ceil(one);
        u32::try_from(count).unwrap_or(u32::MAX)
    }

    fn waits_until(&self, subject: &Subject, failures: &Failures) -> Timestamp {
        let count = self.count_at(subject, failures, failures.last);
        let Some(doublings) = count.checked_sub(self.allowed(subject)) else {
            return failures.last;
        };
        let wait = self.limits.first_wait.saturating_mul(2_u32.saturating_pow(doublings));
        later(failures.last, wait.min(self.limits.longest_wait))
    }

    fn is_forgotten(&self, subject: &Subject, failures: &Failures, now: Timestamp) -> bool {
        failures.forgotten_at.max(self.waits_until(subject, failures)) <= now
    }

    fn count(&mut self, subject: &Subject, now: Timestamp) {
        let known = self.failures.get(subject).copied();
        let known = known.filter(|failures| !self.is_forgotten(subject, failures, now));
        if known.is_none() && self.failures.len() >= self.limits.capacity {
            self.make_room(now);
        }
        let (forgotten_at, last_but_one) =
            known.map_or((now, now), |failures| (failures.forgotten_at.max(now), failures.last));
        let forgotten_at = later(forgotten_at, self.forgets_one_in(subject));
        self.failures.insert(subject.clone(), Failures { forgotten_at, last: now, last_but_one });
    }

    fn uncount(&mut self, subject: &Subject) {
        let one = self.forgets_one_in(subject);
        let Some(failures) = self.failures.get_mut(subject) else { return };
        failures.last = failures.last_but_one;
        let left = between(failures.last, failures.forgotten_at).saturating_sub(one);
        failures.forgotten_at = later(failures.last, left);
        if left.is_zero() {
            self.failures.remove(subject);
        }
    }

    /// Drops what is forgotten, or else the one with the fewest failures: a flood of new names does not wash away an old
    /// offender.
    fn make_room(&mut self, now: Timestamp) {
        let mut failures = std::mem::take(&mut self.failures);
        failures.retain(|subject, failures| !self.is_forgotten(subject, failures, now));
        if failures.len() >= self.limits.capacity {
            let least = failures
                .iter()
                .min_by_key(|(subject, failures)| (self.count_at(subject, failures, now), failures.last));
            if let Some(subject) = least.map(|(subject, _)| subject.clone()) {
                failures.remove(&subject);
            }
        }
        self.failures = failures;
    }
}

#[cfg(test)]
mod tests;
