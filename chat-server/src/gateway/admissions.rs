//! What lets open connections be open: credentials that may be taken back, and identities that expire.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use chat_core::{Admission, Clock, Credential};
use chat_protocol::Timestamp;
use parking_lot::Mutex;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::SystemClock;

/// The credentials of open connections.
#[derive(Debug, Default)]
pub(crate) struct Admissions(Mutex<HashMap<Credential, Holders>>);

/// The connections that hold a credential.
#[derive(Debug, Default)]
struct Holders {
    count: usize,
    revoked: CancellationToken,
}

/// What one connection holds, as long as it is open.
#[derive(Debug)]
pub(crate) struct Held {
    admissions: Arc<Admissions>,
    credential: Option<Credential>,
    /// Where there is something to be taken back.
    revoked: Option<CancellationToken>,
    expires_at: Option<Instant>,
}

impl Admissions {
    /// Notes that a connection opens on an admission.
    pub(crate) fn hold(self: &Arc<Self>, admission: &Admission) -> Held {
        let revoked = admission.credential.as_ref().map(|credential| {
            let mut held = self.0.lock();
            let holders = held.entry(credential.clone()).or_default();
            holders.count += 1;
            holders.revoked.clone()
        });
        Held {
            admissions: Arc::clone(self),
            credential: admission.credential.clone(),
            revoked,
            expires_at: admission.expires_at.map(instant_of),
        }
    }

    /// Ends the connections that hold a credential.
    pub(crate) fn revoke(&self, credential: &Credential) {
        if let Some(holders) = self.0.lock().get(credential) {
            holders.revoked.cancel();
        }
    }

    /// The credentials that open connections hold.
    pub(crate) fn credentials(&self) -> Vec<Credential> {
        self.0.lock().keys().cloned().collect()
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

impl Held {
    /// Waits until the credential is taken back; for ever, where there is none.
    pub(crate) async fn revoked(&self) {
        match &self.revoked {
            Some(revoked) => revoked.cancelled().await,
            None => std::future::pending().await,
        }
    }

    /// When the identity expires, where it does.
    pub(crate) const fn expires_at(&self) -> Option<Instant> {
        self.expires_at
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let Some(credential) = &self.credential else { return };
        let mut held = self.admissions.0.lock();
        if let Some(holders) = held.get_mut(credential) {
            holders.count -= 1;
            if holders.count == 0 {
                held.remove(credential);
            }
        }
    }
}
