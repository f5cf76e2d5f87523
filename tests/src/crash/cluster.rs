//! A run of several servers that share a PostgreSQL database and talk over Redis.

use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::time::sleep;

use super::clients::{Clients, Crowd, Habits, room};
use super::database::TestDatabase;
use super::history::{Disturbance, Event};
use super::instance::Instance;
use super::random::Random;
use super::recorder::Recorder;
use super::run::{EVENTS, await_events, await_moment, newest, record_stored};
use super::watcher::{Watchers, visit};
use crate::proxy::Proxy;
use crate::redis::Redis;

/// How many servers there are.
const NODES: usize = 3;

/// So many rooms are watched on every server.
const WATCHED_ROOMS: u32 = 3;

/// Each round has all of them, in an order that depends on chance.
const DISTURBANCES: [Disturbance; 4] =
    [Disturbance::RedisRestart, Disturbance::NodeRestart, Disturbance::NodePause, Disturbance::LinkSilence];

/// What to do.
#[derive(Debug, Clone)]
pub struct ClusterRun {
    /// The program whose `serve` is the server.
    pub program: PathBuf,
    /// How often everything happens that can happen to a cluster.
    pub rounds: u32,
    /// How many clients send.
    pub senders: u32,
    /// How many clients listen, in all dialects.
    pub subscribers: u32,
    /// In how many rooms, in turns.
    pub rooms: u32,
    /// For how long the time of a server stands still.
    pub pause: Duration,
    /// After how long without a sign of life a server counts as dead.
    pub node_lasts: Duration,
    /// Settles the moments and what is sent, as far as they depend on chance here.
    pub seed: u64,
}

/// The servers, and what they share.
#[derive(Debug)]
struct Cluster {
    database: TestDatabase,
    redis: Redis,
    nodes: Vec<Node>,
}

/// A server, and its way to Redis.
#[derive(Debug)]
struct Node {
    instance: Instance,
    proxy: Proxy,
    settings: Vec<String>,
}

impl ClusterRun {
    /// Does it, and gives the history. That presence is right at the end, it sees for itself.
    ///
    /// # Panics
    ///
    /// Where somebody is told wrongly who is online.
    pub async fn record(&self) -> Vec<Event> {
        let recorder = Recorder::new();
        let mut random = Random::new(self.seed);
        let mut cluster = self.start_cluster().await;
        let crowd = Crowd {
            senders: self.senders,
            subscribers: self.subscribers,
            rooms: self.rooms,
            habits: Habits::RESTLESS,
        };
        let mut clients = Clients::start(&crowd, NODES, &recorder, &mut random);
        let mut watchers = Watchers::default();
        for number in 0..NODES {
            for watched in 0..WATCHED_ROOMS.min(self.rooms) {
                watchers.add(clients.server(number), &room(watched));
            }
        }
        cluster.tell(&clients);
        for _ in 0..self.rounds {
            for by in shuffled(&mut random) {
                await_moment(&recorder, &mut random).await;
                recorder.record(Event::Disturbed { by });
                self.disturb(by, &mut cluster, &clients, &recorder, &mut random).await;
            }
        }
        await_events(&recorder, EVENTS).await;
        clients.finish_sending().await;
        let storage = cluster.database.open().await;
        clients.finish_hearing(newest(&*storage).await, &recorder).await;
        watchers.see_everybody_leave().await;
        self.check_presence(&cluster, &mut watchers).await;
        record_stored(&*storage, &recorder).await;
        recorder.take()
    }

    async fn start_cluster(&self) -> Cluster {
        let database = TestDatabase::postgres();
        let redis = Redis::start();
        let mut nodes = Vec::new();
        for _ in 0..NODES {
            let proxy = Proxy::to(redis.port()).await;
            let [lasts, url] = [format!("{}ms", self.node_lasts.as_millis()), redis.url_by(proxy.port())];
            let settings = [
                ["--database", &database.url()],
                ["--channel-layer", &url],
                ["--node-lasts", &lasts],
                ["--presence-grace", "200ms"],
            ];
            let settings: Vec<_> = settings.into_iter().flatten().map(str::to_owned).collect();
            nodes.push(Node { instance: start(&self.program, &settings).await, proxy, settings });
        }
        Cluster { database, redis, nodes }
    }

    async fn disturb(
        &self,
        by: Disturbance,
        cluster: &mut Cluster,
        clients: &Clients,
        recorder: &Recorder,
        random: &mut Random,
    ) {
        let number = random.index(NODES);
        match by {
            Disturbance::RedisRestart => {
                cluster.redis.stop();
                await_events(recorder, EVENTS).await;
                cluster.redis.restart();
            }
            Disturbance::NodeRestart => {
                let node = cluster.nodes.remove(number);
                node.instance.kill().await;
                clients.tell(number, None);
                await_events(recorder, EVENTS).await;
                let instance = start(&self.program, &node.settings).await;
                clients.tell(number, Some(instance.address()));
                cluster.nodes.insert(number, Node { instance, ..node });
            }
            Disturbance::NodePause => {
                let Node { instance, .. } = &cluster.nodes[number];
                instance.pause().await;
                sleep(self.pause).await;
                instance.go_on().await;
            }
            Disturbance::LinkSilence => {
                let Node { proxy, .. } = &cluster.nodes[number];
                let connections = proxy.accepted();
                proxy.pause();
                // It notices.
                proxy.accepted_more_than(connections).await;
                await_events(recorder, EVENTS).await;
                proxy.cut();
                proxy.resume();
            }
        }
    }

    /// Somebody comes and goes, and everybody on every server is told so once.
    async fn check_presence(&self, cluster: &Cluster, watchers: &mut Watchers) {
        let [first, second, ..] = &*cluster.nodes else { unreachable!("there are {NODES} of them") };
        let mut here = Vec::new();
        for watched in 0..WATCHED_ROOMS.min(self.rooms) {
            here.push(visit(first.instance.address(), &room(watched), "visitor").await);
        }
        watchers.see("visitor", true).await;
        let there = visit(second.instance.address(), &room(0), "visitor").await;
        drop(here);
        there.close().await;
        watchers.see("visitor", false).await;
    }
}

impl Cluster {
    fn tell(&self, clients: &Clients) {
        for (number, node) in self.nodes.iter().enumerate() {
            clients.tell(number, Some(node.instance.address()));
        }
    }
}

async fn start(program: &Path, settings: &[String]) -> Instance {
    let settings: Vec<_> = settings.iter().map(String::as_str).collect();
    Instance::start_with(program, &settings).await
}

fn shuffled(random: &mut Random) -> Vec<Disturbance> {
    let mut left = DISTURBANCES.to_vec();
    let mut order = Vec::new();
    while !left.is_empty() {
        order.push(left.swap_remove(random.index(left.len())));
    }
    order
}
