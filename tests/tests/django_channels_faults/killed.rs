//! The node that takes in what Django sends is killed, while Django goes on sending.

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use chat_server::Database;
use chat_server::channel_layer::RedisOptions;
use chat_tests::channels::{Backend, Deployment, PREFIX};
use chat_tests::crash::Instance;
use chat_tests::postgres::Postgres;
use chat_tests::server::TestServer;
use chat_tests::socket::Socket;
use serde_json::json;
use tokio::sync::Semaphore;

use super::{deployment, enter, said};

/// Messages that nobody has heard yet, where an inbox has a capacity, 100.
const WINDOW: usize = 50;

/// Messages that are heard before the node is killed, and that must be heard of those that come later.
const HEARD: usize = 100;

/// What Django says: numbers, one after the other, without an end.
#[derive(Debug)]
struct Monologue<'a> {
    deployment: &'a Deployment,
    said: AtomicUsize,
    may_say: Semaphore,
}

impl<'a> Monologue<'a> {
    fn new(deployment: &'a Deployment) -> Self {
        let window = match deployment.backend {
            Backend::Core => WINDOW,
            Backend::PubSub => Semaphore::MAX_PERMITS,
        };
        Self { deployment, said: AtomicUsize::new(0), may_say: Semaphore::new(window) }
    }

    async fn run(&self) {
        loop {
            self.may_say.acquire().await.unwrap().forget();
            let number = self.said.load(Ordering::Relaxed);
            self.deployment.project.say("lobby", &json!([said(&number.to_string())])).await;
            self.said.store(number + 1, Ordering::Relaxed);
        }
    }

    /// The first number of which Django has not said anything yet, nor is about to.
    fn next(&self) -> usize {
        self.said.load(Ordering::Relaxed) + 1
    }

    /// Hears it, until a number has been heard; what was heard comes to the rest.
    async fn hear(&self, up_to: usize, socket: &mut Socket, heard: &mut Vec<usize>) {
        while heard.last().is_none_or(|last| *last < up_to) {
            let number: usize = socket.receive().await["message"].as_str().unwrap().parse().unwrap();
            let before = heard.last().map_or(0, |last| last + 1);
            assert!(number >= before, "{number} comes after {heard:?}");
            if self.deployment.backend == Backend::Core {
                self.may_say.add_permits(number + 1 - before);
            }
            heard.push(number);
        }
    }
}

async fn another_node_takes_over_from_one_that_is_killed(backend: Backend) {
    let deployment = deployment(backend).await;
    let postgres = Postgres::shared();
    let database = postgres.fresh_database();
    let (redis, layer) = (deployment.redis.url(), if backend == Backend::Core { "core" } else { "pubsub" });
    let settings = [
        ["--database", &postgres.url_of(&database)],
        ["--channel-layer", &redis],
        ["--django-channels-hosts", &redis],
        ["--django-channels-layer", layer],
        ["--django-channels-prefix", PREFIX],
    ];
    let killed = Instance::start_with(Path::new(env!("CARGO_BIN_EXE_crash")), &settings.concat()).await;
    let holder = holder(&deployment).await;
    let server = TestServer::start_with(|config| {
        config.database = postgres.url_of(&database).parse::<Database>().unwrap();
        config.channel_layer = Some(RedisOptions::new(redis.parse().unwrap()));
        config.django_channels = Some(deployment.bridge());
    })
    .await;
    let mut amy = enter(&server).await;
    let receiver = deployment.joined("lobby").await;

    let monologue = Monologue::new(&deployment);
    let mut heard = Vec::new();
    let listening = async {
        monologue.hear(HEARD, &mut amy, &mut heard).await;
        killed.kill().await;
        // What it has taken with it is never heard. An inbox has room for this, too.
        monologue.may_say.add_permits(if backend == Backend::Core { WINDOW } else { 0 });
        if backend == Backend::PubSub {
            deployment.joined_after("lobby", Some(&receiver)).await;
        }
        // One layer keeps what is said while nobody takes it in, the other does not.
        let from = monologue.next();
        monologue.hear(from + HEARD, &mut amy, &mut heard).await;
        from
    };
    let from = tokio::select! {
        from = listening => from,
        () = monologue.run() => panic!("it has no end"),
    };
    let since: Vec<usize> = heard.iter().copied().filter(|number| *number >= from).collect();
    assert_eq!(since, (from..=from + HEARD).collect::<Vec<_>>());
    assert_ne!(self::holder(&deployment).await, holder);

    let last = heard.last().unwrap();
    let count = format!("SELECT count(*) FROM messages WHERE text::int <= {last}");
    assert_eq!(postgres.execute(&database, &count), heard.len().to_string());
}

/// Who takes in what Django sends, once somebody does.
async fn holder(deployment: &Deployment) -> String {
    loop {
        let holder: Option<String> = deployment.ask(&["GET", &format!("{PREFIX}:chat-bridge:chat")]).await;
        if let Some(holder) = holder {
            return holder;
        }
    }
}

#[tokio::test]
async fn another_node_takes_over_from_one_that_is_killed_over_the_core_layer() {
    another_node_takes_over_from_one_that_is_killed(Backend::Core).await;
}

#[tokio::test]
async fn another_node_takes_over_from_one_that_is_killed_over_the_pubsub_layer() {
    another_node_takes_over_from_one_that_is_killed(Backend::PubSub).await;
}
