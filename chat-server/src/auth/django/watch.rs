//! What the open connections were let in by.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use chat_core::Credential;
use chat_protocol::UserId;
use parking_lot::Mutex;
use sha2::{Digest, Sha256};

use super::project::Proof;

/// How long a credential is remembered that nobody asks about: that of a connection that has ended, or is not quite
/// open yet.
const KEPT_UNASKED: Duration = Duration::from_mins(5);

/// The number of credentials from which on a new one makes the forgotten ones be dropped.
const FEW: usize = 1024;

/// A proof, and whose it was when they were let in.
#[derive(Debug, Clone)]
pub(super) struct Admitted {
    pub(super) proof: Proof,
    pub(super) user: UserId,
}

impl Admitted {
    /// The name of this. It has the user in it because a session may change hands, and then must not vouch for the
    /// connections of the user before.
    pub(super) fn credential(&self, cookie: &str) -> Credential {
        let hash =
            Sha256::new().chain_update(self.user.value().to_be_bytes()).chain_update(cookie).finalize();
        Credential(hash.as_slice().into())
    }
}

/// Remembers what credentials stand for, as long as somebody asks about them.
#[derive(Debug, Default)]
pub(super) struct Watch(Mutex<State>);

#[derive(Debug)]
struct State {
    entries: HashMap<Credential, Entry>,
    /// The number of entries at which it is time to drop some, so that a flood of logins costs little for each.
    full_at: usize,
}

#[derive(Debug)]
struct Entry {
    admitted: Admitted,
    asked_at: Instant,
}

impl Default for State {
    fn default() -> Self {
        Self { entries: HashMap::new(), full_at: FEW }
    }
}

impl State {
    fn forget(&mut self, now: Instant) {
        self.entries.retain(|_, entry| now.duration_since(entry.asked_at) < KEPT_UNASKED);
        self.full_at = (self.entries.len() * 2).max(FEW);
    }
}

impl Watch {
    /// Remembers what a credential stands for.
    pub(super) fn remember(&self, credential: Credential, admitted: Admitted, now: Instant) {
        let mut state = self.0.lock();
        if state.entries.len() >= state.full_at {
            state.forget(now);
        }
        state.entries.insert(credential, Entry { admitted, asked_at: now });
    }

    /// What credentials stand for, in their order; `None` for one that is not known (any more).
    pub(super) fn ask(&self, credentials: &[Credential], now: Instant) -> Vec<Option<Admitted>> {
        let mut state = self.0.lock();
        let found = credentials.iter().map(|credential| {
            let entry = state.entries.get_mut(credential)?;
            entry.asked_at = now;
            Some(entry.admitted.clone())
        });
        let found = found.collect();
        state.forget(now);
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admitted(user: i64) -> Admitted {
        Admitted { proof: Proof::Key("k".into()), user: UserId::new(user).unwrap() }
    }

    #[test]
    fn credentials_differ_by_session_and_by_user() {
        let amy = admitted(1).credential("cookie");
        assert_eq!(amy, admitted(1).credential("cookie"));
        assert_ne!(amy, admitted(1).credential("cookie2"));
        assert_ne!(amy, admitted(2).credential("cookie"));
    }

    #[test]
    fn what_nobody_asks_about_is_forgotten() {
        let watch = Watch::default();
        let mut now = Instant::now();
        let [asked, unasked] = [1, 2].map(|user| admitted(user).credential("cookie"));
        watch.remember(asked.clone(), admitted(1), now);
        watch.remember(unasked.clone(), admitted(2), now);
        for _ in 0..3 {
            now += KEPT_UNASKED / 2;
            assert!(watch.ask(std::slice::from_ref(&asked), now)[0].is_some());
        }
        assert!(watch.ask(&[unasked], now)[0].is_none());
    }

    #[test]
    fn logins_that_come_to_nothing_do_not_pile_up() {
        let watch = Watch::default();
        let mut now = Instant::now();
        for user in 1..=4000 {
            now += KEPT_UNASKED / 100;
            watch.remember(admitted(user).credential("cookie"), admitted(user), now);
        }
        assert!(watch.0.lock().entries.len() <= FEW);
    }
}
