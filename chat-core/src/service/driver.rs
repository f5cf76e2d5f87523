//! The part of the service that runs in the background.

use std::pin::Pin;
use std::sync::Arc;

use futures::StreamExt;
use futures::stream::FuturesUnordered;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::Instant;

use super::Inner;
use super::commit::{self, HandedOver};
use super::listeners::Posted;
use super::presence::{self, Occasion};
use super::task::{self, Task};
use super::{cluster, feed, listeners, members, reached, retention};
use crate::room::typing::Whence;

/// Stores what is sent, hears other nodes, ends what lasts only so long, and removes what is not to be kept.
///
/// Made by [`ChatService::new`](crate::ChatService::new); nothing is sent until it runs.
#[derive(Debug)]
pub struct Driver {
    pub(super) inner: Arc<Inner>,
    pub(super) handed_over: HandedOver,
    pub(super) posted: mpsc::Receiver<Posted>,
    pub(super) tasks: mpsc::UnboundedReceiver<Task>,
    pub(super) occasions: mpsc::UnboundedReceiver<Occasion>,
}

/// One thing that the driver does, beside the others.
type Part<'a> = Pin<Box<dyn Future<Output = ()> + Send + 'a>>;

impl Driver {
    /// Does the work, until the service is [closed](crate::ChatService::close) and everything handed in before is done.
    pub async fn run(self) {
        let Self { inner, handed_over, posted, tasks, occasions } = self;
        let inner = &*inner;
        let (committed, committing) = watch::channel(());
        let (delivered, last_delivery) = oneshot::channel();
        let deliveries = async {
            let commits = async {
                commit::run(inner, handed_over).await;
                drop(committed);
            };
            futures::join!(commits, feed::run(inner));
            drop(delivered);
        };
        // Deliveries and tasks follow from commits, so that they go on until the last commit is done.
        let courier = {
            let mut committing = committing.clone();
            async move {
                tokio::select! {
                    () = inner.deliver_what_is_left() => {}
                    _ = committing.changed() => {}
                }
            }
        };
        let parts: [Part<'_>; _] = [
            Box::pin(deliveries),
            Box::pin(courier),
            Box::pin(listeners::run(inner, posted, last_delivery)),
            Box::pin(task::run(inner, tasks, committing.clone())),
            Box::pin(presence::run(inner, occasions, committing)),
            Box::pin(cluster::hear_other_nodes(inner)),
            Box::pin(cluster::watch_rooms(inner)),
            Box::pin(end_typing(inner)),
            Box::pin(members::watch(inner)),
            Box::pin(retention::run(inner)),
        ];
        // Where one of them goes on, the others are not looked at.
        FuturesUnordered::from_iter(parts).collect::<()>().await;
        inner.relays.end();
        inner.layer.close().await;
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
            let Some(((room, whence), user)) = expired else { break };
            match whence {
                Whence::Here(typist) => inner.tell_typing(room, typist, &user, false),
                Whence::Elsewhere(_) => inner.tell_of_typing_elsewhere(room, &user, false),
            }
        }
    }
}
