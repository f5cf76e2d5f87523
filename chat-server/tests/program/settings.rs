//! What settings come to, wherever they are given.

use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

use crate::{Serving, program, text};

#[test]
fn nobody_is_to_be_cut_off_before_a_ping() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("mute.toml"), "mute_for = '20s'").unwrap();
    std::fs::write(folder.path().join("both.toml"), "ping_every = '1min'\nmute_for = '1min'").unwrap();
    let other = ("CHAT_LISTEN", "127.0.0.1:0");
    for (arguments, variable, hints) in [
        (&["--ping-every", "60s"][..], other, ["ping_every is 1m,", "mute_for, which is 45s"]),
        (&["--config", "mute.toml"], other, ["ping_every is 20s,", "mute_for, which is 20s"]),
        (&["--config", "both.toml"], other, ["ping_every is 1m,", "mute_for, which is 1m"]),
        (&[], ("CHAT_MUTE_FOR", "500ms"), ["ping_every is 20s,", "mute_for, which is 500ms"]),
        (&["--config", "mute.toml"], ("CHAT_PING_EVERY", "19s"), ["cannot open", "/nowhere/chat.db"]),
    ] {
        let (name, value) = variable;
        let mut command = program(folder.path());
        // There is no such folder: it does not run in any case.
        command.args(arguments).args(["--database", "sqlite:/nowhere/chat.db"]).env(name, value);
        let complaint = text(&command.output().unwrap().stderr);
        assert!(hints.iter().all(|hint| complaint.contains(hint)), "{arguments:?}, {name}: {complaint}");
    }
}

#[tokio::test]
async fn an_empty_variable_leaves_pages_of_the_server_itself_in() {
    let folder = tempfile::tempdir().unwrap();
    let serving = Serving::start_by(program(folder.path()).env("CHAT_ALLOWED_ORIGINS", ""));
    for (origin, may) in
        [(format!("http://{}", serving.address), true), ("http://evil.example".into(), false)]
    {
        let mut request = format!("ws://{}/ws/chat/hall/", serving.address).into_client_request().unwrap();
        request.headers_mut().insert("origin", origin.parse().unwrap());
        assert_eq!(connect_async(request).await.is_ok(), may, "{origin}");
    }
}

#[test]
fn empty_variables_of_lists_do_not_keep_it_from_starting() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["CHAT_TRUSTED_PROXIES", "CHAT_DJANGO_CHANNELS_HOSTS", "CHAT_DJANGO_SECRET_KEY_FALLBACKS"] {
        Serving::start_by(program(folder.path()).env(name, "")).stop();
    }
}
