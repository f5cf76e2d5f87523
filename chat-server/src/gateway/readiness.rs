//! Whether a message could be stored now: found out by storing something, once a second however many ask.

use std::time::Duration;

use chat_core::StorageError;
use parking_lot::Mutex;
use tokio::sync::watch;
use tokio::time::{Instant, timeout};

/// How long a check may take; by then a message would not have been stored in good time, either.
const ANSWER_WITHIN: Duration = Duration::from_secs(2);

/// For how long its outcome is good.
const HOLDS_FOR: Duration = Duration::from_secs(1);

/// Whether a message could be stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Readiness {
    /// It could.
    Ready,
    /// The storage says that it could not.
    Refused,
    /// The storage does not say.
    Unanswered,
}

#[derive(Debug, Clone, Copy)]
struct Outcome {
    readiness: Readiness,
    at: Instant,
}

/// What is known of it. Who asks while it is being found out waits for the same answer.
#[derive(Debug, Default)]
pub(crate) struct ReadinessProbe {
    /// The check that is under way (`None` so far), or was the last.
    last: Mutex<Option<watch::Receiver<Option<Outcome>>>>,
}

impl ReadinessProbe {
    /// Whether a message could be stored now. Finds out with this check, unless another one is under way or was just done.
    ///
    /// The check goes on where who asks gives up.
    pub(crate) async fn ask<C>(&self, check: impl FnOnce() -> C) -> Readiness
    where
        C: Future<Output = Result<(), StorageError>> + Send + 'static,
    {
        let mut outcome = self.check(check);
        match outcome.wait_for(Option::is_some).await.as_deref() {
            Ok(Some(outcome)) => outcome.readiness,
            // The check was ended with the runtime.
            Ok(None) | Err(_) => Readiness::Unanswered,
        }
    }

    /// The check that counts now; begun where there is none.
    fn check<C>(&self, check: impl FnOnce() -> C) -> watch::Receiver<Option<Outcome>>
    where
        C: Future<Output = Result<(), StorageError>> + Send + 'static,
    {
        let mut last = self.last.lock();
        let mut before = None;
        if let Some(current) = &*last {
            let known = *current.borrow();
            match known {
                Some(outcome) if outcome.at.elapsed() >= HOLDS_FOR => before = Some(outcome.readiness),
                None if current.has_changed().is_err() => {}
                Some(_) | None => return current.clone(),
            }
        }
        let (tell, outcome) = watch::channel(None);
        let checked = timeout(ANSWER_WITHIN, check());
        tokio::spawn(async move {
            let readiness = judge(checked.await.ok(), before);
            tell.send_replace(Some(Outcome { readiness, at: Instant::now() }));
        });
        *last = Some(outcome.clone());
        outcome
    }
}

/// What the answer of the storage means. The log, which is for operators, tells more of it than a client hears; once,
/// however often it is asked.
fn judge(answer: Option<Result<(), StorageError>>, before: Option<Readiness>) -> Readiness {
    match answer {
        Some(Ok(())) => {
            if before.is_some_and(|before| before != Readiness::Ready) {
                tracing::info!("messages can be stored again");
            }
            Readiness::Ready
        }
        Some(Err(error)) => {
            if before != Some(Readiness::Refused) {
                tracing::warn!(error = &error as &dyn std::error::Error, "messages cannot be stored");
            }
            Readiness::Refused
        }
        None => {
            if before != Some(Readiness::Unanswered) {
                tracing::warn!("messages cannot be stored: the storage does not answer in time");
            }
            Readiness::Unanswered
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use futures::FutureExt;
    use futures::future::join_all;
    use tokio::sync::Notify;
    use tokio::time::advance;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn an_answer_is_good_for_a_second() {
        let probe = ReadinessProbe::default();
        let failing = || async { Err(StorageError::database("full")) };
        assert_eq!(probe.ask(|| async { Ok(()) }).await, Readiness::Ready);
        advance(HOLDS_FOR / 2).await;
        assert_eq!(probe.ask(failing).await, Readiness::Ready);
        advance(HOLDS_FOR / 2).await;
        assert_eq!(probe.ask(failing).await, Readiness::Refused);
        advance(HOLDS_FOR).await;
        assert_eq!(probe.ask(|| async { Ok(()) }).await, Readiness::Ready);
    }

    #[tokio::test(start_paused = true)]
    async fn many_who_ask_at_once_make_one_check() {
        let probe = ReadinessProbe::default();
        let checks = Arc::new(AtomicUsize::new(0));
        let gate = Arc::new(Notify::new());
        let ask = || {
            probe.ask(|| {
                checks.fetch_add(1, Ordering::Relaxed);
                let gate = Arc::clone(&gate);
                async move {
                    gate.notified().await;
                    Ok(())
                }
            })
        };
        // Who gives up does not end the check that others wait for.
        assert_eq!(ask().now_or_never(), None);
        let mut all = Box::pin(join_all((0..1000).map(|_| ask())));
        assert!(futures::poll!(&mut all).is_pending());
        gate.notify_one();
        assert!(all.await.iter().all(|readiness| *readiness == Readiness::Ready));
        assert_eq!(checks.load(Ordering::Relaxed), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn no_answer_is_an_answer() {
        let probe = ReadinessProbe::default();
        assert_eq!(probe.ask(pending).await, Readiness::Unanswered);
        advance(HOLDS_FOR).await;
        assert_eq!(probe.ask(|| async { Ok(()) }).await, Readiness::Ready);
    }
}
