//! What a message costs a cluster, and how many it takes: one of one, two and three nodes on one PostgreSQL and one Redis,
//! all of them on this machine.

#![expect(clippy::cast_precision_loss, reason = "nobody counts or measures so far")]

mod table;

use std::net::SocketAddrV4;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::failure::Failure;
use super::report::{Machine, median};
use super::running::Running;
use crate::load::{Climb, Crowd, Plan, Process, Seat, Talk};
use crate::postgres::Postgres;
use crate::redis::Redis;

/// How many nodes there are, in turn.
const SIZES: [usize; 3] = [1, 2, 3];

/// What is to be measured.
#[derive(Debug, Clone)]
pub struct ClusterRun {
    /// `chat-server`.
    pub server: PathBuf,
    /// How often.
    pub repetitions: usize,
    /// How many rooms there are.
    pub rooms: usize,
    /// At which rate messages are sent when their costs are measured, and for how long.
    pub talk: Talk,
    /// How the highest rate is found.
    pub climb: Climb,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ClusterReport {
    /// On what machine.
    pub machine: Machine,
    /// How often it was measured.
    pub repetitions: usize,
    /// The medians, for each number of nodes.
    pub sizes: Vec<OfSize>,
}

/// What came of a cluster of so many nodes.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct OfSize {
    /// So many.
    pub nodes: usize,
    /// The highest number of messages a second that it kept up with; somebody on each node hears each of them.
    pub messages_per_s: Option<f64>,
    /// What a message costs.
    pub costs: Costs,
    /// Whether everything came, once, in order, to whom it was meant for.
    pub is_whole: bool,
}

/// CPU time for each message that one node takes in and one node has a member for, in µs: beyond what passes without any.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Costs {
    /// Of the node that takes it in; where there is one node only, it has the member, too.
    pub sender: Option<f64>,
    /// Of the node that has the member.
    pub member: Option<f64>,
    /// Of a node that has no member of the room.
    pub bystander: Option<f64>,
    /// Of Redis.
    pub redis: Option<f64>,
    /// Of PostgreSQL, all its processes together.
    pub postgres: Option<f64>,
}

impl ClusterRun {
    /// As large as the table says.
    #[must_use]
    pub const fn new(server: PathBuf, repetitions: usize) -> Self {
        let talk = Talk { rate: 10.0, senders: usize::MAX, warm_up: 1.0, lasting: 3.0, drain: 2.0 };
        let first = Talk { rate: 5.0, senders: usize::MAX, warm_up: 0.3, lasting: 1.2, drain: 2.0 };
        Self { server, repetitions, rooms: 100, talk, climb: Climb { first, factor: 1.6, most_steps: 16 } }
    }

    /// Small, and short: only to see that everything runs.
    #[must_use]
    pub const fn smoke(server: PathBuf) -> Self {
        let talk = Talk { rate: 10.0, senders: usize::MAX, warm_up: 0.0, lasting: 0.3, drain: 10.0 };
        Self {
            server,
            repetitions: 1,
            rooms: 2,
            talk,
            climb: Climb { first: talk, factor: 2.0, most_steps: 2 },
        }
    }

    /// Measures, and tells of each size what came of it.
    ///
    /// # Errors
    ///
    /// [`Failure`] where something cannot be measured.
    pub fn measure(&self, mut tell: impl FnMut(&str)) -> Result<ClusterReport, Failure> {
        let (postgres, redis) = (Postgres::start(), Redis::start());
        let mut measured = Vec::new();
        for _ in 0..self.repetitions {
            for nodes in SIZES {
                let cluster = Cluster::start(nodes, &self.server, &postgres, &redis)?;
                let of_size = self.measure_one(&cluster)?;
                tell(&format!("{of_size:?}"));
                measured.push(of_size);
            }
        }
        let sizes = SIZES.map(|nodes| OfSize::middle(nodes, &measured)).into();
        Ok(ClusterReport { machine: Machine::this(), repetitions: self.repetitions, sizes })
    }

