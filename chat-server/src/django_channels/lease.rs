//! One node at a time takes in what Django sends: the one that holds a lease in Redis.
//!
//! It counts its time from before it asks, by its own clock, so that it stops in time even where it was stopped itself for
//! a while: whatever it reads after that, another node may have read, too.

use std::convert::Infallible;
use std::time::Duration;

use parking_lot::Mutex;
use redis::aio::MultiplexedConnection;
use redis::{Cmd, RedisResult, cmd};
use tokio::time::{Instant, sleep, sleep_until};

/// Takes a lease, where it is free, or was the holder's before its connection broke.
const ACQUIRE: &str = "local holder = redis.call('GET', KEYS[1]) \
                       if holder and holder ~= ARGV[1] then return 0 end \
                       redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2]) return 1";

/// Prolongs a lease, where it is still the holder's.
const PROLONG: &str = "if redis.call('GET', KEYS[1]) == ARGV[1] then \
                       return redis.call('PEXPIRE', KEYS[1], ARGV[2]) else return 0 end";

/// Gives it back, where it is still the holder's.
const RELEASE: &str =
    "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) else return 0 end";

/// Where a lease is, and for whom.
#[derive(Debug, Clone)]
pub(super) struct Terms {
    pub(super) key: String,
    /// Nobody else has the same.
    pub(super) holder: String,
    pub(super) lasting: Duration,
}

impl Terms {
    fn eval(&self, script: &str) -> Cmd {
        let millis = u64::try_from(self.lasting.as_millis()).unwrap_or(u64::MAX);
        let mut eval = cmd("EVAL");
        eval.arg(script).arg(1).arg(&self.key).arg(&self.holder).arg(millis);
        eval
    }
}

/// A lease that this node has got.
#[derive(Debug)]
pub(super) struct Lease {
    terms: Terms,
    connection: MultiplexedConnection,
    until: Mutex<Instant>,
}

impl Lease {
    /// Asks for it; `None` where another node holds it.
    pub(super) async fn acquire(
        terms: &Terms,
        mut connection: MultiplexedConnection,
    ) -> RedisResult<Option<Self>> {
        let until = Instant::now() + terms.lasting;
        let got: bool = terms.eval(ACQUIRE).query_async(&mut connection).await?;
        Ok(got.then(|| Self { terms: terms.clone(), connection, until: Mutex::new(until) }))
    }

    /// Whether it is still held.
    pub(super) fn is_held(&self) -> bool {
        Instant::now() < *self.until.lock()
    }

    /// Waits until it is held no longer.
    pub(super) async fn lost(&self) {
        while self.is_held() {
            let until = *self.until.lock();
            sleep_until(until).await;
        }
    }

    /// Prolongs it, again and again.
    pub(super) async fn keep(&self) -> Infallible {
        let mut connection = self.connection.clone();
        loop {
            sleep(self.terms.lasting / 4).await;
            let until = Instant::now() + self.terms.lasting;
            match self.terms.eval(PROLONG).query_async::<bool>(&mut connection).await {
                // Once it is over, another node may have held it meanwhile.
                Ok(true) if self.is_held() => *self.until.lock() = until,
                Ok(_) => *self.until.lock() = Instant::now(),
                // A server that comes back may have forgotten it, and another node have got it.
                Err(error) if error.is_connection_dropped() => *self.until.lock() = Instant::now(),
                Err(error) => {
                    tracing::debug!(error = &error as &dyn std::error::Error, "a lease is not prolonged");
                }
            }
        }
    }

    /// Gives it back, so that another node need not wait for its end.
    pub(super) async fn release(self) {
        let Self { terms, mut connection, .. } = self;
        if let Err(error) = terms.eval(RELEASE).query_async::<()>(&mut connection).await {
            tracing::debug!(error = &error as &dyn std::error::Error, "a lease is left to end");
        }
    }
}
