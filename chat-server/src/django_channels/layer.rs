//! What a layer of `channels_redis` does for the bridge.

use std::fmt;

use async_trait::async_trait;
use chat_core::storage::{Room, StoredMessage};
use redis::RedisResult;
use tokio_util::sync::CancellationToken;

use super::hosts::Connections;
use super::intake::Intake;
use super::lease::Lease;

/// A message that was posted here, for Django.
#[derive(Debug, Clone)]
pub(super) struct Outgoing {
    pub(super) room: Room,
    pub(super) message: StoredMessage,
}

/// A layer that groups of channels talk over.
#[async_trait]
pub(super) trait Layer: fmt::Debug + Send + Sync + 'static {
    /// Makes the bridge a member of the groups of these rooms, where the layer wants that. Others are never left.
    async fn join(&self, connections: &mut Connections, rooms: &[Room]) -> RedisResult<()>;

    /// Sends messages to the groups of their rooms, in this order. Where this fails, some may have been sent.
    async fn send(&self, connections: &mut Connections, messages: &[Outgoing]) -> RedisResult<()>;

    /// Takes in what Django sends, until the lease is lost or the server stops. What was received by then has been taken in.
    async fn receive(&self, lease: &Lease, intake: &Intake, stopping: &CancellationToken) -> RedisResult<()>;
}
