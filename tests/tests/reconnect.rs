//! Clients of the SDK stay while their server is killed and started again: nothing is lost, nothing comes twice.

use std::path::Path;

use chat_tests::crash::{Instance, Random, any_seed};
use chat_tests::crowd::{self, Crowd, Size};
use chat_tests::port;

const KILLS: u32 = 6;

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_killed_costs_its_clients_nothing() {
    let program = Path::new(env!("CARGO_BIN_EXE_crash"));
    let folder = tempfile::tempdir().expect("a folder");
    let database = format!("sqlite:{}", folder.path().join("chat.db").display());
    let address = port::lasting();
    let seed = any_seed();
    let mut random = Random::new(seed);

    // They come before there is a server.
    let crowd = Crowd::start(&format!("ws://{address}"), Size { rooms: 2, of_each_dialect: 2, sends: 60 });
    let mut server = Instance::start_at(program, &database, address).await;
    for kill in 1..=KILLS {
        let jitter = f64::from(u32::try_from(random.below(1_000)).expect("it is small")) / 1_000.0;
        crowd.reach((f64::from(kill) - jitter) / f64::from(KILLS + 1)).await;
        server.kill().await;
        server = Instance::start_at(program, &database, address).await;
    }
    let records = crowd.finish().await;
    crowd::check(&records);
    assert!(records.iter().all(|record| record.connections > 1), "seed {seed}: everybody was cut off");
    server.stop().await;
}
