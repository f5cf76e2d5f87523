//! Hashes passwords and checks them, off the threads that serve connections, and only so many at once.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::thread::available_parallelism;

use argon2::password_hash::phc;
use argon2::password_hash::{self, PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use chat_core::StorageError;
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

use super::error::Failure;
use super::password::PasswordHash;

/// How many hashes may wait for each one under way.
const WAITING_PER_WORKER: usize = 64;

/// Of so many places, one may be that of a new password.
const PLACES_PER_NEW: usize = 4;

/// How much work a hash is.
#[derive(Debug, Clone)]
pub struct HashCost(Params);

impl HashCost {
    /// As little as argon2id can be: for tests, which have nothing to protect.
    pub const LEAST: Self = match Params::new(Params::MIN_M_COST, 1, 1, None) {
        Ok(least) => Self(least),
        Err(_) => Self(Params::DEFAULT),
    };
}

impl Default for HashCost {
    /// What OWASP advises: 19 MiB, two passes, one lane.
    fn default() -> Self {
        Self(Params::DEFAULT)
    }
}

/// What checking a password came to.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Wrong,
    Right,
    /// Right, and this is its hash at the present cost; the one it was checked against is of another.
    RightWithNewHash(PasswordHash),
}

#[derive(Debug)]
pub(super) struct Hasher {
    argon2: Argon2<'static>,
    /// A hash that no password has, which costs as much to check as any of the present cost.
    decoy: PasswordHash,
    /// Bounds memory: a hash needs 19 MiB.
    workers: Arc<Semaphore>,
    /// Bounds who waits for a worker.
    places: Semaphore,
    /// Bounds who of them brings a new password: however many sign up, those who log in find places.
    places_of_new: Semaphore,
}

impl Hasher {
    pub(super) fn new(HashCost(cost): HashCost) -> Self {
        let workers = 2 * available_parallelism().map_or(1, NonZeroUsize::get);
        let places = workers * (1 + WAITING_PER_WORKER);
        Self {
            decoy: decoy(&cost),
            argon2: Argon2::new(Algorithm::Argon2id, Version::V0x13, cost),
            workers: Arc::new(Semaphore::new(workers)),
            places: Semaphore::new(places),
            places_of_new: Semaphore::new(places / PLACES_PER_NEW),
        }
    }

    /// Hashes a new password.
    pub(super) async fn hash(&self, password: &str) -> Result<PasswordHash, Failure> {
        let _place = self.places_of_new.try_acquire().map_err(|_| Failure::Busy)?;
        let password = password.to_owned();
        self.run(move |argon2| hash(argon2, &password)).await?
    }

    /// Checks a password against a hash, or against none: that takes the time of a hash of the present cost. One of another
    /// cost takes its own time until the right password is given, and so can be told from none.
    pub(super) async fn verify(
        &self,
        password: &str,
        against: Option<&PasswordHash>,
    ) -> Result<Verdict, Failure> {
        let password = password.to_owned();
        let against = against.unwrap_or(&self.decoy).clone();
        self.run(move |argon2| verify(argon2, &password, &against)).await?
    }

    /// Fails from now on.
    #[cfg(test)]
    pub(super) fn close(&self) {
        self.workers.close();
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Argon2<'static>) -> T + Send + 'static,
    ) -> Result<T, Failure> {
        let _place = self.places.try_acquire().map_err(|_| Failure::Busy)?;
        let worker = self.workers.clone().acquire_owned().await.map_err(|_| Failure::Stopping)?;
        let argon2 = self.argon2.clone();
        // The worker goes with the work, which goes on where nobody waits for it any more.
        let working = spawn_blocking(move || {
            let _worker = worker;
            work(&argon2)
        });
        working.await.map_err(|_| Failure::Stopping)
    }
}

fn hash(argon2: &Argon2<'_>, password: &str) -> Result<PasswordHash, Failure> {
    let hash = argon2.hash_password(password.as_bytes()).map_err(Failure::Hash)?;
    Ok(PasswordHash::new(hash.to_string()))
}

