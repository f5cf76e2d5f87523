//! Who is connected to which nodes of a cluster.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use chat_protocol::UserId;
use thiserror::Error;

/// Whether somebody is connected to any node, and when that was so. Of two standings of a user, the one with the later
/// moment counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// Whether they are.
    pub is_online: bool,
    /// When, by the clock of the roster.
    pub as_of: Moment,
}

/// A moment by the clock of a roster, which all nodes share. Later ones are greater.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment(
    /// In units of the roster's own.
    pub u64,
);

impl Moment {
    /// Not known: it counts whatever is known, and yields to whatever comes.
    pub const UNKNOWN: Self = Self(0);
}

/// Whether something is different from before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Novelty {
    /// It is.
    Changed,
    /// It was so already.
    Unchanged,
}

/// What a roster answers to a sign of life.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pulse {
    /// Whether the roster knows who is connected to this node. If not, it must be told again.
    pub is_known: bool,
    /// Whether no other node gives signs of life.
    pub is_alone: bool,
    /// Users who were connected to nodes that have given no sign of life, and to no others: each is told to one node.
    pub gone: Vec<UserId>,
    /// Since when they are offline.
    pub as_of: Moment,
}

/// The roster cannot be asked just now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("nobody can tell now who is connected to other nodes")]
pub struct RosterAway;

/// Keeps who is connected to which node, for all nodes of a cluster.
///
/// It knows of those nodes only that have given a [sign of life](Self::beat). It may be away, and it may forget: then each node tells it again who is connected to itself. Every call returns
/// within a bounded time, and at once while the roster is known to be away. All calls may come at once.
#[async_trait]
pub trait Roster: fmt::Debug + Send + Sync + 'static {
    /// Notes that users are connected to this node. For each: how they stand now, and whether they were offline before.
    ///
    /// # Errors
    ///
    /// [`RosterAway`] where it cannot be noted.
    async fn enter(&self, users: &[UserId]) -> Result<Vec<(Standing, Novelty)>, RosterAway>;

    /// Notes that a user is not connected to this node any more, and tells how they stand now.
    ///
    /// # Errors
    ///
    /// [`RosterAway`] where it cannot be noted.
    async fn leave(&self, user: UserId) -> Result<Standing, RosterAway>;

    /// How users stand, in this order.
    ///
    /// # Errors
    ///
    /// [`RosterAway`] where it cannot be said.
    async fn standings(&self, users: &[UserId]) -> Result<Vec<Standing>, RosterAway>;

    /// Gives a sign of life: whoever is connected to this node counts as online for so long. Takes those out who were
    /// connected to nodes that have given none.
    ///
    /// # Errors
    ///
    /// [`RosterAway`] where it cannot be given.
    async fn beat(&self, lasting: Duration) -> Result<Pulse, RosterAway>;
}
