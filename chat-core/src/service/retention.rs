//! Removes the messages that are not to be kept, where the config sets a bound: in a loop of its own, a few at a time,
//! so that senders wait for it no longer than they do for each other.

use std::future::poll_fn;
use std::task::{Context, Poll};
use std::time::Duration;

use chat_protocol::{RoomId, Timestamp};
use tokio::time::{MissedTickBehavior, interval};

use super::{Inner, ServiceConfig};
use crate::StorageError;
use crate::storage::Keep;

/// Most messages that are removed in one transaction.
const AT_ONCE: u32 = 500;

/// Goes over all rooms now and then, until the service is closed; ends at once where everything is kept.
pub(super) async fn run(inner: &Inner) {
    let config = &inner.config;
    if config.keep_newest.is_none() && config.keep_for.is_none() {
        return;
    }
    let mut ticks = interval(config.pruned_every.max(Duration::from_millis(1)));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            () = inner.closing() => return,
        }
        // Given up half-way, what was to be removed at once has been, or has not.
        tokio::select! {
            pass = prune_rooms(inner) => pass.log(),
            () = inner.closing() => return,
        }
    }
}

/// What going over all rooms came to.
#[derive(Default)]
struct Pass {
    removed: u64,
    failures: u64,
    first_error: Option<StorageError>,
}

impl Pass {
    fn failed(&mut self, error: StorageError) {
        self.failures += 1;
        self.first_error.get_or_insert(error);
    }

    /// Says it once, however many rooms it concerns: a full disk is one piece of news.
    fn log(self) {
        let Self { removed, failures, first_error } = self;
        if removed > 0 {
            tracing::info!(messages = removed, "messages that are not to be kept were removed");
        }
        if let Some(error) = first_error {
            let error = &error as &dyn std::error::Error;
            tracing::warn!(error, failures, "not all messages could be removed that are not to be kept");
        }
    }
}

async fn prune_rooms(inner: &Inner) -> Pass {
    let mut pass = Pass::default();
    let keep = keep(&inner.config, inner.clock.now());
    match inner.storage.rooms().await {
        Ok(rooms) => {
            for room in rooms {
                prune_room(inner, room.id, &keep, &mut pass).await;
            }
        }
        Err(error) => pass.failed(error),
    }
    pass
}

async fn prune_room(inner: &Inner, room: RoomId, keep: &Keep, pass: &mut Pass) {
    loop {
        // Also where the storage never waits: the other loops of the driver are to have their turn.
        give_way().await;
        match inner.storage.prune(room, keep, AT_ONCE).await {
            Ok(0) => return,
            Ok(removed) => pass.removed += removed,
            Err(error) => return pass.failed(error),
        }
    }
}

/// Lets other futures of the same task have their turn, and other tasks.
async fn give_way() {
    let mut has_waited = false;
    let wait_once = |context: &mut Context<'_>| {
        if has_waited {
            return Poll::Ready(());
        }
        has_waited = true;
        context.waker().wake_by_ref();
        Poll::Pending
    };
    poll_fn(wait_once).await;
}

/// What is to be kept at this time.
fn keep(config: &ServiceConfig, now: Timestamp) -> Keep {
    let since = config.keep_for.map(|span| {
        let micros = i64::try_from(span.as_micros()).unwrap_or(i64::MAX);
        Timestamp::from_micros(now.as_micros().saturating_sub(micros)).unwrap_or(Timestamp::MIN)
    });
    Keep { newest: config.keep_newest, since }
}
