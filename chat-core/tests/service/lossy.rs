//! A layer between two nodes that loses what it should not, when it is told to.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use chat_core::memory::LocalChannelLayer;
use chat_core::{ChannelLayer, Envelope, Novelty, Pulse, Received, Roster, RosterAway, Standing, Topic};
use chat_protocol::UserId;
use tokio::sync::Notify;

/// What is wrong with a layer.
#[derive(Debug, Default)]
pub(crate) struct Losses {
    /// Nothing that is published gets anywhere.
    pub(crate) drops: AtomicBool,
    /// Everything that is published gets there twice.
    pub(crate) doubles: AtomicBool,
    /// The roster does not answer.
    pub(crate) roster_is_away: AtomicBool,
    /// The roster hears who enters, and does not answer.
    pub(crate) roster_is_mute: AtomicBool,
    /// The roster does not know the node.
    pub(crate) has_forgotten: AtomicBool,
    /// The node is told that it may have missed something.
    pub(crate) interruption: Notify,
}

impl Losses {
    pub(crate) fn set(loss: &AtomicBool, is_on: bool) {
        loss.store(is_on, Ordering::Relaxed);
    }
}

#[derive(Debug)]
pub(crate) struct Lossy {
    pub(crate) layer: LocalChannelLayer,
    pub(crate) losses: Arc<Losses>,
}

impl Lossy {
    fn check_roster(&self) -> Result<(), RosterAway> {
        if self.losses.roster_is_away.load(Ordering::Relaxed) { Err(RosterAway) } else { Ok(()) }
    }
}

#[async_trait]
impl ChannelLayer for Lossy {
    fn publish(&self, envelope: Envelope) {
        if self.losses.drops.load(Ordering::Relaxed) {
            return;
        }
        if self.losses.doubles.load(Ordering::Relaxed) {
            self.layer.publish(envelope.clone());
        }
        self.layer.publish(envelope);
    }

    fn has_subscribers(&self, topic: Topic) -> bool {
        self.layer.has_subscribers(topic)
    }

    async fn subscribe(&self, topic: Topic) {
        self.layer.subscribe(topic).await;
    }

    async fn unsubscribe(&self, topic: Topic) {
        self.layer.unsubscribe(topic).await;
    }

    async fn receive(&self) -> Received {
        tokio::select! {
            received = self.layer.receive() => received,
            () = self.losses.interruption.notified() => Received::Interrupted,
        }
    }

    async fn close(&self) {}
}

#[async_trait]
impl Roster for Lossy {
    async fn enter(&self, users: &[UserId]) -> Result<Vec<(Standing, Novelty)>, RosterAway> {
        self.check_roster()?;
        let answer = self.layer.enter(users).await;
        if self.losses.roster_is_mute.load(Ordering::Relaxed) { Err(RosterAway) } else { answer }
    }

    async fn leave(&self, user: UserId) -> Result<Standing, RosterAway> {
        self.check_roster()?;
        self.layer.leave(user).await
    }

    async fn standings(&self, users: &[UserId]) -> Result<Vec<Standing>, RosterAway> {
        self.check_roster()?;
        self.layer.standings(users).await
    }

    async fn beat(&self, lasting: Duration) -> Result<Pulse, RosterAway> {
        self.check_roster()?;
        let pulse = self.layer.beat(lasting).await?;
        let has_forgotten = self.losses.has_forgotten.swap(false, Ordering::Relaxed);
        Ok(Pulse { is_known: pulse.is_known && !has_forgotten, ..pulse })
    }
}