fn verify(argon2: &Argon2<'_>, password: &str, against: &PasswordHash) -> Result<Verdict, Failure> {
    let corrupt = StorageError::Corrupt { what: "the hash of a password" };
    let Ok(against) = phc::PasswordHash::new(against.as_str()) else { return Err(corrupt.into()) };
    match argon2.verify_password(password.as_bytes(), &against) {
        Ok(()) if is_of_present_cost(argon2, &against) => Ok(Verdict::Right),
        Ok(()) => hash(argon2, password).map(Verdict::RightWithNewHash),
        Err(password_hash::Error::PasswordInvalid) => Ok(Verdict::Wrong),
        Err(error) => Err(Failure::Hash(error)),
    }
}

fn is_of_present_cost(argon2: &Argon2<'_>, hash: &phc::PasswordHash) -> bool {
    let [wanted, found] = [Some(argon2.params().clone()), Params::try_from(hash).ok()]
        .map(|params| params.map(|cost| (cost.m_cost(), cost.t_cost(), cost.p_cost())));
    hash.algorithm == Algorithm::Argon2id.ident() && wanted == found
}

/// All zeros in the place of salt and hash: no password is known to have that hash, and none will be found.
fn decoy(cost: &Params) -> PasswordHash {
    let (memory, passes, lanes) = (cost.m_cost(), cost.t_cost(), cost.p_cost());
    let (salt, hash) = ("A".repeat(22), "A".repeat(43));
    PasswordHash::new(format!("$argon2id$v=19$m={memory},t={passes},p={lanes}${salt}${hash}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_password_is_told_from_others() {
        let hasher = Hasher::new(HashCost::LEAST);
        let hash = hasher.hash("correct horse").await.unwrap();
        assert_ne!(hasher.hash("correct horse").await.unwrap(), hash, "salted");
        assert_eq!(hasher.verify("correct horse", Some(&hash)).await.unwrap(), Verdict::Right);
        for wrong in ["", "correct horse ", "Correct horse"] {
            assert_eq!(hasher.verify(wrong, Some(&hash)).await.unwrap(), Verdict::Wrong);
        }
        assert_eq!(hasher.verify("correct horse", None).await.unwrap(), Verdict::Wrong);
    }

    #[tokio::test]
    async fn a_hash_of_another_cost_is_replaced() {
        let old = Hasher::new(HashCost::LEAST).hash("correct horse").await.unwrap();
        let hasher = Hasher::new(HashCost(Params::new(16, 2, 1, None).unwrap()));
        let Verdict::RightWithNewHash(new) = hasher.verify("correct horse", Some(&old)).await.unwrap() else {
            panic!("the old cost is still good enough");
        };
        assert!(new.as_str().starts_with("$argon2id$v=19$m=16,t=2,p=1$"), "{}", new.as_str());
        assert_eq!(hasher.verify("correct horse", Some(&new)).await.unwrap(), Verdict::Right);
        assert_eq!(hasher.verify("wrong", Some(&old)).await.unwrap(), Verdict::Wrong);
    }

    #[tokio::test]
    async fn what_is_no_hash_is_an_error() {
        let hasher = Hasher::new(HashCost::LEAST);
        let none = PasswordHash::new("plain text".into());
        assert!(matches!(hasher.verify("plain text", Some(&none)).await, Err(Failure::Storage(_))));
    }

    #[tokio::test]
    async fn who_finds_no_place_to_wait_is_told() {
        let hasher = Hasher::new(HashCost::LEAST);
        let _all =
            hasher.places.acquire_many(u32::try_from(hasher.places.available_permits()).unwrap()).await;
        assert!(matches!(hasher.hash("correct horse").await, Err(Failure::Busy)));
    }

    #[tokio::test]
    async fn new_passwords_leave_places_for_others() {
        let hasher = Hasher::new(HashCost::LEAST);
        let hash = hasher.hash("correct horse").await.unwrap();
        let all_of_new = u32::try_from(hasher.places_of_new.available_permits()).unwrap();
        let _all = hasher.places_of_new.acquire_many(all_of_new).await;
        assert!(matches!(hasher.hash("correct horse").await, Err(Failure::Busy)));
        assert_eq!(hasher.verify("correct horse", Some(&hash)).await.unwrap(), Verdict::Right);
        assert!(hasher.places.available_permits() > 2 * usize::try_from(all_of_new).unwrap());
    }

    #[test]
    fn the_default_is_what_owasp_advises() {
        let HashCost(cost) = HashCost::default();
        assert_eq!((cost.m_cost(), cost.t_cost(), cost.p_cost()), (19 * 1024, 2, 1));
        assert_eq!(HashCost::LEAST.0.m_cost(), 8);
    }
}
