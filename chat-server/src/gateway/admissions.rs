//! What lets open connections be open: credentials that may be taken back, and identities that expire.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use chat_core::{Admission, Clock, Credential};
use chat_protocol::Timestamp;
use parking_lot::Mutex;
use tokio::time::Instant;

use crate::SystemClock;
use crate::connection::{Client, End};

/// The credentials of open connections.
#[derive(Debug, Default)]
pub(crate) struct Admissions(Mutex<Holders>);

/// Who holds which credential.
#[derive(Debug, Default)]
struct Holders {
    /// Of a credential, the holders have different numbers.
    clients: BTreeMap<(Credential, u64), Arc<Client>>,
    next_number: u64,
}

/// What one connection holds, as long as it is open, where there is something to be taken back.
#[derive(Debug)]
pub(crate) struct Held(Option<Box<Holding>>);

#[derive(Debug)]
struct Holding {
    admissions: Arc<Admissions>,
    credential: (Credential, u64),
}

/// What a connection opens on.
#[derive(Debug)]
pub(crate) struct Admitted {
    pub(crate) held: Held,
    /// When the identity expires, where it does.
    pub(crate) expires_at: Option<Instant>,
}

impl Admissions {
    /// Notes that a connection opens on an admission.
    pub(crate) fn hold(self: &Arc<Self>, admission: &Admission, client: &Arc<Client>) -> Admitted {
        let holding = admission.credential.as_ref().map(|credential| {
            let mut holders = self.0.lock();
            holders.next_number += 1;
            let held = (credential.clone(), holders.next_number);
            holders.clients.insert(held.clone(), Arc::clone(client));
            Box::new(Holding { admissions: Arc::clone(self), credential: held })
        });
        Admitted { held: Held(holding), expires_at: admission.expires_at.map(instant_of) }
    }

    /// Ends the connections that hold a credential.
    pub(crate) fn revoke(&self, credential: &Credential) {
        let all = (credential.clone(), 0)..=(credential.clone(), u64::MAX);
        let clients: Vec<_> =
            self.0.lock().clients.range(all).map(|(_, client)| Arc::clone(client)).collect();
        for client in clients {
            client.end(End::SignedOut);
        }
    }

    /// The credentials that open connections hold.
    pub(crate) fn credentials(&self) -> Vec<Credential> {
        let holders = self.0.lock();
        let mut credentials: Vec<_> =
            holders.clients.keys().map(|(credential, _)| credential.clone()).collect();
        credentials.dedup();
        credentials
    }
}

/// When a time of day comes, as seen from now.
fn instant_of(at: Timestamp) -> Instant {
    let micros = at.as_micros().saturating_sub(SystemClock.now().as_micros());
    // Nobody stays connected for a century; an instant that far away need not exist.
    let ahead = Duration::from_micros(u64::try_from(micros).unwrap_or(0)).min(CENTURY);
    Instant::now() + ahead
}

const CENTURY: Duration = Duration::from_hours(100 * 365 * 24);

impl Drop for Held {
    fn drop(&mut self) {
        if let Some(Holding { admissions, credential }) = self.0.as_deref() {
            admissions.0.lock().clients.remove(credential);
        }
    }
}

#[cfg(test)]
mod tests {
    use chat_core::Identity;
    use chat_protocol::EncodeContext;

    use super::*;

    fn client() -> Arc<Client> {
        Client::new(None, EncodeContext::default(), None, 1024)
    }

    fn admission(credential: &Credential) -> Admission {
        Admission { credential: Some(credential.clone()), ..Identity::Guest { name: None }.into() }
    }

    #[test]
    fn a_credential_is_held_until_its_last_connection_has_gone() {
        let admissions = Arc::new(Admissions::default());
        let [ours, theirs] = [[1], [2]].map(|hash| Credential(Arc::new(hash)));
        let [gone, stays, other] = [client(), client(), client()];
        let gone_holds = admissions.hold(&admission(&ours), &gone);
        let stays_holds = admissions.hold(&admission(&ours), &stays);
        let _other_holds = admissions.hold(&admission(&theirs), &other);
        assert_eq!(admissions.credentials(), [ours.clone(), theirs.clone()]);
        drop(gone_holds);
        assert_eq!(admissions.credentials(), [ours.clone(), theirs.clone()]);
        admissions.revoke(&ours);
        assert_eq!([&gone, &stays, &other].map(|client| client.ends()), [None, Some(End::SignedOut), None]);
        drop(stays_holds);
        assert_eq!(admissions.credentials(), [theirs]);
    }
}
