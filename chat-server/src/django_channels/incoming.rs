//! What Django sends is taken in, by one node at a time.

use std::sync::Arc;
use std::time::Duration;

use redis::RedisResult;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::hosts::Hosts;
use super::intake::Intake;
use super::layer::Layer;
use super::lease::{Lease, Terms};
use crate::backoff::Backoff;

/// How often a node that does not take in looks whether it must.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// Takes in what Django sends, where no other node does it.
#[derive(Debug)]
pub(super) struct Receiver {
    pub(super) hosts: Hosts,
    pub(super) layer: Arc<dyn Layer>,
    pub(super) intake: Intake,
    pub(super) terms: Terms,
    pub(super) stopping: CancellationToken,
}

impl Receiver {
    /// Takes in until the server stops.
    pub(super) async fn run(self) {
        let mut backoff = Backoff::new();
        while !self.stopping.is_cancelled() {
            let Err(error) = self.serve(&mut backoff).await else { continue };
            tracing::warn!(error = &error as &dyn std::error::Error, "Django cannot be heard");
            tokio::select! {
                () = backoff.wait() => {}
                () = self.stopping.cancelled() => {}
            }
        }
    }

    /// Takes in until the lease is lost, the server stops, or that fails.
    async fn serve(&self, backoff: &mut Backoff) -> RedisResult<()> {
        let Some(lease) = self.acquire(backoff).await? else { return Ok(()) };
        tracing::info!("this node takes in what Django sends");
        let received = tokio::select! {
            received = self.layer.receive(&lease, &self.intake, &self.stopping) => received,
            never = lease.keep() => match never {},
        };
        lease.release().await;
        received
    }

    /// Waits for the lease; `None` where the server stops before.
    async fn acquire(&self, backoff: &mut Backoff) -> RedisResult<Option<Lease>> {
        // The lease is on the first server, whatever becomes of the others.
        let connection = self.hosts.connect_to(0).await?;
        loop {
            let lease = Lease::acquire(&self.terms, connection.clone()).await?;
            backoff.reset();
            if lease.is_some() {
                return Ok(lease);
            }
            tokio::select! {
                () = sleep(LOOK_EVERY) => {}
                () = self.stopping.cancelled() => return Ok(None),
            }
        }
    }
}
