//! The part of the service that runs in the background.

use std::sync::Arc;

use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

use super::Inner;
use super::commit::{self, Submission};
use super::task::{self, Task};
use super::{feed, listeners, members, reached, retention};
use crate::hub::Posting;
use crate::{Audience, Envelope, Topic};

/// Stores what is sent, hears other nodes, ends what lasts only so long, and removes what is not to be kept.
///
/// Made by [`ChatService::new`](crate::ChatService::new); nothing is sent until it runs.
#[derive(Debug)]
pub struct Driver {
    inner: Arc<Inner>,
    submitted: mpsc::Receiver<Submission>,
    tasks: mpsc::UnboundedReceiver<Task>,
}

impl Driver {
    pub(super) const fn new(
        inner: Arc<Inner>,
        submitted: mpsc::Receiver<Submission>,
        tasks: mpsc::UnboundedReceiver<Task>,
    ) -> Self {
        Self { inner, submitted, tasks }
    }

    /// Does the work, until the service is [closed](crate::ChatService::close) and everything handed in before is done.
    pub async fn run(self) {
        let Self { inner, submitted, tasks } = self;
        let (committed, last_commit) = oneshot::channel();
        let (to_listeners, posted) = mpsc::channel(listeners::QUEUED);
        let late = feed::run(&inner, to_listeners.clone());
        let commits = async {
            commit::run(&inner, submitted, to_listeners).await;
            drop(committed);
        };
        // Tasks follow from commits, so that they go on until the last commit is done.
        let tasks = task::run(&inner, tasks, last_commit);
        let listeners = listeners::run(&inner, posted);
        futures::join!(
            commits,
            late,
            listeners,
            tasks,
            hear_other_nodes(&inner),
            end_typing(&inner),
            members::watch(&inner),
            retention::run(&inner)
        );
        inner.relays.end();
    }
}

async fn hear_other_nodes(inner: &Inner) {
    loop {
        let Envelope { topic, audience, event, seq } = tokio::select! {
            envelope = inner.layer.receive() => envelope,
            () = inner.closing() => return,
        };
        if let (Topic::Room(room), Some(seq)) = (topic, seq) {
            if inner.hub.post(room, seq, &event, |_| true) == Posting::Early {
                inner.late_rooms.find(room);
            }
            inner.hub.flush(room);
            continue;
        }
        inner.hub.deliver(topic, &event, |connection| match audience {
            Audience::Everyone => true,
            Audience::EveryoneBut(user) => !connection.is_of(user),
        });
    }
}

async fn end_typing(inner: &Inner) {
    loop {
        let deadline = inner.typing.lock().next_deadline();
        tokio::select! {
            () = reached(deadline) => {}
            () = inner.typing_began.notified() => continue,
            () = inner.closing() => return,
        }
        let now = Instant::now();
        loop {
            let expired = inner.typing.lock().pop_expired(now);
            let Some(((room, typist), user)) = expired else { break };
            inner.tell_typing(room, typist, &user, false);
        }
    }
}
