//! Keeps who is connected to the services of one process.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use chat_protocol::UserId;
use parking_lot::Mutex;
use tokio::time::Instant;

use super::LocalChannelLayer;
use crate::{Moment, Novelty, Pulse, Roster, RosterAway, Standing};

/// Who is connected to which node of a [`LocalChannelLayer`].
#[derive(Debug, Default)]
pub(super) struct SharedRoster {
    nodes: HashMap<NodeId, Node>,
    last_node: u64,
    last_change: u64,
}

/// Tells the nodes apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct NodeId(u64);

#[derive(Debug)]
struct Node {
    users: HashSet<UserId>,
    /// `None` until its first sign of life.
    silent_from: Option<Instant>,
}

impl SharedRoster {
    pub(super) fn join(roster: &Arc<Mutex<Self>>) -> NodeId {
        let mut roster = roster.lock();
        roster.last_node += 1;
        NodeId(roster.last_node)
    }

    fn node(&mut self, id: NodeId) -> &mut Node {
        self.nodes.entry(id).or_insert_with(|| Node { users: HashSet::new(), silent_from: None })
    }

    const fn now(&mut self) -> Moment {
        self.last_change += 1;
        Moment(self.last_change)
    }

    fn is_online(&self, user: UserId) -> bool {
        self.nodes.values().any(|node| node.users.contains(&user))
    }

    fn standing(&mut self, user: UserId) -> Standing {
        Standing { is_online: self.is_online(user), as_of: self.now() }
    }
}

#[async_trait]
impl Roster for LocalChannelLayer {
    async fn enter(&self, users: &[UserId]) -> Result<Vec<(Standing, Novelty)>, RosterAway> {
        let mut roster = self.roster.lock();
        let enter = |user: &UserId| {
            let novelty = if roster.is_online(*user) { Novelty::Unchanged } else { Novelty::Changed };
            roster.node(self.id).users.insert(*user);
            (roster.standing(*user), novelty)
        };
        Ok(users.iter().map(enter).collect())
    }

    async fn leave(&self, user: UserId) -> Result<Standing, RosterAway> {
        let mut roster = self.roster.lock();
        roster.node(self.id).users.remove(&user);
        Ok(roster.standing(user))
    }

    async fn standings(&self, users: &[UserId]) -> Result<Vec<Standing>, RosterAway> {
        let mut roster = self.roster.lock();
        Ok(users.iter().map(|user| roster.standing(*user)).collect())
    }

    async fn beat(&self, lasting: Duration) -> Result<Pulse, RosterAway> {
        let now = Instant::now();
        let mut roster = self.roster.lock();
        let node = roster.node(self.id);
        let is_known = node.silent_from.replace(now + lasting).is_some();
        let is_silent = |node: &Node| node.silent_from.is_some_and(|silent_from| silent_from <= now);
        let silent: Vec<_> = roster.nodes.extract_if(|_, node| is_silent(node)).collect();
        let left: HashSet<_> = silent.into_iter().flat_map(|(_, node)| node.users).collect();
        Ok(Pulse {
            is_known,
            is_alone: roster.nodes.len() == 1,
            gone: left.into_iter().filter(|user| !roster.is_online(*user)).collect(),
            as_of: roster.now(),
        })
    }
}