    fn measure_one(&self, cluster: &Cluster<'_>) -> Result<OfSize, Failure> {
        let (costs, is_whole) = self.costs(cluster)?;
        let plan = cluster.plan(|seat| seat.room + seat.place, self.rooms, 3);
        let (mut crowd, _) = Crowd::gather(plan, cluster.process(0))?;
        let height = crowd.climb(self.climb);
        let messages_per_s = height.best.map(|best| best.rate * self.rooms as f64);
        Ok(OfSize { nodes: cluster.nodes.len(), messages_per_s, costs, is_whole })
    }

    /// Everybody who sends is on the first node, and everybody who only listens on the second.
    fn costs(&self, cluster: &Cluster<'_>) -> Result<(Costs, bool), Failure> {
        let nodes = cluster.nodes.len();
        let plan = match nodes {
            1 => cluster.plan(|_| 0, self.rooms, 2),
            _ => cluster.plan(|seat| seat.place, self.rooms, 2),
        };
        let (mut crowd, _) = Crowd::gather(plan, cluster.process(0))?;
        crowd.talk(Talk { lasting: self.talk.warm_up.max(0.1), warm_up: 0.0, ..self.talk });
        let begin = cluster.used();
        crowd.wait(self.talk.lasting);
        let quiet = cluster.used();
        let window = crowd.talk(Talk { warm_up: 0.0, ..self.talk });
        let end = cluster.used();
        let cost = |number: usize| {
            let [before, between, after] = [&begin, &quiet, &end].map(|used| used.get(number).copied());
            let (idle, busy) = (between?.saturating_sub(before?), after?.saturating_sub(between?));
            Some((busy as f64 - idle as f64) / 1_000.0 / window.sent.max(1) as f64)
        };
        let costs =
            Costs { redis: cost(0), postgres: cost(1), sender: cost(2), member: cost(3), bystander: cost(4) };
        Ok((costs, window.is_whole()))
    }
}

/// Nodes, and what they share.
#[derive(Debug)]
struct Cluster<'a> {
    postgres: &'a Postgres,
    redis: &'a Redis,
    nodes: Vec<Running>,
}

impl<'a> Cluster<'a> {
    /// Starts nodes on a database with nothing in it.
    fn start(
        count: usize,
        program: &Path,
        postgres: &'a Postgres,
        redis: &'a Redis,
    ) -> Result<Self, Failure> {
        let database = postgres.url_of(&postgres.fresh_database());
        let nodes = (0..count).map(|_| Running::start_node(program, &database, &redis.url()));
        Ok(Self { postgres, redis, nodes: nodes.collect::<Result<_, _>>()? })
    }

    fn process(&self, node: usize) -> Process {
        self.nodes[node].process()
    }

    /// So many members in each room.
    fn plan(&self, seating: fn(Seat) -> usize, rooms: usize, members: usize) -> Plan {
        let servers: Vec<SocketAddrV4> = self.nodes.iter().map(Running::address).collect();
        Plan::spread(servers, seating, rooms, rooms * members)
    }

    /// The CPU time that Redis, PostgreSQL and each node have used by now.
    fn used(&self) -> Vec<u64> {
        let shared = [self.redis.guard_pid(), self.postgres.pid()].map(|id| Process::new(id).family_cpu());
        shared.into_iter().chain(self.nodes.iter().map(|node| node.process().cpu())).collect()
    }
}

impl OfSize {
    /// The medians of all that have so many nodes.
    fn middle(nodes: usize, all: &[Self]) -> Self {
        let same = || all.iter().filter(|of_size| of_size.nodes == nodes);
        let middle = |of: fn(&Self) -> Option<f64>| median(same().filter_map(of));
        Self {
            nodes,
            messages_per_s: middle(|of_size| of_size.messages_per_s),
            costs: Costs {
                sender: middle(|of_size| of_size.costs.sender),
                member: middle(|of_size| of_size.costs.member),
                bystander: middle(|of_size| of_size.costs.bystander),
                redis: middle(|of_size| of_size.costs.redis),
                postgres: middle(|of_size| of_size.costs.postgres),
            },
            is_whole: same().all(|of_size| of_size.is_whole),
        }
    }
}
