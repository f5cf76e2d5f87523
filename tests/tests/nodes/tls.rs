//! Redis behind TLS, with a password, and a certificate by an authority of one's own.

use chat_tests::certificate::Certificate;
use chat_tests::crash::Instance;
use chat_tests::port;
use chat_tests::redis::{PASSWORD, Redis};
use chat_tests::socket::Socket;
use redis::{Client, cmd};

use super::{Shared, chat, is_message};

/// A Redis behind TLS, and its URL there.
fn start_redis(certificate: &Certificate) -> (Redis, String) {
    let tls_port = port::lasting().port().to_string();
    let [chain, key] = [certificate.certificate(), certificate.key()].map(|path| path.display().to_string());
    let redis = Redis::start_with(
        &[
            ["--tls-port", &tls_port],
            ["--tls-cert-file", &chain],
            ["--tls-key-file", &key],
            ["--tls-ca-cert-file", &chain],
            ["--tls-auth-clients", "no"],
        ]
        .concat(),
    );
    (redis, format!("rediss://:{PASSWORD}@localhost:{tls_port}"))
}

#[tokio::test]
async fn nodes_talk_over_tls_where_they_are_told_whom_to_trust() {
    let certificate = Certificate::for_localhost();
    let (redis, url) = start_redis(&certificate);
    let shared = Shared::by(&url, "chat");
    let authority = certificate.authority().display().to_string();
    let trusting = [("SSL_CERT_FILE", &*authority)];
    let settings = ["--database", &shared.database, "--channel-layer", &url];
    let program = env!("CARGO_BIN_EXE_crash").as_ref();
    let start =
        async |environment: &[(&str, &str)]| Instance::start_in(program, &settings, environment).await;
    let (first, second) = (start(&trusting).await, start(&trusting).await);
    let connect = async |node: &Instance, name: &str| {
        Socket::open(&format!("ws://{}/ws/chat/hall/?username={name}&dialect=typed", node.address())).await
    };
    let (mut amy, mut ben) = (connect(&first, "amy").await, connect(&second, "ben").await);
    for number in 0..20 {
        let text = number.to_string();
        amy.send(&chat(&text)).await;
        assert_eq!(ben.receive_where(is_message).await["message"], *text);
    }
    let mut asking = Client::open(redis.url()).unwrap().get_multiplexed_async_connection().await.unwrap();
    let (_, subscribers): (String, u64) =
        cmd("PUBSUB").arg("NUMSUB").arg("chat:room:1").query_async(&mut asking).await.unwrap();
    assert_eq!(subscribers, 2, "both hear the room over TLS");
    // Whoever does not know the authority does not trust the Redis; on that node, people talk to each other.
    let third = start(&[]).await;
    let (mut eve, mut ida) = (connect(&third, "eve").await, connect(&third, "ida").await);
    eve.send(&chat("among us")).await;
    assert_eq!(ida.receive_where(is_message).await["message"], "among us");
    let (_, subscribers): (String, u64) =
        cmd("PUBSUB").arg("NUMSUB").arg("chat:room:1").query_async(&mut asking).await.unwrap();
    assert_eq!(subscribers, 2);
}
